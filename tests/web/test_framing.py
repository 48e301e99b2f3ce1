"""No page stands in a frame of another site, but a clinic's booking pages in those its admin named, to strangers."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from portal.core.errors import Invalid
from portal.domain.clinics import managing
from portal.domain.clinics.shapes import ClinicShape
from portal.web import framing
from tests.doors import Browser

SITE = "https://www.clinic.example"
MARKED = {"public.clinic", "public.book_any", "public.any_times", "public.book", "public.book_times"}


@pytest.fixture
def pages(database: Any, superadmin: Any, el_djazair: Any, dr_benali: Any) -> list[str]:
    """The pages of a clinic that named a site, and those of nobody in particular."""
    clinic = managing.get(superadmin.actor, el_djazair.clinic_id)
    clinic.embed_origins = [SITE]
    database.flush()
    return [
        f"/clinics/{el_djazair.slug}",
        f"/clinics/{el_djazair.slug}/book",
        f"/book/{dr_benali.practice_id}",
        f"/book/{dr_benali.practice_id}/{el_djazair.consultation_id}",
    ]


def frames(answer: Any) -> tuple[str, str | None]:
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    return policy["frame-ancestors"], answer.headers.get("X-Frame-Options")


def test_a_clinics_pages_stand_in_its_own_sites(client: Browser, pages: list[str]) -> None:
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200
        assert frames(answer) == (SITE, None)


def test_whoever_is_signed_in_sees_no_page_in_a_frame(client: Browser, pages: list[str], amina: Any) -> None:
    client.sign_in(amina)
    for page in pages:
        assert frames(client.get(page)) == ("'none'", "DENY")


def test_what_is_sent_from_a_frame_is_answered_in_none(client: Browser, pages: list[str]) -> None:
    assert frames(client.post(pages[-1], data={})) == ("'none'", "DENY")


@pytest.mark.parametrize("path", ["/", "/doctors", "/account/sign-in", "/clinics/nowhere", "/api/v1/specialties"])
def test_every_other_answer_stands_in_no_frame(client: Browser, pages: list[str], path: str) -> None:
    assert frames(client.get(path)) == ("'none'", "DENY")


def test_another_clinic_named_no_site(client: Browser, pages: list[str], wahran: Any) -> None:
    assert frames(client.get(f"/clinics/{wahran.slug}")) == ("'none'", "DENY")


def test_only_these_endpoints_are_a_clinics_to_show(app: Flask) -> None:
    assert {name for name, view in app.view_functions.items() if hasattr(view, framing._MARK)} == MARKED


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://www.Clinic.example/", [SITE]),
        (f"{SITE}\n\n{SITE}\nhttps://clinic.example:8443", [SITE, "https://clinic.example:8443"]),
        ("https://عيادة.example", ["https://xn--mgber2b7e.example"]),
        ("", []),
    ],
)
def test_a_site_is_an_https_origin(written: str, kept: list[str]) -> None:
    assert _clinic(written).embed_origins == kept


@pytest.mark.parametrize(
    "written",
    [
        "http://clinic.example", "clinic.example", "https://clinic.example/booking", "https://*.clinic.example", "*",
        "https://a@clinic.example", "https://clinic.example; script-src *", "https://clinic.example 'self'",
        "https://localhost", "https://clinic.example:99999", "https://[::1]", "https://", "data:", "'self'",
        "\n".join(f"https://{n}.example" for n in range(11)),
    ],
)  # fmt: skip
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(Invalid) as no:
        _clinic(written)
    assert all(name.startswith("embed_origins") for name in no.value.fields)


def test_an_admin_names_sites_on_the_clinics_page(client: Browser, admin: Any, el_djazair: Any, database: Any) -> None:
    client.sign_in(admin)
    page = f"/admin/clinics/{el_djazair.slug}/edit"
    sent = {"name": "El Djazair", "address": "1 rue Didouche", "city": "Algiers", "time_zone": "Africa/Algiers",
            "embed_origins": "http://clinic.example"}  # fmt: skip
    wrong = client.post(page, data=sent)
    assert wrong.status_code == 422
    assert "http://clinic.example" in wrong.text
    assert client.post(page, data=sent | {"embed_origins": SITE}).status_code == 303
    assert SITE in client.get(page).text
    assert managing.get(admin.actor, el_djazair.clinic_id).embed_origins == [SITE]


def _clinic(sites: str) -> ClinicShape:
    return ClinicShape.parse({"name": "x", "address": "y", "city": "z", "embed_origins": sites})

"""The demo's mailbox: what was mailed can be read, and can do nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from portal import web
from portal.domain.scheduling import booking
from tests.builders import at


def keys(html: str) -> list[str]:
    return re.findall(r'href="(/dev/mail/[^"/]+)"', html)


@pytest.fixture
def filled(client: Any, amina: Any, dr_benali: Any, el_djazair: Any, mailbox: Any) -> Any:
    """A browser on a mailbox with a confirmation, a notice to the doctor and a reset."""
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(amina.actor, starts_at=at("09:00"), **about)
    mailbox.all()
    client.post("/account/forgot", data={"email": amina.email})
    mailbox.all()
    return client


def test_mail_is_listed_newest_first_and_by_address(filled: Any, amina: Any, dr_benali: Any) -> None:
    page = filled.get("/dev/mail").text
    assert len(keys(page)) == 3
    assert "new password" in filled.get(keys(page)[0]).text
    assert len(keys(filled.search("/dev/mail", dr_benali.email).text)) == 1
    assert keys(filled.search("/dev/mail", "nobody").text) == []


def test_the_links_of_a_letter_are_real_links(filled: Any, amina: Any) -> None:
    page = filled.get(keys(filled.search("/dev/mail", amina.email).text)[0]).text
    link = re.search(r'<a href="http://localhost(/account/reset/[^"]+)"', page)
    assert link
    assert filled.get(link[1]).status_code == 200


def test_the_frame_is_sandboxed_twice(filled: Any) -> None:
    url = keys(filled.get("/dev/mail").text)[0]
    page = filled.get(url)
    assert re.search(r"<iframe[^>]* sandbox[ >]", page.text)
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    frame = filled.get(f"{url}/html")
    assert frame.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "<!DOCTYPE html>" in frame.text
    assert "frame-src 'none'" in filled.get("/dev/mail").headers["Content-Security-Policy"]


def test_attachments_are_saved_and_never_shown(filled: Any, amina: Any) -> None:
    url = keys(filled.search("/dev/mail", amina.email).text)[-1]
    assert "appointment.ics" in filled.get(url).text
    answer = filled.get(f"{url}/attachments/0")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.data.startswith(b"BEGIN:VCALENDAR")
    assert filled.get(f"{url}/attachments/9").status_code == 404


@pytest.mark.parametrize("key", ["x", "..", "../../etc/passwd", "%00", "x" * 500])
def test_what_is_not_there_is_not_found(client: Any, mailbox: Any, key: str) -> None:
    assert client.get(f"/dev/mail/{key}").status_code == 404
    assert client.get(f"/dev/mail/{key}/html").status_code == 404


def test_markup_in_a_name_stays_text(client: Any, mailbox: Any) -> None:
    new = {"given_name": 'A" onload=x &lt', "family_name": "X", "email": "x@example.dz"}  # names take no < and >
    client.post("/account/register", data=new | {"password": "seven green boats"})
    mailbox.all()
    url = keys(client.get("/dev/mail").text)[0]
    for page in ("/dev/mail", url, f"{url}/html"):
        assert '" onload=x' not in client.get(page).text


@pytest.mark.parametrize(("mode", "there"), [("production", False), ("demo", True)])
def test_production_has_no_mailbox(app: Any, mode: str, there: bool) -> None:
    told = {"portal_mode": mode, "base_url": "https://portal.example", "mail_url": "keep://"}
    settings = app.extensions["portal.settings"].model_copy(update=told)
    made = Flask("portal")
    made.extensions["portal.settings"] = settings
    web.register(made, settings)
    assert any(rule.endpoint.startswith("dev.") for rule in made.url_map.iter_rules()) == there

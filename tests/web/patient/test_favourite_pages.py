"""The heart: one tap for patients, a way to sign in for strangers, none for those who work there."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from portal.domain.doctors import favourites
from tests.builders import HTMX


def text_of(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


def test_a_doctor_is_kept_and_let_go_without_javascript(client: Any, amina: Any, dr_benali: Any) -> None:
    path, back = f"/patient/favourites/{dr_benali.doctor_id}", "/doctors?sort=name"
    browser = client.sign_in(amina)
    kept = browser.post(path, data={"back": back})
    assert (kept.status_code, kept.location) == (303, back)
    assert favourites.kept(amina.actor) == {dr_benali.doctor_id}
    home = text_of(browser.get("/patient/home"))
    assert "Your doctors" in home and "Next free:" in home
    assert browser.post(f"{path}/let-go", data={"back": "//evil.example"}).location == "/patient/home"
    assert favourites.kept(amina.actor) == frozenset()
    assert "Your doctors" not in text_of(browser.get("/patient/home"))


def test_one_tap_changes_only_the_heart(client: Any, amina: Any, dr_benali: Any) -> None:
    path = f"/patient/favourites/{dr_benali.doctor_id}"
    browser = client.sign_in(amina)
    kept = text_of(browser.post(path, headers=HTMX, data={"back": "/doctors"}))
    assert kept.lstrip().startswith(f'<div id="heart-{dr_benali.doctor_id}"')
    assert f'hx-post="{path}/let-go"' in kept
    gone = browser.post(f"{path}/let-go", headers=HTMX, data={"name": dr_benali.name, "slug": dr_benali.slug})
    assert f'hx-post="{path}"' in text_of(gone)


@pytest.mark.parametrize("page", ["/doctors", "/doctors/{slug}", "/clinics/{clinic}"])
def test_each_reader_sees_their_own_heart(
    client: Any, amina: Any, yacine: Any, nadia: Any, dr_benali: Any, el_djazair: Any, page: str
) -> None:
    path = page.format(slug=dr_benali.slug, clinic=el_djazair.slug)
    heart = f"/patient/favourites/{dr_benali.doctor_id}"
    favourites.keep(amina.actor, dr_benali.doctor_id)
    assert f'action="{heart}/let-go"' in text_of(client.sign_in(amina).get(path))
    assert f'action="{heart}"' in text_of(client.sign_in(yacine).get(path))
    worker = text_of(client.sign_in(nadia).get(path))
    assert heart not in worker and "<!--heart" not in worker
    client.sign_out()
    stranger = text_of(client.get(path))
    assert f"/account/sign-in?next=/doctors/{dr_benali.slug}" in stranger and "<!--heart" not in stranger


def test_a_name_is_escaped_in_the_heart(client: Any, amina: Any, dr_benali: Any) -> None:
    from portal.core.db import keep, session
    from portal.domain.doctors.models import Doctor

    session().get_one(Doctor, dr_benali.doctor_id).family_name = '" onfocus=x &lt'
    keep()
    page = client.sign_in(amina).get("/doctors").get_data(as_text=True)
    assert '" onfocus=x' not in page and "&#34; onfocus=x &amp;lt" in page
    assert "<!--heart" not in page


def test_strangers_and_staff_keep_nobody(client: Any, nadia: Any, dr_benali: Any) -> None:
    path = f"/patient/favourites/{dr_benali.doctor_id}"
    assert client.post(path).status_code == 401
    assert client.sign_in(nadia).post(path).status_code == 403


def test_the_directory_asks_the_same_number_of_things_however_many_are_kept(
    client: Any, amina: Any, dr_benali: Any, dr_haddad: Any, statements: Any
) -> None:
    browser = client.sign_in(amina)
    counts = []
    for doctor in (None, dr_benali, dr_haddad):
        if doctor:
            favourites.keep(amina.actor, doctor.doctor_id)
        with statements() as count:
            browser.get("/doctors")
        with statements() as home:
            browser.get("/patient/home")
        counts.append((count(), home()))
    assert counts[1] == counts[2]
    assert max(counts[2]) <= 14

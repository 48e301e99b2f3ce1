"""Reviews on their pages: the patient's, the doctor's, the admin's, and what everybody reads."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from portal.core.db import session
from portal.domain.reviews import moderating
from portal.domain.reviews.models import Review
from portal.domain.scheduling.models import Appointment
from tests.domain.patients.test_family import booked, let
from tests.domain.reviews.visits import reviewed, visit_of

SAID = {"rating": "5", "text": "Took her time. <b>Really</b>"}


def text_of(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    return visit_of(amina, dr_benali, el_djazair)


def test_after_a_visit_the_patient_says_how_it_was(client: Any, visit: Any, amina: Any, dr_benali: Any) -> None:
    path, browser = f"/patient/appointments/{visit.id}/review", client.sign_in(amina)
    assert path in text_of(browser.get(f"/patient/appointments/{visit.id}"))
    assert "Publish the review" in text_of(browser.get(path))
    assert browser.post(path, data={"text": "No stars"}).status_code == 422
    assert browser.post(path, data=SAID).location == path
    again = text_of(browser.get(path))
    assert (
        "Save the review" in again
        and "checked" in again.split('value="5"')[0].rsplit("<input", 1)[1] + again.split('value="5"')[1].split(">")[0]
    )
    assert "Look at your review" in text_of(browser.get(f"/patient/appointments/{visit.id}"))
    client.sign_out()
    page = client.get(f"/doctors/{dr_benali.slug}").get_data(as_text=True)
    assert "Amina B." in page and "&lt;b&gt;Really&lt;/b&gt;" in page and "Boudiaf" not in page
    assert "1 review" in client.get("/doctors").get_data(as_text=True)


def test_a_visit_that_did_not_take_place_has_no_form(client: Any, amina: Any, dr_benali: Any, el_djazair: Any) -> None:
    made = booked(amina, dr_benali, el_djazair, amina.patient_id).id
    path, browser = f"/patient/appointments/{made}/review", client.sign_in(amina)
    assert path not in text_of(browser.get(f"/patient/appointments/{made}"))
    assert "once the visit has taken place" in text_of(browser.get(path))
    assert browser.post(path, data=SAID).status_code == 409


def test_who_only_looks_and_strangers_write_nothing(
    client: Any, visit: Any, amina: Any, yacine: Any, lina: Any
) -> None:
    path = f"/patient/appointments/{visit.id}/review"
    let(amina.patient_id, yacine, "view", by=amina)
    assert "not write about it" in text_of(client.sign_in(yacine).get(path))
    assert client.post(path, data=SAID).status_code == 403
    assert client.sign_in(lina).get(path).status_code == 404
    assert client.post(path, data=SAID).status_code == 404


def test_the_doctor_reads_and_answers(client: Any, visit: Any, amina: Any, dr_benali: Any, dr_haddad: Any) -> None:
    made = reviewed(amina, visit)
    path, browser = f"/doctor/reviews/{made.id}/answer", client.sign_in(dr_benali)
    assert path in text_of(browser.get("/doctor/reviews")) and path in text_of(browser.get("/doctor/reviews?show=open"))
    assert browser.get(path).status_code == 200
    assert browser.post(path, data={"answer": " "}).status_code == 422
    assert browser.post(path, data={"answer": "Thank you."}).status_code == 303
    assert path not in text_of(browser.get("/doctor/reviews?show=open"))
    assert "Thank you." in text_of(browser.get(f"/doctors/{dr_benali.slug}/reviews"))
    assert client.sign_in(dr_haddad).get(path).status_code == 404
    assert client.post(path, data={"answer": "No."}).status_code == 404
    assert "Thank you." in text_of(client.sign_in(amina).get(f"/patient/appointments/{visit.id}/review"))


def test_an_admin_hides_with_a_reason_which_the_patient_reads(
    client: Any, visit: Any, amina: Any, admin: Any, dr_benali: Any, nadia: Any
) -> None:
    made = reviewed(amina, visit, 1)
    path = f"/admin/reviews/{made.id}"
    assert client.sign_in(nadia).get("/admin/reviews").status_code == 403
    browser = client.sign_in(admin)
    assert f"{path}/hide" in text_of(browser.get("/admin/reviews"))
    assert browser.get(f"{path}/hide").status_code == 200
    assert browser.post(f"{path}/hide", data={"reason": ""}).status_code == 422
    assert browser.post(f"{path}/hide", data={"reason": "It names a nurse"}).status_code == 303
    assert f"{path}/show" in text_of(browser.get("/admin/reviews?show=hidden"))
    assert f"{path}/show" not in text_of(browser.get("/admin/reviews?show=shown"))
    assert "It names a nurse" in text_of(client.sign_in(dr_benali).get("/doctor/reviews"))
    assert "It names a nurse" in text_of(client.sign_in(amina).get(f"/patient/appointments/{visit.id}/review"))
    assert "No reviews yet" in text_of(client.get(f"/doctors/{dr_benali.slug}/reviews"))
    assert client.sign_in(admin).post(f"{path}/show").status_code == 303
    assert (session().get_one(Review, made.id).hidden_at, moderating.wrong_tallies()) == (None, [])


def test_reviews_come_page_by_page(client: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any) -> None:
    walls = [f"{hour:02}:{minute}" for hour in (8, 9, 10, 11, 13, 14) for minute in ("00", "30")]
    for wall, person in zip(walls, [amina, yacine] * 6, strict=True):
        reviewed(person, visit_of(person, dr_benali, el_djazair, wall))
    first = text_of(client.get(f"/doctors/{dr_benali.slug}/reviews"))
    assert first.count('class="review"') == 10 and 'rel="next"' in first
    following = first.split('rel="next" href="')[1].split('"')[0]
    assert text_of(client.get(following)).count('class="review"') == 2
    assert client.get(f"/doctors/{dr_benali.slug}/reviews?after=nonsense").status_code == 422


def test_a_doctor_changes_their_public_profile(client: Any, dr_benali: Any, amina: Any) -> None:
    browser = client.sign_in(dr_benali)
    assert "/doctor/profile" in text_of(browser.get("/account/profile"))
    page = text_of(browser.get("/doctor/profile"))
    number = page.split('name="licence_number"')[1].split('value="')[1].split('"')[0]
    about = {
        "title": "Dr", "given_name": "Samira", "family_name": "Benali", "licence_number": number, "gender": "female",
        "specialties": ["cardiology"], "languages": ["ar", "fr", "en"], "biography": "Listens to hearts.",
    }  # fmt: skip
    assert browser.post("/doctor/profile", data={**about, "specialties": []}).status_code == 422
    assert browser.post("/doctor/profile", data=about).status_code == 303
    assert "Listens to hearts." in text_of(browser.get(f"/doctors/{dr_benali.slug}"))
    waits = browser.post("/doctor/profile", data={**about, "licence_number": "DZ-NEW-1"}, follow_redirects=True)
    assert "DZ-NEW-1" in text_of(waits)  # waits for an admin, and what was verified stays shown
    assert client.sign_in(amina).get(f"/doctors/{dr_benali.slug}").status_code == 200
    assert client.get("/doctor/profile").status_code == 403

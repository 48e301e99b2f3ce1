"""The board in the waiting room and the page behind the sign at the entrance."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.access import acting
from portal.domain.clinics.models import Clinic
from portal.domain.day import arriving
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import HTMX, at


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Amina comes at nine; El Djazair has a board."""
    session().get_one(Clinic, el_djazair.clinic_id).has_board = True
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00"),
        reason="My heart races",
    )  # fmt: skip
    keep()
    return made


@pytest.fixture
def morning(standing_at: Any) -> Any:
    with standing_at(at("08:50")):
        yield


@pytest.fixture
def sign(el_djazair: Any) -> str:
    return f"/arrive/{el_djazair.slug}?sign={arriving.sign_of(session().get_one(Clinic, el_djazair.clinic_id))}"


def test_a_clinic_without_a_board_has_no_such_page(client: Any, wahran: Any, el_djazair: Any) -> None:
    assert client.get(f"/clinics/{wahran.slug}/board").status_code == 404
    assert client.get("/clinics/nowhere/board").status_code == 404


def test_the_board_shows_numbers_and_no_names(
    client: Any, visit: Any, nadia: Any, el_djazair: Any, morning: Any
) -> None:
    visits.check_in(nadia.actor, visit.id)
    visits.call(nadia.actor, visit.id)
    page = client.get(f"/clinics/{el_djazair.slug}/board")
    assert re.search(r"board-number[^>]*>1<", page.text)
    assert "Dr Samira Benali" in page.text
    for secret in ("Amina", "Boudiaf", "heart", visit.reference):
        assert secret not in page.text
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert 'name="robots" content="noindex"' in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text


def test_an_unchanged_board_is_answered_with_304(
    client: Any, visit: Any, nadia: Any, el_djazair: Any, morning: Any, statements: Any
) -> None:
    path = f"/clinics/{el_djazair.slug}/board"
    first = client.get(path, headers=HTMX)
    assert first.text.lstrip().startswith('<div id="board"')
    seen = {"If-None-Match": first.headers["ETag"]}
    with statements() as count:
        again = client.get(path, headers=HTMX | seen)
    assert (again.status_code, again.text) == (304, "")
    assert count() <= 5
    visits.check_in(nadia.actor, visit.id)
    assert client.get(path, headers=HTMX | seen).status_code == 200
    other = client.get(path, headers=HTMX | seen | {"Accept-Language": "ar"})
    assert other.status_code == 200


def test_the_sign_asks_for_reference_and_birth_date_and_shows_the_number(
    client: Any, visit: Any, sign: str, morning: Any
) -> None:
    assert "Reference" in client.get(sign).text
    answer = client.post(sign, data={"reference": visit.reference.lower(), "birth_date": "1990-05-17"})
    assert answer.status_code == 303
    html = client.get(answer.location).text
    assert 'class="ticket-number">1<' in html
    assert "You are next." in html
    assert "Amina" not in html
    fragment = client.get(answer.location, headers=HTMX)
    assert fragment.text.lstrip().startswith('<div id="waiting"')
    assert "hx-trigger" in fragment.text


def test_wrong_answers_are_said_on_the_form(client: Any, visit: Any, sign: str, morning: Any) -> None:
    wrong = client.post(sign, data={"reference": visit.reference, "birth_date": "1991-05-17"})
    assert wrong.status_code == 404
    assert "We found no visit here today" in wrong.text
    assert visit.reference in wrong.text
    assert client.post(sign, data={"reference": ""}).status_code == 422


def test_a_sign_that_is_none_leads_nowhere(client: Any, el_djazair: Any, sign: str) -> None:
    assert client.get(f"/arrive/{el_djazair.slug}").status_code == 410
    assert client.get(sign[:-1]).status_code == 410
    assert client.get("/arrive/nowhere?sign=x").status_code == 404
    assert client.get(f"/arrive/{el_djazair.slug}/made-up").status_code == 410


def test_whoever_is_signed_in_presses_one_button(client: Any, visit: Any, amina: Any, sign: str, morning: Any) -> None:
    client.sign_in(amina)
    assert str(visit.id) in client.get(sign).text
    answer = client.post(sign, data={"appointment_id": visit.id})
    assert answer.status_code == 303
    assert "Your number: 1" in client.get(sign).text


def test_too_early_is_said_on_the_page(client: Any, visit: Any, amina: Any, sign: str, standing_at: Any) -> None:
    with standing_at(at("07:30")):
        answer = client.sign_in(amina).post(sign, data={"appointment_id": visit.id})
        assert answer.status_code == 409
        assert "one hour before your visit" in answer.text


def test_somebody_elses_visit_is_not_checked_in(client: Any, visit: Any, yacine: Any, sign: str, morning: Any) -> None:
    assert client.sign_in(yacine).post(sign, data={"appointment_id": visit.id}).status_code == 404
    client.sign_out()
    assert client.post(sign, data={"appointment_id": visit.id}).status_code == 404
    assert session().get_one(Appointment, visit.id).status == "confirmed"


def test_the_link_in_a_message_shows_first_and_acts_on_a_button(
    client: Any, visit: Any, amina: Any, morning: Any
) -> None:
    path = acting.link("check_in", patient_id=amina.patient_id, subject_id=visit.id)
    client.sign_in(amina)
    assert "I am here" in client.get(path).text
    assert session().get_one(Appointment, visit.id).status == "confirmed"
    answer = client.post(path)
    assert answer.status_code == 303
    assert 'class="ticket-number">1<' in client.get(answer.location).text

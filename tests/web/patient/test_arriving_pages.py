"""The day of a visit on its patient's page."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import HTMX, at


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    return made


def test_the_button_appears_when_the_visit_is_near(client: Any, amina: Any, visit: Any, standing_at: Any) -> None:
    client.sign_in(amina)
    assert "I have arrived" not in client.get(f"/patient/appointments/{visit.id}").text
    with standing_at(at("08:15")):
        client.sign_in(amina)
        assert "I have arrived" in client.get(f"/patient/appointments/{visit.id}").text


def test_the_number_and_the_wait_follow(client: Any, amina: Any, nadia: Any, visit: Any, standing_at: Any) -> None:
    path = f"/patient/appointments/{visit.id}/arriving"
    with standing_at(at("08:50")):
        client.sign_in(amina)
        swapped = client.post(path, headers=HTMX)
        assert swapped.text.lstrip().startswith('<div id="arriving"')
        assert "You are next." in swapped.text
        assert "up to 10 minutes" in swapped.text
        assert "Your number is 1." in swapped.headers["HX-Trigger"]
        assert client.post(path).location == f"/patient/appointments/{visit.id}"
        visits.call(nadia.actor, visit.id)
        assert "Please come in" in client.get(path, headers=HTMX).text
        assert client.get(path).status_code == 303


def test_too_early_is_said_and_changes_nothing(client: Any, amina: Any, visit: Any) -> None:
    client.sign_in(amina)
    for headers in ({}, HTMX):
        answer = client.post(f"/patient/appointments/{visit.id}/arriving", headers=headers)
        assert answer.status_code == 409
        assert "It is too early." in answer.text
    assert session().get_one(Appointment, visit.id).status == "confirmed"


def test_a_strangers_visit_does_not_exist(client: Any, yacine: Any, visit: Any) -> None:
    client.sign_in(yacine)
    assert client.get(f"/patient/appointments/{visit.id}/arriving").status_code == 404
    assert client.post(f"/patient/appointments/{visit.id}/arriving").status_code == 404


def test_home_leads_back_to_the_visit_that_is_under_way(
    client: Any, amina: Any, yacine: Any, nadia: Any, visit: Any, standing_at: Any
) -> None:
    with standing_at(at("08:50")):
        assert "You are at the clinic" not in client.sign_in(amina).get("/patient/home").text
        visits.check_in(nadia.actor, visit.id)
        html = client.get("/patient/home").text
        assert "You are at the clinic" in html
        assert "Number 1" in html
        assert "You are at the clinic" not in client.sign_in(yacine).get("/patient/home").text

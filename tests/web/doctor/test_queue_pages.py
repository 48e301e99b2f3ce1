"""A doctor's today: who is here, call next, and what was left open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.day import walk_ins
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import HTMX, at, make_patient, register_at

MOST_STATEMENTS = 12


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    return made


def test_the_queue_is_driven_from_today(
    client: Any, dr_benali: Any, nadia: Any, visit: Any, el_djazair: Any, standing_at: Any
) -> None:
    with standing_at(at("08:55")):
        client.sign_in(dr_benali)
        assert "Who is here" not in client.get("/doctor/today").text
        visits.check_in(nadia.actor, visit.id)
        html = client.get("/doctor/today").text
        for expected in ("Who is here", "Call next: 1", "here since 08:55", "Amina Boudiaf"):
            assert expected in html
        asked = {"clinic_id": el_djazair.clinic_id, "doctor_id": dr_benali.doctor_id, "expected": visit.id}
        called = client.post("/doctor/call-next", data=asked, headers=HTMX)
        assert "called at 08:55" in called.text
        stale = client.post("/doctor/call-next", data=asked, headers=HTMX)
        assert stale.status_code == 409
        for step in ("send-back", "start", "send-back", "start", "complete"):
            answer = client.post(f"/doctor/appointments/{visit.id}/{step}", data={"from": "day"}, headers=HTMX)
            assert answer.status_code == 200, (step, answer.text)
    assert session().get_one(Appointment, visit.id).status == "completed"


def test_nobody_else_calls_for_the_doctor(
    client: Any, dr_haddad: Any, dr_benali: Any, visit: Any, el_djazair: Any, standing_at: Any, nadia: Any
) -> None:
    with standing_at(at("08:55")):
        visits.check_in(nadia.actor, visit.id)
        asked = {"clinic_id": el_djazair.clinic_id, "doctor_id": dr_benali.doctor_id}
        assert client.sign_in(dr_haddad).post("/doctor/call-next", data=asked).status_code == 404
    assert session().get_one(Appointment, visit.id).called_at is None


def test_what_was_left_open_is_shown_the_next_day_until_it_is_closed(
    client: Any, dr_benali: Any, visit: Any, standing_at: Any
) -> None:
    with standing_at(at("09:00")):
        visits.check_in(dr_benali.actor, visit.id)
        visits.start(dr_benali.actor, visit.id)
        keep()
        assert "Still open" not in client.sign_in(dr_benali).get("/doctor/today").text
    with standing_at(at("08:00") + timedelta(days=1)):
        html = client.sign_in(dr_benali).get("/doctor/today").text
        assert "Still open from an earlier day" in html
        assert f"/doctor/appointments/{visit.id}/complete" in html
        client.post(f"/doctor/appointments/{visit.id}/complete", data={"from": "day"})
        assert "Still open" not in client.get("/doctor/today").text


def test_a_full_morning_takes_few_statements(
    client: Any, dr_benali: Any, nadia: Any, visit: Any, el_djazair: Any, standing_at: Any, statements: Any
) -> None:
    from portal.domain.clinics.models import Clinic

    with standing_at(at("08:55")):
        visits.check_in(nadia.actor, visit.id)
        for number in range(6):
            patient = make_patient(given_name="Guest", family_name=f"Number{number}")
            register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
            keep()
            walk_ins.add(
                nadia.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id,
                patient_id=patient.id,
            )  # fmt: skip
        client.sign_in(dr_benali)
        with statements() as count:
            assert client.get("/doctor/today").text.count('class="turn ') == 7
        assert count() <= MOST_STATEMENTS

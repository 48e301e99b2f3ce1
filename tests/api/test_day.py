"""The day of a visit for programs: arriving, the steps to its end, who goes next, walk-ins, the board."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Registration
from tests.api.conftest import Program, problem
from tests.builders import at


@pytest.fixture
def visits(api: Program, amina: Any, yacine: Any, wish: Any) -> dict[str, str]:
    """Amina at nine, Yacine at half past."""
    return {
        name: api.as_(person).post("/appointments", wish(wall)).get_json()["id"]
        for name, person, wall in (("amina", amina, "09:00"), ("yacine", yacine, "09:30"))
    }


@pytest.fixture
def nine(visits: dict[str, str]) -> Any:
    """It is nine o'clock on the day of the visits."""
    with standing_at(at("09:00", 3)):
        yield


pytestmark = pytest.mark.usefixtures("nine")


def test_a_visit_goes_its_way(api: Program, nadia: Any, dr_benali: Any, visits: Any) -> None:
    path, desk, doctor = f"/appointments/{visits['amina']}", api.as_(nadia), api.as_(dr_benali)
    here = desk.post(f"{path}/check-in").get_json()
    assert (here["status"], here["queue_number"], here["goes_first"]) == ("checked_in", 1, False)
    assert here["checked_in_at"].endswith("T09:00:00+01:00")
    assert desk.post(f"{path}/call").get_json()["called_at"]
    assert doctor.post(f"{path}/start").get_json()["status"] == "in_progress"
    assert doctor.post(f"{path}/send-back").get_json()["status"] == "checked_in"
    assert doctor.post(f"{path}/start").get_json()["started_at"]
    assert doctor.post(f"{path}/complete").get_json()["status"] == "completed"
    assert doctor.post(f"{path}/take-back").get_json()["status"] == "in_progress"
    assert doctor.post(f"{path}/complete").get_json()["ended_by"] == "doctor"


def test_steps_are_refused_out_of_turn(api: Program, nadia: Any, visits: Any) -> None:
    path, desk = f"/appointments/{visits['yacine']}", api.as_(nadia)
    for step in ("call", "start", "complete", "send-back", "to-front", "from-front", "take-back"):
        problem(desk.post(f"{path}/{step}"), 409, "wrong_state")
    problem(desk.post(f"{path}/no-show"), 409, "too_early")
    with standing_at(clock.now() - timedelta(days=1)):
        problem(api.as_(nadia).post(f"{path}/check-in"), 409, "too_early")


def test_who_did_not_come_is_marked_and_may_come_after_all(api: Program, nadia: Any, visits: Any) -> None:
    path, desk = f"/appointments/{visits['amina']}", api.as_(nadia)
    assert desk.post(f"{path}/no-show").get_json()["status"] == "no_show"
    assert desk.post(f"{path}/check-in").get_json()["status"] == "checked_in"


def test_who_cannot_wait_goes_first(api: Program, nadia: Any, el_djazair: Any, visits: Any) -> None:
    desk = api.as_(nadia)
    for name in ("amina", "yacine"):
        desk.post(f"/appointments/{visits[name]}/check-in")
    first = desk.post(f"/appointments/{visits['yacine']}/to-front", {"code": "cannot_wait"})
    assert first.get_json()["goes_first"]
    assert line(desk, el_djazair) == [visits["yacine"], visits["amina"]]
    desk.post(f"/appointments/{visits['yacine']}/from-front")
    assert line(desk, el_djazair) == [visits["amina"], visits["yacine"]]
    problem(desk.post(f"/appointments/{visits['yacine']}/to-front", {"code": "x"}), 422, "invalid")


def line(desk: Program, place: Any) -> list[str]:
    (queue,) = desk.get(f"/clinics/{place.clinic_id}/queue").get_json()["items"]
    return [one["visit"]["id"] for one in queue["waiting"]]


def test_the_queue_tells_who_waits_how_long(
    api: Program, nadia: Any, dr_benali: Any, el_djazair: Any, visits: Any
) -> None:
    desk = api.as_(nadia)
    desk.post(f"/appointments/{visits['amina']}/check-in")
    for program, path in (
        (desk, f"/clinics/{el_djazair.clinic_id}/queue"),
        (desk, f"/clinics/{el_djazair.clinic_id}/queue?doctor_id={dr_benali.doctor_id}"),
        (desk, f"/doctors/{dr_benali.doctor_id}/queue"),
        (api.as_(dr_benali), f"/doctors/{dr_benali.doctor_id}/queue"),
    ):
        (queue,) = program.get(path).get_json()["items"]
        assert queue["doctor"]["id"] == str(dr_benali.doctor_id)
        assert [one["visit"]["id"] for one in queue["waiting"]] == [visits["amina"]]
        assert queue["waiting"][0]["wait"]["words"] and queue["waiting"][0]["before"] == 0
        assert [one["id"] for one in queue["expected"]] == [visits["yacine"]]
    assert desk.get(f"/clinics/{el_djazair.clinic_id}/queue?date=2030-01-01").get_json()["items"] == []
    problem(desk.get(f"/clinics/{el_djazair.clinic_id}/queue?date=1030-01-01"), 422, "invalid")


def test_two_who_call_at_once_call_one(api: Program, nadia: Any, dr_benali: Any, el_djazair: Any, visits: Any) -> None:
    desk, path = api.as_(nadia), f"/clinics/{el_djazair.clinic_id}/call-next"
    body = {"doctor_id": str(dr_benali.doctor_id)}
    problem(desk.post(path, body), 409, "nobody_waits")
    desk.post(f"/appointments/{visits['amina']}/check-in")
    seen = body | {"expected": visits["amina"]}
    assert desk.post(path, seen).get_json()["id"] == visits["amina"]
    problem(desk.post(path, seen), 409, "called_meanwhile")


def test_a_patient_says_that_they_are_here_and_sees_their_turn(api: Program, amina: Any, visits: Any) -> None:
    program, path = api.as_(amina), f"/appointments/{visits['amina']}"
    before = program.get(f"{path}/standing").get_json()
    assert (before["may_arrive"], before["number"], before["wait"]) == (True, None, None)
    here = program.post(f"{path}/arrive").get_json()
    assert (here["status"], here["number"], here["before"], here["may_arrive"]) == ("checked_in", 1, 0, False)
    assert program.get(f"{path}/standing").get_json() == here
    assert program.post(f"{path}/arrive").get_json() == here


def test_arriving_too_early_or_late_is_refused(api: Program, amina: Any, visits: Any) -> None:
    path = f"/appointments/{visits['amina']}/arrive"
    with standing_at(clock.now() - timedelta(minutes=61)):
        problem(api.as_(amina).post(path), 409, "too_early")
    with standing_at(clock.now() + timedelta(minutes=61)):
        problem(api.as_(amina).post(path), 409, "ask_desk")


@pytest.mark.parametrize("who", ["yacine", "dr_haddad", "kamel"])
def test_a_stranger_s_day_is_not_there(
    api: Program, who: str, visits: Any, el_djazair: Any, dr_benali: Any, request: pytest.FixtureRequest
) -> None:
    program, path = api.as_(request.getfixturevalue(who)), f"/appointments/{visits['amina']}"
    steps = ("check-in", "call", "start", "complete", "no-show", "take-back", "send-back", "to-front", "from-front")
    for step in (*steps, "arrive"):
        problem(program.post(f"{path}/{step}"), 404, "not_found")
    problem(program.get(f"{path}/standing"), 404, "not_found")
    problem(program.get(f"/clinics/{el_djazair.clinic_id}/queue"), 404, "not_found")
    problem(program.get(f"/doctors/{dr_benali.doctor_id}/queue"), 404, "not_found")
    body = {"doctor_id": str(dr_benali.doctor_id)}
    problem(program.post(f"/clinics/{el_djazair.clinic_id}/call-next", body), 404, "not_found")


def test_a_patient_takes_no_step_of_the_clinic(api: Program, amina: Any, dr_benali: Any, visits: Any) -> None:
    path = f"/appointments/{visits['amina']}"
    problem(api.as_(amina).post(f"{path}/check-in"), 403, "forbidden")
    problem(api.as_(dr_benali).post(f"{path}/arrive"), 403, "forbidden")
    reader = api.as_(dr_benali, scopes=["appointments:read"])
    problem(reader.post(f"{path}/start"), 403, "insufficient_scope")


def test_somebody_without_a_booking_is_put_on_the_list_once(
    api: Program, nadia: Any, lina: Any, dr_benali: Any, el_djazair: Any, kamel: Any, amina: Any
) -> None:
    session().add(Registration(patient_id=lina.patient_id, clinic_id=el_djazair.clinic_id))
    keep()
    desk = api.as_(nadia)
    body = {
        "practice_id": str(dr_benali.practice_id),
        "visit_type_id": str(el_djazair.consultation_id),
        "patient_id": str(lina.patient_id),
        "urgent": True,
    }
    made = desk.post("/walk-ins", body)
    said = made.get_json()
    assert made.status_code == 201 and made.headers["Location"] == f"/api/v1/appointments/{said['id']}"
    assert said["is_walk_in"] and said["goes_first"] and said["status"] == "checked_in"
    assert problem(desk.post("/walk-ins", body), 409, "already_on_the_list")["appointment_id"] == said["id"]
    problem(desk.post("/walk-ins", body | {"visit_type_id": str(el_djazair.follow_up_id)}), 409, "not_in_person")
    for person in (kamel, amina):
        problem(api.as_(person).post("/walk-ins", body), 404, "not_found")
    assert desk.post(f"/appointments/{said['id']}/take-back").get_json()["status"] == "cancelled"


def test_the_board_shows_numbers_to_everybody_where_there_is_one(
    api: Program, nadia: Any, el_djazair: Any, visits: Any
) -> None:
    path = f"/clinics/{el_djazair.clinic_id}/board"
    problem(api.get(path), 404, "not_found")
    session().get_one(Clinic, el_djazair.clinic_id).has_board = True
    keep()
    api.as_(nadia).post(f"/appointments/{visits['amina']}/check-in")
    answer = api.get(path)
    (shown,) = answer.get_json()["lines"]
    assert (shown["waiting"], shown["called"], shown["further"]) == ([1], [], 0)
    assert "Amina" not in answer.get_data(as_text=True) and visits["amina"] not in answer.get_data(as_text=True)

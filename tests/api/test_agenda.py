"""Lists for those who arrange visits: the clinic's desk, the doctor; what happened, and booking over what is there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Program, problem
from tests.builders import at, working_day


@pytest.fixture
def booked(api: Program, amina: Any, yacine: Any, wish: Any) -> dict[str, str]:
    """Amina at nine, Yacine at ten, both with Dr Benali; Yacine calls off."""
    ids = {}
    for name, person, wall in (("amina", amina, "09:00"), ("yacine", yacine, "10:00")):
        ids[name] = api.as_(person).post("/appointments", wish(wall)).get_json()["id"]
    assert api.as_(yacine).post(f"/appointments/{ids['yacine']}/cancel", {}).status_code == 200
    return ids


def ids_of(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [one["id"] for one in answer.get_json()["items"]]


def test_the_desk_lists_filters_sorts_and_goes_on(
    api: Program, nadia: Any, amina: Any, dr_benali: Any, el_djazair: Any, booked: Any
) -> None:
    program, path = api.as_(nadia), f"/clinics/{el_djazair.clinic_id}/appointments"
    both = [booked["amina"], booked["yacine"]]
    assert ids_of(program.get(path)) == both
    assert ids_of(program.get(f"{path}?sort=-starts_at")) == both[::-1]
    assert ids_of(program.get(f"{path}?status=confirmed,pending")) == both[:1]
    assert ids_of(program.get(f"{path}?patient_id={amina.patient_id}")) == both[:1]
    assert ids_of(program.get(f"{path}?doctor_id={dr_benali.doctor_id}")) == both
    assert ids_of(program.get(f"{path}?doctor_id={amina.patient_id}")) == []
    day = working_day(3)
    assert ids_of(program.get(f"{path}?from={day}&to={day}")) == both
    assert ids_of(program.get(f"{path}?to={working_day(2)}")) == ([] if working_day(2) != day else both)
    for sort, order in (("starts_at", both), ("-starts_at", both[::-1])):
        first = program.get(f"{path}?limit=1&sort={sort}")
        second = program.get(f"{path}?limit=1&sort={sort}&after={first.get_json()['next']}")
        assert ids_of(first) + ids_of(second) == order and second.get_json()["next"] is None


def test_a_doctor_lists_their_own_visits_and_their_desk_does_too(
    api: Program, dr_benali: Any, nadia: Any, booked: Any
) -> None:
    path = f"/doctors/{dr_benali.doctor_id}/appointments?status=confirmed"
    for person in (dr_benali, nadia):
        assert ids_of(api.as_(person).get(path)) == [booked["amina"]]


@pytest.mark.parametrize("who", ["amina", "yacine", "dr_haddad", "kamel"])
def test_others_lists_are_not_there(
    api: Program, who: str, dr_benali: Any, el_djazair: Any, booked: Any, request: pytest.FixtureRequest
) -> None:
    program = api.as_(request.getfixturevalue(who))
    problem(program.get(f"/doctors/{dr_benali.doctor_id}/appointments"), 404, "not_found")
    problem(program.get(f"/clinics/{el_djazair.clinic_id}/appointments"), 404, "not_found")
    answer = program.get(f"/practices/{dr_benali.practice_id}/collisions", query_string=asked(el_djazair, "09:00"))
    problem(answer, 403, "forbidden")


def test_a_token_for_something_else_lists_nothing(api: Program, nadia: Any, dr_benali: Any, el_djazair: Any) -> None:
    program = api.as_(nadia, scopes=["profile:read"])
    for path in (f"/clinics/{el_djazair.clinic_id}/appointments", f"/doctors/{dr_benali.doctor_id}/appointments"):
        problem(program.get(path), 403, "insufficient_scope")


@pytest.mark.parametrize("query", ["status=gone", "status=confirmed,", "from=1400-01-01", "sort=name", "limit=0"])
def test_questions_that_make_no_sense_are_refused(api: Program, nadia: Any, el_djazair: Any, query: str) -> None:
    problem(api.as_(nadia).get(f"/clinics/{el_djazair.clinic_id}/appointments?{query}"), 422, "invalid")
    back = (
        f"from={working_day(3)}&to={working_day(2)}"
        if working_day(2) < working_day(3)
        else "from=2027-02-02&to=2027-01-01"
    )
    problem(api.as_(nadia).get(f"/clinics/{el_djazair.clinic_id}/appointments?{back}"), 422, "invalid")


def test_what_happened_is_told_to_whom_it_concerns(
    api: Program, amina: Any, yacine: Any, nadia: Any, booked: Any
) -> None:
    path = f"/appointments/{booked['amina']}/history"
    moved = {"starts_at": at("11:00", 3).isoformat()}
    assert api.as_(nadia).post(f"/appointments/{booked['amina']}/reschedule", moved).status_code == 200
    for person in (amina, nadia):
        told = api.as_(person).get(path).get_json()["items"]
        assert [one["code"] for one in told] == ["appointment.booked", "appointment.moved"]
        assert [one["by"] for one in told] == ["Amina Boudiaf", "Nadia Slimani"]
        assert told[1]["was"].endswith("T09:00:00+01:00") and told[0]["was"] is None
    problem(api.as_(yacine).get(path), 404, "not_found")


def test_a_patient_s_list_is_narrowed_to_those_they_look_after(
    api: Program, amina: Any, yacine: Any, booked: Any
) -> None:
    program = api.as_(amina)
    assert ids_of(program.get(f"/appointments?patient_id={amina.patient_id}")) == [booked["amina"]]
    problem(program.get(f"/appointments?patient_id={yacine.patient_id}"), 404, "not_found")


def asked(place: Any, wall: str, **more: Any) -> dict[str, str]:
    return {"visit_type_id": str(place.consultation_id), "starts_at": at(wall, 3).isoformat()} | more


def test_the_desk_books_over_what_it_has_seen(
    api: Program, nadia: Any, yacine: Any, amina: Any, dr_benali: Any, el_djazair: Any, booked: Any, wish: Any
) -> None:
    program, path = api.as_(nadia), f"/practices/{dr_benali.practice_id}/collisions"
    (found,) = program.get(path, query_string=asked(el_djazair, "09:00")).get_json()["items"]
    assert (found["appointment_id"], found["is_final"]) == (booked["amina"], False) and found["detail"]
    assert program.get(path, query_string=asked(el_djazair, "13:30")).get_json()["items"] == []
    body = wish("09:00", patient_id=str(yacine.patient_id))
    problem(program.post("/appointments", body), 409, "taken")
    problem(program.post("/appointments", body | {"overbook": "Very worried"}), 409, "more_in_the_way")
    made = program.post("/appointments", body | {"overbook": "Very worried", "seen": [found["key"]]})
    assert made.status_code == 201 and made.get_json()["patient"]["id"] == str(yacine.patient_id)
    problem(api.as_(amina).post("/appointments", body | {"overbook": "x"}), 403, "forbidden")
    problem(program.post("/appointments", wish() | {"overbook": "x"}), 422, "invalid")


def test_the_desk_moves_a_visit_over_what_it_has_seen(
    api: Program, nadia: Any, yacine: Any, dr_benali: Any, el_djazair: Any, booked: Any, wish: Any
) -> None:
    program = api.as_(nadia)
    other = api.as_(yacine).post("/appointments", wish("11:00")).get_json()["id"]
    query = asked(el_djazair, "09:00", moving_id=other)
    found = program.get(f"/practices/{dr_benali.practice_id}/collisions", query_string=query).get_json()["items"]
    body = {"starts_at": at("09:00", 3).isoformat(), "overbook": "Agreed on the phone"}
    problem(program.post(f"/appointments/{other}/reschedule", body), 409, "more_in_the_way")
    moved = program.post(f"/appointments/{other}/reschedule", body | {"seen": [one["key"] for one in found]})
    assert moved.status_code == 200 and moved.get_json()["version"] == 2

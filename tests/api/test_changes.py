"""Leave over booked visits, by programs: planned, decided, applied, and answered by the patients."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Program, problem
from tests.builders import working_day


@pytest.fixture
def visit(api: Program, amina: Any, wish: Any) -> str:
    return str(api.as_(amina).post("/appointments", wish()).get_json()["id"])


@pytest.fixture
def leave(dr_benali: Any) -> dict[str, Any]:
    """The body that plans a day off for Dr Benali on the day of the visit."""
    day = str(working_day(3))
    return {"kind": "close_doctor", "of": str(dr_benali.doctor_id), "closure": {"first": day, "last": day}}


@pytest.fixture
def plan(api: Program, dr_benali: Any, leave: Any, visit: str) -> dict[str, Any]:
    made = api.as_(dr_benali).post("/changes", leave)
    assert made.status_code == 201, made.get_data(as_text=True)
    said: dict[str, Any] = made.get_json()
    assert made.headers["Location"] == f"/api/v1/changes/{said['id']}"
    return said


def test_a_plan_holds_a_time_for_every_visit_and_saves_nothing(
    api: Program, dr_benali: Any, nadia: Any, leave: Any, plan: Any, visit: str
) -> None:
    (hit,) = plan["proposals"]
    assert (plan["state"], hit["appointment"]["id"], hit["decision"]) == ("draft", visit, "move")
    assert hit["starts_at"].endswith("+01:00") and hit["doctor"]["id"] == str(dr_benali.doctor_id)
    assert api.as_(dr_benali).post("/changes", leave).get_json()["id"] == plan["id"]
    assert [one["id"] for one in api.as_(nadia).get("/changes").get_json()["items"]] == [plan["id"]]
    assert api.as_(dr_benali).get(f"/doctors/{dr_benali.doctor_id}/closures").get_json()["items"] == []


def test_a_patient_accepts_the_proposed_time(api: Program, dr_benali: Any, amina: Any, plan: Any) -> None:
    assert api.as_(amina).get("/proposals").get_json()["items"] == []
    applied = api.as_(dr_benali).post(f"/changes/{plan['id']}/apply", {}).get_json()
    assert (applied["state"], applied["counts"]) == ("applied", {"open": 1})
    (asked,) = api.as_(amina).get("/proposals").get_json()["items"]
    path = f"/proposals/{asked['id']}"
    moved = [api.as_(amina).post(f"{path}/accept") for _ in range(2)]
    assert [one.status_code for one in moved] == [200, 200]
    assert moved[0].get_json()["starts_at"] == asked["starts_at"] == plan["proposals"][0]["starts_at"]
    assert api.as_(amina).get("/proposals").get_json()["items"] == []
    problem(api.as_(amina).post(f"{path}/call-off"), 409, "answered")
    problem(api.as_(amina).get(f"{path}/choices"), 409, "answered")
    problem(api.as_(dr_benali).post(f"/changes/{plan['id']}/apply", {}), 410, "change_over")
    problem(api.as_(dr_benali).delete(f"/changes/{plan['id']}"), 410, "change_over")


def test_a_patient_chooses_another_time_or_calls_it_off(
    api: Program, dr_benali: Any, amina: Any, yacine: Any, leave: Any, wish: Any, plan: Any
) -> None:
    other = api.as_(yacine).post("/appointments", wish("10:00"))
    assert other.status_code == 201
    problem(api.as_(dr_benali).post(f"/changes/{plan['id']}/apply", {}), 409, "look_again")
    renewed = api.as_(dr_benali).post(f"/changes/{plan['id']}/renew").get_json()
    decisions = [{"proposal_id": one["id"], "decision": "choose"} for one in renewed["proposals"]]
    decided = api.as_(dr_benali).send("PATCH", f"/changes/{plan['id']}", {"decisions": decisions}).get_json()
    assert {one["decision"] for one in decided["proposals"]} == {"choose"}
    assert api.as_(dr_benali).post(f"/changes/{plan['id']}/apply", {}).status_code == 200
    (mine,) = api.as_(amina).get("/proposals").get_json()["items"]
    free = api.as_(amina).get(f"/proposals/{mine['id']}/choices").get_json()
    time = free["items"][0]["starts_at"] if free["items"] else free["next_free"]["starts_at"]
    moved = api.as_(amina).post(f"/proposals/{mine['id']}/choose", {"starts_at": time})
    assert moved.get_json()["starts_at"] == time
    (his,) = api.as_(yacine).get("/proposals").get_json()["items"]
    assert api.as_(yacine).post(f"/proposals/{his['id']}/call-off").get_json()["status"] == "cancelled"


def test_another_time_is_held_and_the_plan_dropped(api: Program, dr_benali: Any, plan: Any) -> None:
    program, (hit,) = api.as_(dr_benali), plan["proposals"]
    free = program.get(f"/proposals/{hit['id']}/times?near={working_day(4)}").get_json()["items"]
    time = next(one["starts_at"] for one in free if one["starts_at"] != hit["starts_at"])
    (now,) = program.post(f"/proposals/{hit['id']}/propose", {"starts_at": time}).get_json()["proposals"]
    assert now["starts_at"] == time
    day_off = f"{working_day(3)}T09:00:00+01:00"
    problem(program.post(f"/proposals/{hit['id']}/propose", {"starts_at": day_off}), 409, "leave")
    assert program.delete(f"/changes/{plan['id']}").status_code == 204
    assert program.get("/changes").get_json()["items"] == []


def test_opening_hours_are_planned_too(api: Program, dr_benali: Any, visit: str) -> None:
    program, day = api.as_(dr_benali), working_day(3).weekday()
    openings = program.get(f"/practices/{dr_benali.practice_id}/openings").get_json()["items"]
    (morning,) = [one["id"] for one in openings if one["weekday"] == day and one["ends"] == "12:00"]
    for body in (
        {"kind": "opening_removed", "of": morning},
        {"kind": "opening_break", "of": morning, "break": {"starts": "08:30", "ends": "10:00"}},
        {"kind": "opening_changed", "of": morning, "opening": {"weekday": day, "starts": "10:00", "ends": "12:00"}},
    ):
        said = program.post("/changes", body).get_json()
        assert [one["appointment"]["id"] for one in said["proposals"]] == [visit], body
    assert program.post(f"/changes/{said['id']}/apply", {}).status_code == 200
    assert program.get(f"/openings/{morning}").get_json()["starts"] == "10:00"


def test_a_plan_without_its_part_is_refused(api: Program, dr_benali: Any, leave: Any, plan: Any) -> None:
    program = api.as_(dr_benali)
    for wrong in ({"closure": None}, {"kind": "opening_removed"}, {"kind": "practice_ended"}, {"break": {}}):
        problem(program.post("/changes", leave | wrong), 422, "invalid")
    no = {"decisions": [{"proposal_id": plan["proposals"][0]["id"], "decision": "forget"}]}
    problem(program.post(f"/changes/{plan['id']}/apply", no), 422, "invalid")


@pytest.mark.parametrize("who", ["yacine", "kamel", "dr_haddad"])
def test_another_s_change_is_not_there(
    api: Program, who: str, dr_benali: Any, leave: Any, plan: Any, request: pytest.FixtureRequest
) -> None:
    program, key = api.as_(request.getfixturevalue(who)), plan["proposals"][0]["id"]
    problem(program.post("/changes", leave), 404, "not_found")
    problem(program.get(f"/changes/{plan['id']}"), 404, "not_found")
    problem(program.send("PATCH", f"/changes/{plan['id']}", {}), 404, "not_found")
    for path in (f"changes/{plan['id']}/apply", f"changes/{plan['id']}/renew"):
        problem(program.post(f"/{path}", {}), 404, "not_found")
    problem(program.delete(f"/changes/{plan['id']}"), 404, "not_found")
    time = {"starts_at": "2027-03-31T09:00:00+01:00"}
    problem(program.get(f"/proposals/{key}/times"), 404, "not_found")
    problem(program.post(f"/proposals/{key}/propose", time), 404, "not_found")
    assert api.as_(dr_benali).post(f"/changes/{plan['id']}/apply", {}).status_code == 200
    problem(program.get(f"/proposals/{key}/choices"), 404, "not_found")
    for path in ("accept", "call-off"):
        problem(program.post(f"/proposals/{key}/{path}"), 404, "not_found")
    problem(program.post(f"/proposals/{key}/choose", time), 404, "not_found")


def test_a_plan_is_not_the_patient_s_to_read(api: Program, amina: Any, plan: Any, leave: Any) -> None:
    problem(api.as_(amina).get(f"/changes/{plan['id']}"), 404, "not_found")
    problem(api.as_(amina).post(f"/proposals/{plan['proposals'][0]['id']}/accept"), 404, "not_found")
    problem(api.as_(amina, scopes=["appointments:write"]).post("/changes", leave), 403, "insufficient_scope")

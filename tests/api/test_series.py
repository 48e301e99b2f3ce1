"""Series of visits and invitations to book, by programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Program, problem
from tests.builders import at, working_day


@pytest.fixture
def wished(dr_benali: Any, el_djazair: Any, amina: Any) -> dict[str, str]:
    """The query of a weekly consultation of Amina's, three times."""
    return {
        "practice_id": str(dr_benali.practice_id),
        "visit_type_id": str(el_djazair.consultation_id),
        "patient_id": str(amina.patient_id),
        "starts_at": at("09:00", 3).isoformat(),
        "every": "1",
        "unit": "weeks",
        "count": "3",
    }


def body_of(wished: dict[str, str], plan: dict[str, Any]) -> dict[str, Any]:
    kept = {name: wished[name] for name in ("practice_id", "visit_type_id", "patient_id")}
    return kept | {"every_days": plan["every_days"], "times": [one["chosen"] for one in plan["dates"]]}


def test_a_series_is_looked_at_booked_and_called_off(
    api: Program, nadia: Any, amina: Any, yacine: Any, wished: Any, wish: Any
) -> None:
    api.as_(yacine).post("/appointments", wish())
    api.as_(amina).post("/appointments", wish("15:30"))
    desk = api.as_(nadia)
    plan = desk.get("/series/plan", query_string=wished).get_json()
    assert (plan["every_days"], plan["free"], plan["is_whole"]) == (7, 2, True)
    assert plan["dates"][0]["code"] == "taken" and plan["dates"][0]["others"] and plan["dates"][0]["detail"]
    made = desk.post("/series", body_of(wished, plan))
    said = made.get_json()
    assert made.status_code == 201 and len(said["items"]) == 3
    assert {one["series_id"] for one in said["items"]} == {said["id"]}
    middle = said["items"][1]["id"]
    assert api.as_(amina).get(f"/appointments/{middle}/series").get_json() == said
    problem(api.as_(yacine).get(f"/appointments/{middle}/series"), 404, "not_found")
    problem(api.as_(yacine).post(f"/appointments/{middle}/series/cancel", {}), 404, "not_found")
    problem(desk.post(f"/appointments/{middle}/series/cancel", {"version": 7}), 409, "stale_version")
    ended = desk.post(f"/appointments/{middle}/series/cancel", {"code": "doctor_away"}).get_json()["items"]
    assert [one["id"] for one in ended] == [one["id"] for one in said["items"][1:]]
    assert desk.get(f"/appointments/{said['items'][0]['id']}").get_json()["status"] == "confirmed"
    problem(desk.post(f"/appointments/{middle}/series/cancel", {}), 409, "wrong_state")


def test_a_series_is_booked_whole_or_not_at_all(api: Program, amina: Any, yacine: Any, wished: Any, wish: Any) -> None:
    program = api.as_(amina)
    plan = program.get("/series/plan", query_string=wished).get_json()
    assert plan["free"] == 3
    api.as_(yacine).post("/appointments", wish())
    no = problem(program.post("/series", body_of(wished, plan)), 409, "series_not_booked")
    assert no["reason"] == "taken" and no["alternatives"]
    assert program.get("/appointments").get_json()["items"] == []


def test_a_series_for_another_or_without_sense_is_refused(
    api: Program, yacine: Any, kamel: Any, amina: Any, wished: Any, wish: Any
) -> None:
    for person in (yacine, kamel):
        problem(api.as_(person).get("/series/plan", query_string=wished), 404, "not_found")
        body = body_of(wished, {"every_days": 7, "dates": [{"chosen": wished["starts_at"]}] * 2})
        body["times"] = [at("09:00", 3).isoformat(), at("10:00", 3).isoformat()]
        problem(api.as_(person).post("/series", body), 404, "not_found")
    for wrong in ({"count": "1"}, {"every": "0"}, {"unit": "years"}, {"starts_at": "x"}):
        problem(api.as_(amina).get("/series/plan", query_string=wished | wrong), 422, "invalid")
    alone = api.as_(amina).post("/appointments", wish()).get_json()["id"]
    problem(api.as_(amina).get(f"/appointments/{alone}/series"), 404, "not_found")


@pytest.fixture
def asked(api: Program, amina: Any, wish: Any, dr_benali: Any, el_djazair: Any) -> dict[str, str]:
    """The body that invites Amina, whom the clinic knows, to a follow-up."""
    assert api.as_(amina).post("/appointments", wish("15:30")).status_code == 201
    return {
        "practice_id": str(dr_benali.practice_id),
        "visit_type_id": str(el_djazair.follow_up_id),
        "patient_id": str(amina.patient_id),
        "first": str(working_day(10)),
        "last": str(working_day(10) + timedelta(days=7)),
        "note": "With your results",
    }


def test_a_doctor_invites_and_withdraws(api: Program, dr_benali: Any, nadia: Any, amina: Any, asked: Any) -> None:
    program = api.as_(dr_benali)
    made = program.post("/invitations", asked)
    said = made.get_json()
    assert made.status_code == 201 and made.headers["Location"] == f"/api/v1/invitations/{said['id']}"
    assert (said["note"], said["is_open"], said["doctor"]["name"]) == ("With your results", True, "Dr Samira Benali")
    assert problem(program.post("/invitations", asked), 409, "already_invited")["invitation_id"] == said["id"]
    assert [one["id"] for one in api.as_(amina).get("/invitations").get_json()["items"]] == [said["id"]]
    path = f"/patients/{amina.patient_id}/invitations?practice_id={dr_benali.practice_id}"
    assert [one["id"] for one in api.as_(nadia).get(path).get_json()["items"]] == [said["id"]]
    assert program.post(f"/invitations/{said['id']}/withdraw").status_code == 204
    problem(program.post(f"/invitations/{said['id']}/withdraw"), 409, "invitation_over")
    problem(api.as_(amina).post(f"/invitations/{said['id']}/decline"), 409, "invitation_over")
    assert api.as_(amina).get("/invitations").get_json()["items"] == []


def test_a_patient_declines_and_others_see_nothing(
    api: Program, dr_benali: Any, amina: Any, yacine: Any, kamel: Any, dr_haddad: Any, asked: Any
) -> None:
    key = api.as_(dr_benali).post("/invitations", asked).get_json()["id"]
    for person in (yacine, kamel, dr_haddad):
        program = api.as_(person)
        problem(program.get(f"/invitations/{key}"), 404, "not_found")
        for verb in ("withdraw", "decline"):
            problem(program.post(f"/invitations/{key}/{verb}"), 404, "not_found")
        assert program.get(f"/patients/{amina.patient_id}/invitations").get_json()["items"] == []
        problem(program.post("/invitations", asked), 403, "forbidden")
    problem(api.as_(amina).post(f"/invitations/{key}/withdraw"), 403, "forbidden")
    problem(api.as_(dr_benali).post(f"/invitations/{key}/decline"), 403, "forbidden")
    assert api.as_(amina).post(f"/invitations/{key}/decline").status_code == 204
    problem(api.as_(dr_benali).post("/invitations", asked | {"last": "2020-01-01"}), 422, "invalid")

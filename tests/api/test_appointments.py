"""Booking by program: statuses, versions, who may do what, and how a refusal looks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.scheduling.models import Appointment, VisitType
from tests.api.conftest import ROOT, Program, problem
from tests.builders import at

NOWHERE = "019aa000-0000-7000-8000-000000000000"


@pytest.fixture
def booked(api: Program, amina: Any, wish: Any) -> dict[str, Any]:
    """Amina's consultation, confirmed."""
    said: dict[str, Any] = api.as_(amina).post("/appointments", wish()).get_json()
    return said


@pytest.fixture
def requested(api: Program, amina: Any, wish: Any, el_djazair: Any) -> dict[str, Any]:
    """Amina's video follow-up, waiting for the doctor."""
    asked = wish("10:00", visit_type_id=str(el_djazair.follow_up_id))
    said: dict[str, Any] = api.as_(amina).post("/appointments", asked).get_json()
    return said


def test_booking_answers_201_with_where_it_is(api: Program, amina: Any, wish: Any, dr_benali: Any) -> None:
    answer = api.as_(amina).post("/appointments", wish(reason="Palpitations"))
    assert answer.status_code == 201
    said = answer.get_json()
    assert answer.headers["Location"] == f"{ROOT}/appointments/{said['id']}"
    assert answer.headers["ETag"].startswith('"1-')
    assert said["status"] == "confirmed" and said["version"] == 1 and said["reason"] == "Palpitations"
    assert said["starts_at"].endswith("T09:00:00+01:00") and said["time_zone"] == "Africa/Algiers"
    assert said["price"] == {"amount_minor": 250_000, "currency": "DZD"}
    assert said["doctor"] == {"id": str(dr_benali.doctor_id), "name": "Dr Samira Benali"}
    shown = api.as_(amina).get(f"/appointments/{said['id']}")
    assert shown.get_json() == said and shown.headers["ETag"] == answer.headers["ETag"]


def test_booking_records_that_a_program_did_it(api: Program, amina: Any, wish: Any) -> None:
    from portal.core.events import history

    said = api.as_(amina).post("/appointments", wish()).get_json()
    events = history(session().get_one(Appointment, said["id"]))
    assert [(event.name, event.door) for event in events][-1] == ("appointment.booked", "api")


def test_a_taken_time_comes_with_others(api: Program, booked: Any, yacine: Any, wish: Any) -> None:
    said = problem(api.as_(yacine).post("/appointments", wish()), 409, "taken")
    assert len(said["alternatives"]) == 3
    assert all(one.endswith("+01:00") for one in said["alternatives"])
    again = wish(starts_at=said["alternatives"][0])
    assert api.as_(yacine).post("/appointments", again).status_code == 201


@pytest.mark.parametrize(
    ("wall", "ahead", "code"), [("09:10", 3, "not_on_grid"), ("22:00", 3, "no_opening"), ("09:00", 80, "too_far")]
)
def test_a_time_outside_the_rules_is_refused_with_its_reason(
    api: Program, amina: Any, wish: Any, wall: str, ahead: int, code: str
) -> None:
    problem(api.as_(amina).post("/appointments", wish(wall, ahead)), 409, code)


def test_a_time_that_has_passed_is_refused(api: Program, amina: Any, wish: Any) -> None:
    past = datetime.fromisoformat(wish()["starts_at"]) - timedelta(days=28)
    problem(api.as_(amina).post("/appointments", wish(starts_at=past.isoformat())), 409, "past")


def test_an_unverified_address_cannot_book(api: Program, lina: Any, wish: Any) -> None:
    problem(api.as_(lina).post("/appointments", wish()), 403, "email_not_verified")


def test_an_account_without_a_patient_cannot_book_for_itself(api: Program, nadia: Any, wish: Any) -> None:
    problem(api.as_(nadia).post("/appointments", wish()), 403, "no_patient_profile")


def test_nobody_books_for_somebody_else(api: Program, amina: Any, yacine: Any, wish: Any) -> None:
    problem(api.as_(amina).post("/appointments", wish(patient_id=str(yacine.patient_id))), 404, "not_found")
    problem(api.as_(amina).post("/appointments", wish(patient_id=NOWHERE)), 404, "not_found")


def test_the_desk_books_for_the_clinic_s_patients(
    api: Program, booked: Any, amina: Any, nadia: Any, kamel: Any, wish: Any
) -> None:
    asked = wish("11:00", patient_id=str(amina.patient_id))
    answer = api.as_(nadia).post("/appointments", asked)
    assert answer.status_code == 201 and answer.get_json()["patient"]["id"] == str(amina.patient_id)
    problem(api.as_(kamel).post("/appointments", wish("11:30", patient_id=str(amina.patient_id))), 404, "not_found")


@pytest.mark.parametrize("name", ["practice_id", "visit_type_id"])
def test_what_does_not_exist_is_not_found(api: Program, amina: Any, wish: Any, name: str) -> None:
    problem(api.as_(amina).post("/appointments", wish(**{name: NOWHERE})), 404, "not_found")


def test_booking_needs_a_token(api: Program, wish: Any) -> None:
    problem(api.post("/appointments", wish()), 401, "no_token")


def test_a_held_time_is_booked_with_its_token_once(api: Program, amina: Any, yacine: Any, wish: Any) -> None:
    token = api.post("/holds", wish()).get_json()["token"]
    problem(api.as_(yacine).post("/appointments", wish()), 409, "taken")
    first = api.as_(amina).post("/appointments", wish(hold_token=token))
    second = api.as_(amina).post("/appointments", wish(hold_token=token))
    assert first.status_code == second.status_code == 201
    assert first.get_json()["id"] == second.get_json()["id"]


def test_mine_are_listed_by_key_and_nobody_else_s(api: Program, amina: Any, yacine: Any, wish: Any) -> None:
    walls = ("09:00", "10:00", "11:00")
    made = [api.as_(amina).post("/appointments", wish(wall)).get_json()["id"] for wall in walls]
    first = api.as_(amina).get("/appointments?limit=2").get_json()
    second = api.as_(amina).get(f"/appointments?limit=2&after={first['next']}").get_json()
    assert [one["id"] for one in first["items"] + second["items"]] == made and second["next"] is None
    assert api.as_(yacine).get("/appointments").get_json() == {"items": [], "next": None}
    assert api.as_(amina).get("/appointments?when=past").get_json()["items"] == []


def test_what_is_not_one_s_own_does_not_exist(
    api: Program, booked: Any, yacine: Any, kamel: Any, dr_haddad: Any, superadmin: Any, nadia: Any, dr_benali: Any
) -> None:
    path = f"/appointments/{booked['id']}"
    for stranger in (yacine, kamel, dr_haddad):
        problem(api.as_(stranger).get(path), 404, "not_found")
        for verb, body in (
            ("cancel", {}),
            ("reschedule", {"starts_at": at("10:00").isoformat()}),
            ("confirm", {}),
            ("decline", {}),
        ):
            problem(api.as_(stranger).post(f"{path}/{verb}", body), 404, "not_found")
    for known in (superadmin, nadia, dr_benali):
        assert api.as_(known).get(path).status_code == 200
    problem(api.as_(yacine).get(f"/appointments/{NOWHERE}"), 404, "not_found")


def test_only_the_clinic_decides_about_a_request(api: Program, requested: Any, amina: Any, dr_benali: Any) -> None:
    path = f"/appointments/{requested['id']}"
    assert requested["status"] == "pending"
    problem(api.as_(amina).post(f"{path}/confirm"), 403, "forbidden")
    problem(api.as_(amina).post(f"{path}/decline", {}), 403, "forbidden")
    answer = api.as_(dr_benali).post(f"{path}/confirm", {"version": 1})
    assert answer.status_code == 200 and answer.get_json()["status"] == "confirmed"
    problem(api.as_(dr_benali).post(f"{path}/confirm"), 409, "wrong_state")


def test_a_declined_request_says_why_and_frees_the_time(
    api: Program, requested: Any, dr_benali: Any, yacine: Any, wish: Any
) -> None:
    told = {"code": "not_my_field", "text": "Please see a dermatologist."}
    said = api.as_(dr_benali).post(f"/appointments/{requested['id']}/decline", told).get_json()
    assert (said["status"], said["end_code"], said["end_text"]) == ("declined", told["code"], told["text"])
    assert said["ended_by"] == "doctor"
    assert api.as_(yacine).post("/appointments", wish("10:00")).status_code == 201


def test_cancelling_frees_the_time(api: Program, booked: Any, amina: Any, yacine: Any, wish: Any) -> None:
    answer = api.as_(amina).post(f"/appointments/{booked['id']}/cancel", {"code": "better", "version": 1})
    assert answer.status_code == 200
    said = answer.get_json()
    assert (said["status"], said["ended_by"], said["end_code"], said["version"]) == (
        "cancelled",
        "patient",
        "better",
        2,
    )
    problem(api.as_(amina).post(f"/appointments/{booked['id']}/cancel"), 409, "wrong_state")
    assert api.as_(yacine).post("/appointments", wish()).status_code == 201


def test_after_the_cut_off_the_patient_cannot_cancel_but_the_desk_can(
    api: Program, booked: Any, amina: Any, nadia: Any, el_djazair: Any
) -> None:
    session().get_one(VisitType, el_djazair.consultation_id).cutoff_minutes = 60 * 24 * 30
    keep()
    path = f"/appointments/{booked['id']}"
    problem(api.as_(amina).post(f"{path}/cancel", {}), 409, "cutoff")
    problem(api.as_(amina).post(f"{path}/reschedule", {"starts_at": at("11:00", 3).isoformat()}), 409, "cutoff")
    assert api.as_(nadia).post(f"{path}/cancel", {}).status_code == 200


def test_moving_keeps_the_appointment_and_counts_its_versions(api: Program, booked: Any, amina: Any) -> None:
    path = f"/appointments/{booked['id']}"
    moved = api.as_(amina).post(f"{path}/reschedule", {"starts_at": at("11:00", 3).isoformat(), "version": 1})
    assert moved.status_code == 200 and moved.headers["ETag"].startswith('"2-')
    said = moved.get_json()
    assert said["id"] == booked["id"] and said["version"] == 2 and said["moves"] == 1
    problem(api.as_(amina).post(f"{path}/cancel", {"version": 1}), 409, "stale_version")


def test_a_move_to_a_taken_time_leaves_everything_as_it_was(
    api: Program, booked: Any, amina: Any, yacine: Any, wish: Any
) -> None:
    assert api.as_(yacine).post("/appointments", wish("10:00")).status_code == 201
    path = f"/appointments/{booked['id']}"
    said = problem(api.as_(amina).post(f"{path}/reschedule", {"starts_at": at("10:00", 3).isoformat()}), 409, "taken")
    assert said["alternatives"]
    assert api.as_(amina).get(path).get_json() == booked


@pytest.mark.parametrize("verb", ["cancel", "reschedule"])
def test_if_match_guards_a_change(api: Program, booked: Any, amina: Any, verb: str) -> None:
    path, body = (
        f"/appointments/{booked['id']}/{verb}",
        {} if verb == "cancel" else {"starts_at": at("10:30", 3).isoformat()},
    )
    for tag in ('"7-confirmed-en"', '"x"', '""', "*junk", 'W/"1-confirmed-en"'):
        problem(api.as_(amina).post(path, body, headers={"If-Match": tag}), 412, "stale_version")
    problem(
        api.as_(amina).post(path, body | {"version": 2}, headers={"If-Match": '"1-confirmed-en"'}), 412, "stale_version"
    )
    assert api.as_(amina).post(path, body, headers={"If-Match": '"1-confirmed-fr"'}).status_code == 200


@pytest.mark.parametrize("verb", ["confirm", "decline"])
def test_if_match_guards_a_decision(api: Program, requested: Any, dr_benali: Any, verb: str) -> None:
    path = f"/appointments/{requested['id']}/{verb}"
    problem(api.as_(dr_benali).post(path, {}, headers={"If-Match": '"2-pending-en"'}), 412, "stale_version")
    problem(api.as_(dr_benali).post(path, {"version": 2}), 409, "stale_version")
    assert api.as_(dr_benali).post(path, {}, headers={"If-Match": "*"}).status_code == 200


def test_a_look_at_the_same_version_costs_nothing(
    api: Program, booked: Any, requested: Any, amina: Any, dr_benali: Any
) -> None:
    path = f"/appointments/{requested['id']}"
    tag = api.as_(amina).get(path).headers["ETag"]
    same = api.as_(amina).get(path, headers={"If-None-Match": f'"x", {tag}'})
    assert same.status_code == 304 and same.data == b"" and same.headers["ETag"] == tag
    assert api.as_(amina).get(path, headers={"If-None-Match": tag, "Accept-Language": "fr"}).status_code == 200
    api.as_(dr_benali).post(f"{path}/confirm")
    assert api.as_(amina).get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_visit_goes_into_a_calendar_and_out_of_it_again(
    api: Program, booked: Any, amina: Any, yacine: Any, dr_benali: Any
) -> None:
    path = f"/appointments/{booked['id']}/calendar"
    mine = api.as_(amina)
    found = mine.get(path)
    assert found.status_code == 200 and found.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert f"visit-{booked['reference']}.ics" in found.headers["Content-Disposition"]
    assert "METHOD:PUBLISH" in found.text and f"UID:{booked['id']}@portal" in found.text
    again = mine.get(path, headers={"If-None-Match": found.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""
    assert mine.post(f"/appointments/{booked['id']}/cancel", {}).status_code == 200
    off = mine.get(path)
    assert "METHOD:CANCEL" in off.text and "SEQUENCE:1" in off.text and off.headers["ETag"] != found.headers["ETag"]
    assert api.as_(dr_benali).get(path).status_code == 200
    problem(api.as_(yacine).get(path), 404, "not_found")
    problem(api.as_(amina, scopes=["profile:read"]).get(path), 403, "insufficient_scope")


def test_the_reason_is_changed_with_its_tag_and_the_version_stays(
    api: Program, amina: Any, dr_benali: Any, booked: dict[str, Any]
) -> None:
    program, path = api.as_(amina), f"/appointments/{booked['id']}"
    before = program.get(path).headers["ETag"]
    changed = program.send("PUT", f"{path}/reason", {"reason": "Fever"}, headers={"If-Match": before})
    told = changed.get_json()
    assert (told["reason"], told["version"]) == ("Fever", booked["version"])
    assert changed.headers["ETag"] != before, "who asks again with the old tag is not told that nothing changed"
    assert api.as_(dr_benali).get(path).get_json()["reason"] == "Fever"
    problem(api.as_(dr_benali).send("PUT", f"{path}/reason", {"reason": "x"}), 403, "forbidden")
    program.post(f"{path}/cancel", {"code": "no_time"})
    problem(program.send("PUT", f"{path}/reason", {"reason": "x"}), 409, "wrong_state")

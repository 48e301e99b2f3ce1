"""When doctors receive, by programs: openings, breaks, time off and holidays; booked visits never vanish."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Program, problem
from tests.builders import working_day

SATURDAY = {"weekday": 5, "starts": "08:00", "ends": "12:00", "step": 30}


@pytest.fixture
def visit(api: Program, amina: Any, wish: Any) -> str:
    return str(api.as_(amina).post("/appointments", wish()).get_json()["id"])


def hours(program: Program, doctor: Any) -> list[dict[str, Any]]:
    return program.get(f"/practices/{doctor.practice_id}/openings").get_json()["items"]  # type: ignore[no-any-return]


def test_a_doctor_opens_changes_takes_a_break_and_closes(api: Program, dr_benali: Any, el_djazair: Any) -> None:
    program, here = api.as_(dr_benali), f"/practices/{dr_benali.practice_id}/openings"
    before = len(hours(program, dr_benali))
    made = program.post(here, SATURDAY | {"visit_type_ids": [str(el_djazair.consultation_id)]})
    said = made.get_json()
    assert made.status_code == 201 and made.headers["Location"] == f"/api/v1/openings/{said['id']}"
    assert (said["starts"], said["ends"], said["visit_type_ids"]) == (
        "08:00",
        "12:00",
        [str(el_djazair.consultation_id)],
    )
    path = f"/openings/{said['id']}"
    assert program.send("PUT", path, SATURDAY | {"ends": "11:00"}).get_json()["ends"] == "11:00"
    assert program.get(path).get_json()["ends"] == "11:00"
    halves = program.post(f"{path}/breaks", {"starts": "09:00", "ends": "09:30"})
    shown = [(one["starts"], one["ends"]) for one in halves.get_json()["items"] if one["weekday"] == 5]
    assert halves.status_code == 201 and shown == [("08:00", "09:00"), ("09:30", "11:00")]
    assert program.delete(path).status_code == 204
    problem(program.get(path), 404, "not_found")
    assert len(hours(program, dr_benali)) == before + 1


def test_hours_past_midnight_are_said_on_the_way_in_and_out(
    api: Program, dr_benali: Any, amina: Any, el_djazair: Any
) -> None:
    program, here = api.as_(dr_benali), f"/practices/{dr_benali.practice_id}/openings"
    day = working_day(4)
    night = {"on_date": day.isoformat(), "starts": "23:00", "ends": "01:00"}
    problem(program.post(here, night), 422, "invalid")
    said = program.post(here, night | {"ends_next_day": True}).get_json()
    assert (said["ends"], said["ends_next_day"]) == ("01:00", True)
    after = (day + timedelta(days=1)).isoformat()
    wanted = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
    asked = wanted | {"from": after, "to": after}
    found = program.get(f"/doctors/{dr_benali.doctor_id}/slots", query_string=asked).get_json()
    late = [one["starts_at"] for one in found["items"] if one["starts_at"].startswith(f"{after}T00")]
    assert len(late) == 2
    made = api.as_(amina).post("/appointments", wanted | {"starts_at": late[0]})
    assert made.status_code == 201
    problem(program.delete(f"/openings/{said['id']}"), 409, "visits_affected")


def test_hours_that_make_no_sense_are_refused(api: Program, dr_benali: Any, wahran: Any) -> None:
    program, here = api.as_(dr_benali), f"/practices/{dr_benali.practice_id}/openings"
    assert program.post(here, SATURDAY).status_code == 201
    problem(program.post(here, SATURDAY), 409, "opening_overlaps")
    for wrong in ({"ends": "07:00"}, {"on_date": "2027-01-01"}, {"visit_type_ids": [str(wahran.consultation_id)]}):
        problem(program.post(here, SATURDAY | {"weekday": 4} | wrong), 422, "invalid")


def test_hours_are_not_changed_over_booked_visits_unless_they_stay(
    api: Program, dr_benali: Any, nadia: Any, visit: str
) -> None:
    program, day = api.as_(nadia), working_day(3)
    (morning,) = [
        one for one in hours(program, dr_benali) if one["weekday"] == day.weekday() and one["ends"] == "12:00"
    ]
    path, later = f"/openings/{morning['id']}", {"weekday": day.weekday(), "starts": "10:00", "ends": "12:00"}
    for answer in (
        program.send("PUT", path, later),
        program.delete(path),
        program.post(f"{path}/breaks", {"starts": "08:30", "ends": "10:00"}),
    ):
        said = problem(answer, 409, "visits_affected")
        assert (said["visits"], said["count"]) == ([visit], 1)
    assert program.send("PUT", path, later | {"keep_visits": True}).get_json()["starts"] == "10:00"
    assert program.delete(f"{path}?keep_visits=true").status_code == 204
    assert program.get(f"/appointments/{visit}").get_json()["status"] == "confirmed"


def test_a_doctor_is_away_and_back(api: Program, dr_benali: Any, nadia: Any, visit: str) -> None:
    program, here, day = api.as_(dr_benali), f"/doctors/{dr_benali.doctor_id}/closures", working_day(3)
    leave = {"first": str(day), "last": str(day), "note": "Congress"}
    assert problem(program.post(here, leave), 409, "visits_affected")["visits"] == [visit]
    made = program.post(here, leave | {"keep_visits": True})
    said = made.get_json()
    assert made.status_code == 201 and said["starts_at"] == f"{day}T00:00:00+01:00" and said["note"] == "Congress"
    assert [one["id"] for one in api.as_(nadia).get(here).get_json()["items"]] == [said["id"]]
    assert program.get(f"{here}?past=true").get_json()["items"] == []
    assert program.delete(f"/closures/{said['id']}").status_code == 204
    assert program.get(here).get_json()["items"] == []
    problem(program.post(here, leave | {"first": "2020-01-01", "last": "2020-01-01"}), 422, "invalid")
    blocked = program.post(
        f"/practices/{dr_benali.practice_id}/closures", leave | {"kind": "blocked", "starts": "13:00"}
    )
    assert blocked.get_json()["practice_id"] == str(dr_benali.practice_id)


def test_an_admin_closes_the_clinic(api: Program, admin: Any, el_djazair: Any, visit: str) -> None:
    program, here, day = api.as_(admin), f"/clinics/{el_djazair.clinic_id}", working_day(3)
    holiday = {"day": str(day), "name": "Feast"}
    assert problem(program.post(f"{here}/holidays", holiday), 409, "visits_affected")["count"] == 1
    made = program.post(f"{here}/holidays", holiday | {"keep_visits": True}).get_json()
    problem(program.post(f"{here}/holidays", holiday), 409, "holiday_exists")
    assert program.get(f"{here}/holidays").get_json()["items"] == [made]
    assert program.delete(f"/holidays/{made['id']}").status_code == 204
    closed = {"kind": "holiday", "first": str(day), "last": str(day), "starts": "14:00", "ends": "16:00"}
    said = program.post(f"{here}/closures", closed).get_json()
    assert program.get(f"{here}/closures").get_json()["items"] == [said] and said["clinic_id"] == str(
        el_djazair.clinic_id
    )
    assert program.delete(f"/closures/{said['id']}").status_code == 204


@pytest.mark.parametrize(("who", "status"), [("amina", 404), ("kamel", 404), ("dr_haddad", 404)])
def test_others_set_no_hours(
    api: Program, who: str, status: int, dr_benali: Any, el_djazair: Any, request: pytest.FixtureRequest
) -> None:
    opening = hours(api.as_(dr_benali), dr_benali)[0]["id"]
    program = api.as_(request.getfixturevalue(who))
    practice, leave = f"/practices/{dr_benali.practice_id}", {"first": "2027-07-05", "last": "2027-07-05"}
    assert program.get(f"{practice}/openings").status_code == status
    assert program.post(f"{practice}/openings", SATURDAY).status_code == status
    assert program.post(f"{practice}/closures", leave).status_code == status
    assert program.get(f"/openings/{opening}").status_code == status
    assert program.send("PUT", f"/openings/{opening}", SATURDAY).status_code == status
    assert program.delete(f"/openings/{opening}").status_code == status
    for path in (f"/doctors/{dr_benali.doctor_id}/closures", f"/clinics/{el_djazair.clinic_id}/closures"):
        problem(program.get(path), 404, "not_found")
        problem(program.post(path, leave), 404, "not_found")
    problem(program.get(f"/clinics/{el_djazair.clinic_id}/holidays"), 404, "not_found")


def test_a_token_for_visits_sets_no_hours(api: Program, dr_benali: Any) -> None:
    program, here = api.as_(dr_benali, scopes=["schedule:read"]), f"/practices/{dr_benali.practice_id}/openings"
    assert program.get(here).status_code == 200
    problem(program.post(here, SATURDAY), 403, "insufficient_scope")
    problem(api.as_(dr_benali, scopes=["appointments:read"]).get(here), 403, "insufficient_scope")


def test_the_admins_list_rooms(api: Program, admin: Any, nadia: Any, kamel: Any, el_djazair: Any) -> None:
    from portal.core.db import keep
    from portal.domain.clinics import resources

    group = resources.add_group(admin.actor, el_djazair.clinic_id, kind="room", name="Ultrasound")
    resources.add(admin.actor, group.id, name="Room 2", places=1)
    keep()
    path = f"/clinics/{el_djazair.clinic_id}/rooms"
    (found,) = api.as_(admin).get(path).get_json()["items"]
    assert (found["name"], found["kind"], [one["name"] for one in found["resources"]]) == (
        "Ultrasound",
        "room",
        ["Room 2"],
    )
    for person in (nadia, kamel):
        problem(api.as_(person).get(path), 404, "not_found")

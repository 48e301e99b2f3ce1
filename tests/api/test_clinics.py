"""Clinics, their people, visit types and rooms for programs: the same as in the back office."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import session
from portal.core.events import Event
from portal.domain.clinics.models import Clinic
from tests.api.conftest import Program, problem

NOWHERE = "019aa000-0000-7000-8000-000000000000"
CLINIC = {"name": "Clinique Annaba", "address": "3 cours de la Révolution", "city": "Annaba"}
TYPE = {"name": "Check-up", "duration": 20, "price_minor": 150000}
READ_BACK = (
    "name", "address", "city", "region", "postcode", "latitude", "longitude", "time_zone", "phone", "currency",
    "country", "quiet_from", "quiet_until", "late_minutes", "no_show_minutes", "offer_minutes", "has_board",
)  # fmt: skip


def as_it_is(told: dict[str, Any]) -> dict[str, Any]:
    """The body that writes a clinic down as it is."""
    return {name: told[name] for name in READ_BACK} | told["opening_hours"]


def test_a_clinic_is_added_found_changed_and_closed(api: Program, superadmin: Any) -> None:
    program = api.as_(superadmin)
    made = program.post("/clinics", CLINIC | {"sun": [["08:00", "12:00"], ["13:00", "17:00"]], "mon": "09:00-12:00"})
    assert made.status_code == 201
    told = made.get_json()
    path = f"/clinics/{told['id']}"
    assert made.headers["Location"] == f"/api/v1{path}"
    assert told["opening_hours"] == {"mon": [["09:00", "12:00"]], "sun": [["08:00", "12:00"], ["13:00", "17:00"]]}
    seen = api.get(path)
    assert seen.get_json() == told and seen.headers["ETag"] == made.headers["ETag"]
    changed = program.send(
        "PUT", path, as_it_is(told) | {"has_board": True}, headers={"If-Match": seen.headers["ETag"]}
    )
    assert changed.get_json() == told | {"has_board": True}
    assert changed.headers["ETag"] == api.get(path).headers["ETag"] != seen.headers["ETag"]
    assert program.post(f"{path}/deactivate").get_json()["is_active"] is False
    assert problem(api.get(path), 404, "not_found")
    assert program.post(f"{path}/reactivate").get_json()["is_active"] is True


def test_nobody_writes_over_what_they_have_not_seen(api: Program, admin: Any, el_djazair: Any) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}"
    seen = program.get(path)
    body, mark = as_it_is(seen.get_json()), {"If-Match": seen.headers["ETag"]}
    assert program.send("PUT", path, body | {"late_minutes": 5}, headers=mark).status_code == 200
    problem(program.send("PUT", path, body | {"late_minutes": 9}, headers=mark), 412, "stale_version")
    for wrong in ("nonsense", '""', 'W/"', ", ,", '"a", ""'):
        problem(program.send("PUT", path, body, headers={"If-Match": wrong}), 412, "stale_version")
    assert program.get(path, headers={"If-None-Match": '""'}).status_code == 200
    assert program.get(path).get_json()["late_minutes"] == 5
    assert program.send("PUT", path, body | {"late_minutes": 9}, headers={"If-Match": "*"}).status_code == 200
    assert program.send("PUT", path, body | {"late_minutes": 10}).status_code == 200


@pytest.mark.parametrize(
    "hours",
    [[["08:00", "07:00"]], [["x", "y"]], [["08:00", "12:00"], ["11:00", "13:00"]], "morning", [["08:00"]], [8], 8,
     [["08:00", "12:00, 13:00-14:00"]], [["25:00", "26:00"]]],
)  # fmt: skip
def test_hours_that_are_none_are_refused(api: Program, admin: Any, el_djazair: Any, hours: Any) -> None:
    path = f"/clinics/{el_djazair.clinic_id}"
    no = problem(api.as_(admin).send("PUT", path, CLINIC | {"sun": hours}), 422, "invalid")
    assert all(one["field"].startswith("sun") for one in no["errors"])


def test_only_superadmins_add_and_close_clinics_and_change_their_zone(
    api: Program, admin: Any, el_djazair: Any
) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}"
    problem(program.post("/clinics", CLINIC), 403, "forbidden")
    problem(program.post(f"{path}/deactivate"), 403, "forbidden")
    no = problem(program.send("PUT", path, CLINIC | {"time_zone": "Europe/Paris"}), 422, "invalid")
    assert [one["field"] for one in no["errors"]] == ["time_zone"]
    assert [one["id"] for one in program.get("/clinics/mine").get_json()["items"]] == [str(el_djazair.clinic_id)]


@pytest.mark.parametrize("who", ["amina", "nadia", "dr_benali", "kamel"])
def test_whoever_does_not_run_a_clinic_changes_nothing_of_it(
    api: Program, el_djazair: Any, admin: Any, who: str, request: pytest.FixtureRequest
) -> None:
    stranger, path = api.as_(request.getfixturevalue(who)), f"/clinics/{el_djazair.clinic_id}"
    group = api.as_(admin).post(f"{path}/rooms", {"kind": "room", "name": "Salle"}).get_json()["id"]
    resource = api.as_(admin).post(f"/room-groups/{group}/resources", {"name": "1"}).get_json()["id"]
    (member,) = api.as_(admin).get(f"{path}/members").get_json()["items"][:1]
    kind = el_djazair.consultation_id
    tried = [
        ("PUT", path, CLINIC), ("POST", f"{path}/deactivate", None), ("GET", f"{path}/members", None),
        ("POST", f"{path}/members", {"email": "x@example.dz", "given_name": "X", "family_name": "Y", "role": "admin"}),
        ("DELETE", f"/memberships/{member['id']}", None), ("GET", f"{path}/visit-types", None),
        ("POST", f"{path}/visit-types", TYPE), ("GET", f"/visit-types/{kind}", None),
        ("PUT", f"/visit-types/{kind}", TYPE),
        ("POST", f"{path}/rooms", {"kind": "room", "name": "Cave"}), ("GET", f"/room-groups/{group}", None),
        ("PUT", f"/room-groups/{group}", {"kind": "room", "name": "Cave"}), ("DELETE", f"/room-groups/{group}", None),
        ("POST", f"/room-groups/{group}/resources", {"name": "2"}), ("GET", f"/resources/{resource}", None),
        ("PUT", f"/resources/{resource}", {"name": "2"}), ("POST", f"/resources/{resource}/close", None),
        ("POST", f"/resources/{resource}/reopen", None), ("GET", f"{path}/figures", None),
    ]  # fmt: skip
    assert {f"{method} {to}": stranger.send(method, to, body).status_code for method, to, body in tried} == {
        f"{method} {to}": 404 for method, to, body in tried
    }
    assert session().get_one(Clinic, el_djazair.clinic_id).name == el_djazair.name
    assert stranger.get("/clinics/mine").get_json()["items"] == []


def test_a_token_does_only_what_it_was_given_for(api: Program, admin: Any, el_djazair: Any) -> None:
    reader, path = api.as_(admin, scopes=["profile:read"]), f"/clinics/{el_djazair.clinic_id}"
    tried = {
        "clinics:write": [("GET", "/clinics/mine"), ("PUT", path), ("POST", f"{path}/visit-types")],
        "users:read": [("GET", f"{path}/members")],
        "users:write": [("POST", f"{path}/members"), ("DELETE", f"/memberships/{NOWHERE}")],
        "schedule:read": [("GET", f"{path}/visit-types"), ("GET", f"{path}/figures")],
    }
    for scope, asked in tried.items():
        for method, to in asked:
            assert (
                problem(reader.send(method, to, {} if method != "GET" else None), 403, "insufficient_scope")["scope"]
                == scope
            )
    assert api.as_(admin, scopes=["clinics:write"]).get("/clinics/mine").status_code == 200


def test_somebody_is_asked_to_work_in_a_clinic_and_leaves_it(api: Program, admin: Any, el_djazair: Any) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}/members"
    wanted = {"email": "rania@example.dz", "given_name": "Rania", "family_name": "Toumi", "role": "staff"}
    made = program.post(path, wanted)
    assert made.status_code == 201
    asked = made.get_json()
    assert (asked["given_name"], asked["email"], asked["role"]) == ("Rania", "rania@example.dz", "staff")
    assert made.headers["Location"] == f"/api/v1/clinic-invitations/{asked['id']}"
    assert program.get(f"/clinic-invitations/{asked['id']}").get_json() == asked
    assert program.get(f"/clinics/{el_djazair.clinic_id}/invitations").get_json()["items"] == [asked]
    problem(program.post(path, wanted), 409, "already_invited")
    assert program.post(f"/clinic-invitations/{asked['id']}/send").get_json()["state"] == "waiting"
    assert program.delete(f"/clinic-invitations/{asked['id']}").status_code == 204
    problem(program.post(f"/clinic-invitations/{asked['id']}/send"), 410, "invitation_over")


def test_whose_address_it_is_a_program_cannot_tell_either(
    api: Program, admin: Any, el_djazair: Any, amina: Any, lina: Any, kamel: Any
) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}/members"
    wanted = {"given_name": "Rania", "family_name": "Toumi", "role": "staff"}
    told = [
        program.post(path, wanted | {"email": email}).get_json()
        for email in (amina.email, lina.email, kamel.email, "nobody@example.dz")
    ]
    of_each = {"id", "email", "sent_at", "expires_at"}
    alike = [{name: value for name, value in one.items() if name not in of_each} for one in told]
    assert alike[0]["given_name"] == "Rania"
    assert all(one == alike[0] for one in alike)
    assert {one["name"] for one in program.get(path).get_json()["items"]} == {"Farid Ouali"}


def test_somebody_accepts_and_leaves_a_clinic(api: Program, admin: Any, el_djazair: Any, amina: Any) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}/members"
    wanted = {"email": amina.email, "given_name": "R", "family_name": "T", "role": "staff"}
    asked = program.post(path, wanted).get_json()
    person = api.as_(amina)
    assert person.get("/auth/me").get_json()["memberships"] == []
    assert [one["id"] for one in person.get("/clinic-invitations/mine").get_json()["items"]] == [asked["id"]]
    assert person.post(f"/clinic-invitations/{asked['id']}/accept").status_code == 204
    assert [one["role"] for one in person.get("/auth/me").get_json()["memberships"]] == ["staff"]
    (told,) = [one for one in program.get(path).get_json()["items"] if one["email"] == amina.email]
    assert told["name"] == "Amina Boudiaf"
    assert program.delete(f"/memberships/{told['id']}").status_code == 204
    again = program.post(path, wanted).get_json()
    assert person.post(f"/clinic-invitations/{again['id']}/decline").status_code == 204
    problem(person.post(f"/clinic-invitations/{again['id']}/accept"), 410, "invitation_over")
    (own,) = [one for one in program.get(path).get_json()["items"] if one["user_id"] == str(admin.user_id)]
    problem(program.delete(f"/memberships/{own['id']}"), 409, "own_role")


def test_visit_types_are_added_changed_and_ended(api: Program, admin: Any, el_djazair: Any, dr_benali: Any) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}"
    group = program.post(f"{path}/rooms", {"kind": "room", "name": "Salle"}).get_json()["id"]
    made = program.post(f"{path}/visit-types", TYPE | {"needs": [group]})
    told = made.get_json()
    assert made.status_code == 201
    assert (told["price"], told["needs"]) == ({"amount_minor": 150000, "currency": "DZD"}, [group])
    assert told["policy"]
    here, mark = f"/visit-types/{told['id']}", {"If-Match": made.headers["ETag"]}
    assert program.get(here).headers["ETag"] == made.headers["ETag"]
    ended = program.send("PUT", here, TYPE | {"is_active": False}, headers=mark)
    assert (ended.get_json()["is_active"], ended.get_json()["needs"]) == (False, [])
    problem(program.send("PUT", here, TYPE, headers=mark), 412, "stale_version")
    listed = program.get(f"{path}/visit-types").get_json()["items"]
    assert listed[-1] == ended.get_json() and len(listed) == 3
    no = problem(program.post(f"{path}/visit-types", TYPE), 422, "invalid")
    assert [one["field"] for one in no["errors"]] == ["name"]
    no = problem(program.post(f"{path}/visit-types", TYPE | {"name": "Other", "needs": [NOWHERE]}), 422, "invalid")
    assert [one["field"] for one in no["errors"]] == ["needs"]


def test_rooms_are_added_changed_put_out_of_use_and_removed(api: Program, admin: Any, el_djazair: Any) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}"
    group = program.post(f"{path}/rooms", {"kind": "room", "name": "Salle"})
    assert group.status_code == 201
    here = f"/room-groups/{group.get_json()['id']}"
    first = program.post(f"{here}/resources", {"name": "Salle 1", "places": 2})
    one = f"/resources/{first.get_json()['id']}"
    assert program.get(here).get_json()["resources"] == [program.get(one).get_json()] == [first.get_json()]
    mark = {"If-Match": first.headers["ETag"]}
    assert program.send("PUT", one, {"name": "Salle 1"}, headers=mark).get_json()["places"] == 1
    problem(program.send("PUT", one, {"name": "Salle 9"}, headers=mark), 412, "stale_version")
    problem(program.send("PUT", here, {"kind": "room", "name": "X"}, headers={"If-Match": '"0"'}), 412, "stale_version")
    assert program.send("PUT", here, {"kind": "device", "name": "ECG"}).get_json()["kind"] == "device"
    assert program.post(f"{one}/close").get_json()["is_active"] is False
    assert program.post(f"{one}/reopen").get_json()["is_active"] is True
    problem(program.post(f"{here}/resources", {"name": "salle 1"}), 422, "invalid")
    kind = program.post(f"{path}/visit-types", TYPE | {"needs": [here.rsplit("/", 1)[1]]}).get_json()["id"]
    assert problem(program.delete(here), 409, "group_needed")["visit_types"] == [kind]
    program.send("PUT", f"/visit-types/{kind}", TYPE)
    assert program.delete(here).status_code == 204
    problem(program.get(here), 404, "not_found")


def test_a_room_with_visits_goes_out_of_use_only_when_they_are_kept(
    api: Program, admin: Any, amina: Any, el_djazair: Any, dr_benali: Any, wish: Any
) -> None:
    program, path = api.as_(admin), f"/clinics/{el_djazair.clinic_id}"
    group = program.post(f"{path}/rooms", {"kind": "room", "name": "Salle"}).get_json()["id"]
    one = program.post(f"/room-groups/{group}/resources", {"name": "1"}).get_json()["id"]
    kind = f"/visit-types/{el_djazair.consultation_id}"
    assert program.send("PUT", kind, {"name": "Consultation", "duration": 30, "needs": [group]}).status_code == 200
    visit = api.as_(amina).post("/appointments", wish()).get_json()["id"]
    no = problem(program.post(f"/resources/{one}/close"), 409, "visits_affected")
    assert (no["visits"], no["count"]) == ([visit], 1)
    assert program.post(f"/resources/{one}/close", {"keep_visits": True}).get_json()["is_active"] is False
    assert program.send("PUT", kind, {"name": "Consultation", "duration": 30}).status_code == 200
    problem(program.delete(f"/room-groups/{group}"), 409, "visits_affected")
    assert program.delete(f"/room-groups/{group}?keep_visits=true").status_code == 204


def test_a_change_by_a_program_is_in_the_history_with_its_door(api: Program, admin: Any, el_djazair: Any) -> None:
    path = f"/clinics/{el_djazair.clinic_id}"
    told = api.get(path).get_json()
    api.as_(admin).send("PUT", path, as_it_is(told) | {"has_board": True})
    (event,) = session().query(Event).filter_by(name="clinic.changed").all()
    assert (event.door, event.actor_id) == ("api", admin.user_id)
    assert "has_board" in event.facts["fields"]

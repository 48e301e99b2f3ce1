"""Doctors' profiles for programs: made by admins, changed by themselves, public once the licence is verified."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Program, problem

PROFILE = {
    "given_name": "Lotfi",
    "family_name": "Mansour",
    "licence_number": "DZ-16-4711",
    "specialties": ["cardiology"],
}


def as_it_is(told: dict[str, Any]) -> dict[str, Any]:
    """The body that writes a profile down as it is."""
    left_out = {"id", "slug", "licence_verified_at", "email", "practices", "waiting"}
    return {name: value for name, value in told.items() if name not in left_out}


def test_a_doctor_is_added_verified_and_found(api: Program, admin: Any, dr_benali: Any, el_djazair: Any) -> None:
    program = api.as_(admin)
    wanted = PROFILE | {"clinic_id": str(el_djazair.clinic_id), "email": "lotfi@example.dz", "fee_minor": 300000}
    made = program.post("/doctors", wanted)
    assert made.status_code == 201
    told = made.get_json()
    assert (told["email"], told["specialties"], told["licence_verified_at"]) == (None, ["cardiology"], None)
    (asked,) = program.get(f"/clinics/{el_djazair.clinic_id}/invitations").get_json()["items"]
    assert (asked["email"], asked["doctor_id"], asked["state"]) == ("lotfi@example.dz", told["id"], "waiting")
    assert [one["fee"] for one in told["practices"]] == [{"amount_minor": 300000, "currency": "DZD"}]
    problem(api.get(f"/doctors/{told['id']}"), 404, "not_found")
    assert program.post(f"/doctors/{told['id']}/verify").get_json()["licence_verified_at"]
    assert api.get(f"/doctors/{told['id']}").status_code == 200
    assert program.post(f"/doctors/{told['id']}/withdraw").get_json()["licence_verified_at"] is None
    listed = program.get("/doctors/mine?licence=open").get_json()["items"]
    assert [one["id"] for one in listed] == [told["id"]]
    again = program.post("/doctors", wanted | {"licence_number": "DZ-16-4712", "email": dr_benali.email})
    assert again.status_code == 201, "whose address it is, is not told"
    no = problem(program.post("/doctors", PROFILE | {"clinic_id": str(el_djazair.clinic_id)}), 422, "invalid")
    assert [one["field"] for one in no["errors"]] == ["licence_number"]


def test_doctors_change_their_own_profile_and_nothing_unseen(api: Program, dr_benali: Any) -> None:
    program = api.as_(dr_benali, scopes=["profile:read", "profile:write"])
    seen = program.get("/doctors/me")
    mark, body = {"If-Match": seen.headers["ETag"]}, as_it_is(seen.get_json())
    changed = program.send("PUT", "/doctors/me", body | {"biography": "Twenty years."}, headers=mark)
    assert changed.get_json() == seen.get_json() | {"biography": "Twenty years."}
    problem(program.send("PUT", "/doctors/me", body, headers=mark), 412, "stale_version")
    problem(program.send("PUT", "/doctors/me", body | {"specialties": ["magic"]}), 422, "invalid")
    told = program.send("PUT", "/doctors/me", body | {"licence_number": "DZ-16-0001", "given_name": "Ahmed"}).get_json()
    assert (told["given_name"], told["waiting"]["given_name"]) == ("Samira", "Ahmed")
    assert told["licence_verified_at"] == seen.get_json()["licence_verified_at"]
    assert api.get(f"/doctors/{dr_benali.doctor_id}").get_json()["name"] == "Dr Samira Benali"
    problem(api.as_(dr_benali).post(f"/doctors/{dr_benali.doctor_id}/verify"), 403, "forbidden")


def test_a_doctor_practises_at_one_more_clinic_and_leaves_it(
    api: Program, admin: Any, dr_haddad: Any, el_djazair: Any
) -> None:
    program, path = api.as_(admin), f"/doctors/{dr_haddad.doctor_id}/practices"
    asked = program.post(path, {"clinic_id": str(el_djazair.clinic_id)})
    assert asked.status_code == 201
    told = asked.get_json()
    assert (told["state"], told["email"], told["family_name"]) == ("waiting", None, "Haddad")
    problem(program.get(f"/doctors/{dr_haddad.doctor_id}/profile"), 404, "not_found")
    problem(program.post(f"/clinic-invitations/{told['id']}/accept"), 404, "not_found")
    doctor = api.as_(dr_haddad)
    (mine,) = doctor.get("/clinic-invitations/mine").get_json()["items"]
    assert (mine["clinic"]["name"], mine["asked_by"], mine["for_doctor"]) == (el_djazair.name, "Farid Ouali", None)
    assert doctor.post(f"/clinic-invitations/{mine['id']}/accept").status_code == 204
    practices = program.get(f"/doctors/{dr_haddad.doctor_id}/profile").get_json()["practices"]
    (here,) = [one for one in practices if one["clinic"]["id"] == str(el_djazair.clinic_id)]
    problem(program.post(path, {"clinic_id": str(el_djazair.clinic_id)}), 409, "already_here")
    problem(program.delete(f"/practices/{dr_haddad.practice_id}"), 404, "not_found")
    assert program.delete(f"/practices/{here['id']}").status_code == 204
    problem(program.get(f"/doctors/{dr_haddad.doctor_id}/profile"), 404, "not_found")


def test_what_waits_is_confirmed_refused_or_taken_back(api: Program, admin: Any, dr_benali: Any) -> None:
    doctor, boss = api.as_(dr_benali), api.as_(admin)
    body = as_it_is(doctor.get("/doctors/me").get_json())

    def proposed(name: str) -> str:
        told = doctor.send("PUT", "/doctors/me", body | {"given_name": name}).get_json()
        return f"/doctor-amendments/{told['waiting']['id']}"

    first = proposed("Ahmed")
    problem(doctor.post(f"{first}/confirm"), 403, "forbidden")
    assert boss.post(f"{first}/reject").get_json()["waiting"]["refused_at"]
    problem(boss.post(f"{first}/confirm"), 409, "amendment_over")
    assert doctor.delete(first).status_code == 204
    assert doctor.get("/doctors/me").get_json()["waiting"] is None
    second = proposed("Samia")
    assert boss.post(f"{second}/confirm").get_json()["given_name"] == "Samia"
    assert api.get(f"/doctors/{dr_benali.doctor_id}").get_json()["name"] == "Dr Samia Benali"


def test_a_licence_is_verified_as_it_was_seen(api: Program, admin: Any, dr_benali: Any) -> None:
    boss, path = api.as_(admin), f"/doctors/{dr_benali.doctor_id}"
    seen = boss.get(f"{path}/profile").headers["ETag"]
    boss.post(f"{path}/withdraw")
    problem(boss.send("POST", f"{path}/verify", None, headers={"If-Match": seen}), 412, "stale_version")


def test_a_doctor_with_visits_leaves_only_when_they_are_kept(
    api: Program, admin: Any, amina: Any, dr_benali: Any, wish: Any
) -> None:
    visit = api.as_(amina).post("/appointments", wish()).get_json()["id"]
    program, path = api.as_(admin), f"/practices/{dr_benali.practice_id}"
    assert problem(program.delete(path), 409, "visits_affected")["visits"] == [visit]
    planned = program.post("/changes", {"kind": "practice_ended", "of": str(dr_benali.practice_id)}).get_json()
    assert [one["appointment"]["id"] for one in planned["proposals"]] == [visit]
    assert program.delete(f"/changes/{planned['id']}").status_code == 204
    problem(api.as_(dr_benali).delete(path), 404, "not_found")
    assert program.delete(f"{path}?keep_visits=true").status_code == 204


@pytest.mark.parametrize("who", ["amina", "nadia", "kamel", "dr_haddad"])
def test_nobody_else_reads_or_changes_a_profile(
    api: Program, dr_benali: Any, el_djazair: Any, who: str, request: pytest.FixtureRequest
) -> None:
    stranger, path = api.as_(request.getfixturevalue(who)), f"/doctors/{dr_benali.doctor_id}"
    clinic = {"clinic_id": str(el_djazair.clinic_id)}
    for method, to, body in (
        ("GET", f"{path}/profile", None), ("PUT", f"{path}/profile", PROFILE), ("POST", f"{path}/verify", None),
        ("POST", f"{path}/withdraw", None), ("POST", f"{path}/practices", clinic),
        ("POST", "/doctors", PROFILE | clinic),
        ("DELETE", f"/practices/{dr_benali.practice_id}", None),
    ):  # fmt: skip
        problem(stranger.send(method, to, body), 404, "not_found")
    assert stranger.get("/doctors/mine").get_json()["items"] == []
    if who != "dr_haddad":
        problem(stranger.get("/doctors/me"), 404, "not_found")


def test_scopes_narrow(api: Program, admin: Any, dr_benali: Any) -> None:
    program = api.as_(admin, scopes=["profile:write"])
    for method, path in (("GET", "/doctors/mine"), ("PUT", f"/doctors/{dr_benali.doctor_id}/profile")):
        problem(program.send(method, path, PROFILE if method == "PUT" else None), 403, "insufficient_scope")

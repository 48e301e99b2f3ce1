"""Accounts for programs: seen by admins as far as their clinics reach, shut and opened by superadmins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Program, problem


def test_an_admin_sees_the_people_of_their_clinics_and_nobody_else(
    api: Program, admin: Any, nadia: Any, kamel: Any, dr_benali: Any, amina: Any
) -> None:
    program = api.as_(admin)
    seen = {one["id"] for one in program.get("/users").get_json()["items"]}
    assert seen == {str(one.user_id) for one in (admin, nadia, dr_benali)}
    for stranger in (kamel, amina):
        problem(program.get(f"/users/{stranger.user_id}"), 404, "not_found")
    told = program.get(f"/users/{nadia.user_id}").get_json()
    assert (told["email"], told["state"], told["email_verified"]) == (nadia.email, "active", True)
    assert [one["role"] for one in told["roles"]] == ["staff"]


def test_accounts_are_found_by_name_role_clinic_and_state_page_by_page(
    api: Program, superadmin: Any, nadia: Any, kamel: Any, amina: Any, el_djazair: Any
) -> None:
    program = api.as_(superadmin)

    def found(query: str) -> list[str]:
        return [one["given_name"] for one in program.get(f"/users?{query}").get_json()["items"]]

    searched = program.post("/users/search", {"name": "slimani", "role": "staff"}).get_json()["items"]
    assert [one["given_name"] for one in searched] == ["Nadia"]
    problem(program.get("/users?name=slimani"), 422, "invalid")
    assert found("role=staff") == ["Kamel", "Nadia"]
    assert found(f"role=staff&clinic_id={el_djazair.clinic_id}") == ["Nadia"]
    assert found("state=deactivated") == []
    first = program.get("/users?limit=1").get_json()
    second = program.get(f"/users?limit=1&after={first['next']}").get_json()
    assert first["items"][0]["id"] != second["items"][0]["id"]
    problem(program.get("/users?role=king"), 422, "invalid")


def test_a_superadmin_shuts_an_account_and_opens_it_again(api: Program, superadmin: Any, nadia: Any) -> None:
    hers, program, path = api.as_(nadia), api.as_(superadmin), f"/users/{nadia.user_id}"
    assert program.post(f"{path}/deactivate").get_json()["state"] == "deactivated"
    problem(hers.get("/auth/me"), 401, "invalid_token")
    assert program.post(f"{path}/reactivate").get_json()["state"] == "active"
    assert api.as_(nadia).get("/auth/me").status_code == 200
    problem(program.post(f"/users/{superadmin.user_id}/deactivate"), 409, "own_account")


def test_an_admin_does_not_shut_accounts(api: Program, admin: Any, nadia: Any, kamel: Any) -> None:
    program = api.as_(admin)
    problem(program.post(f"/users/{nadia.user_id}/deactivate"), 403, "forbidden")
    problem(program.post(f"/users/{kamel.user_id}/deactivate"), 404, "not_found")


@pytest.mark.parametrize("who", ["amina", "nadia", "dr_benali"])
def test_others_see_no_accounts(api: Program, who: str, admin: Any, request: pytest.FixtureRequest) -> None:
    program = api.as_(request.getfixturevalue(who))
    problem(program.get("/users"), 403, "forbidden")
    problem(program.get(f"/users/{admin.user_id}"), 403, "forbidden")


def test_scopes_narrow(api: Program, superadmin: Any, nadia: Any) -> None:
    reader = api.as_(superadmin, scopes=["users:read"])
    assert reader.get(f"/users/{nadia.user_id}").status_code == 200
    problem(reader.post(f"/users/{nadia.user_id}/deactivate"), 403, "insufficient_scope")


def test_an_admin_invites_somebody_and_the_answer_is_the_invitation(
    api: Program, admin: Any, kamel: Any, el_djazair: Any
) -> None:
    wanted = {"email": "rania@example.dz", "given_name": "Rania", "family_name": "Saidi", "role": "staff"}
    wanted["clinic_id"] = str(el_djazair.clinic_id)
    key = {"Idempotency-Key": "one"}
    made = api.as_(admin).send("POST", "/users", wanted, headers=key)
    assert (made.status_code, made.get_json()["state"]) == (201, "waiting")
    assert api.as_(admin).get(made.headers["Location"].removeprefix("/api/v1")).get_json() == made.get_json()
    assert api.as_(admin).send("POST", "/users", wanted, headers=key).get_json() == made.get_json()
    problem(api.as_(admin).post("/users", wanted), 409, "already_invited")
    problem(api.as_(kamel).post("/users", wanted), 404, "not_found")


def test_an_admin_says_which_roles_somebody_holds_in_the_own_clinic(
    api: Program, admin: Any, nadia: Any, el_djazair: Any, wahran: Any
) -> None:
    program, path = api.as_(admin), f"/users/{nadia.user_id}"
    tag = program.get(path).headers["ETag"]
    here, there = ({"role": "staff", "clinic_id": str(place.clinic_id)} for place in (el_djazair, wahran))
    more = here | {"role": "pharmacist"}
    answer = program.send("PATCH", path, {"roles": [here, more]}, headers={"If-Match": tag})
    assert [one["role"] for one in answer.get_json()["roles"]] == ["staff"], "the other begins with her yes"
    asked = program.get(f"/clinics/{el_djazair.clinic_id}/invitations").get_json()["items"]
    assert [(one["email"], one["role"]) for one in asked] == [(nadia.email, "pharmacist")]
    problem(program.send("PATCH", path, {"roles": [here, there]}), 404, "not_found")
    tag = program.get(path).headers["ETag"]
    ended = program.send("PATCH", path, {"roles": []}, headers={"If-Match": tag})
    assert (ended.status_code, ended.get_json()["roles"]) == (200, [])
    problem(program.get(path), 404, "not_found")
    assert nadia.actor.clinics_as("staff") == frozenset()


def test_a_change_of_what_was_changed_meanwhile_is_refused(api: Program, superadmin: Any, nadia: Any) -> None:
    program, path = api.as_(superadmin), f"/users/{nadia.user_id}"
    mark = {"If-Match": program.get(path).headers["ETag"]}
    assert program.send("PATCH", path, {"state": "deactivated"}, headers=mark).get_json()["state"] == "deactivated"
    for method in ("PATCH", "DELETE"):
        body = {"state": "active"} if method == "PATCH" else None
        problem(program.send(method, path, body, headers=mark), 412, "stale_version")
    assert program.send("PATCH", path, {"state": "active"}).get_json()["state"] == "active"


def test_a_removed_account_is_shut_and_never_erased(api: Program, superadmin: Any, admin: Any, nadia: Any) -> None:
    program, path = api.as_(superadmin), f"/users/{nadia.user_id}"
    problem(api.as_(admin).send("DELETE", path), 403, "forbidden")
    assert program.send("DELETE", path).status_code == 204
    assert program.get(path).get_json()["state"] == "deactivated"
    problem(program.send("DELETE", f"/users/{superadmin.user_id}"), 409, "own_account")

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

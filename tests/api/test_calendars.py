"""Calendar addresses for programs: made, told once, ended."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Program, problem


def test_an_address_is_made_read_and_ended(api: Program, client: Any, amina: Any, wish: Any) -> None:
    program = api.as_(amina)
    program.post("/appointments", wish())
    made = program.post("/calendars", {"whose": "patient"})
    assert made.status_code == 201
    address = made.get_json()["address"]
    path = "/" + address.split("/", 3)[3]
    assert b"BEGIN:VEVENT" in client.get(path).get_data()
    (listed,) = program.get("/calendars").get_json()["items"]
    assert listed["id"] == made.get_json()["id"] and "address" not in listed
    problem(
        api.as_(amina, scopes=["appointments:read"]).delete(f"/calendars/{listed['id']}"), 403, "insufficient_scope"
    )
    assert program.delete(f"/calendars/{listed['id']}").status_code == 204
    assert client.get(path).status_code == 404
    assert program.get("/calendars").get_json()["items"] == []


def test_nobody_sees_or_ends_anothers(api: Program, amina: Any, yacine: Any) -> None:
    made = api.as_(amina).post("/calendars", {"whose": "patient"}).get_json()["id"]
    assert api.as_(yacine).get("/calendars").get_json()["items"] == []
    problem(api.as_(yacine).delete(f"/calendars/{made}"), 404, "not_found")


def test_there_is_something_to_show_and_five_are_enough(api: Program, amina: Any, nadia: Any, dr_benali: Any) -> None:
    problem(api.as_(nadia).post("/calendars", {"whose": "patient"}), 403, "nothing_to_show")
    problem(api.as_(amina).post("/calendars", {"whose": "doctor"}), 403, "nothing_to_show")
    program = api.as_(dr_benali)
    assert [program.post("/calendars", {"whose": "doctor"}).status_code for _ in range(5)] == [201] * 5
    problem(program.post("/calendars", {"whose": "doctor"}), 409, "too_many_feeds")
    problem(program.post("/calendars", {"whose": "all"}), 422, "invalid")

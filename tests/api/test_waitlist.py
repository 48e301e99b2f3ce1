"""Waiting for an earlier time, by programs of patients and of the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Program, problem
from tests.builders import at


@pytest.fixture
def join(api: Program, dr_benali: Any, el_djazair: Any) -> Callable[..., Any]:
    """Waits for a consultation with Dr Benali: join(amina)."""

    def do(person: Any, **more: Any) -> Any:
        body = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
        return api.as_(person).post("/waitlist", body | more)

    return do


def test_a_patient_waits_changes_the_wish_and_leaves(api: Program, amina: Any, join: Any) -> None:
    windows = [{"weekday": 0, "starts": "08:00", "until": "12:00"}]
    made = join(amina, windows=windows, note="Mornings")
    said = made.get_json()
    assert made.status_code == 201 and made.headers["Location"] == f"/api/v1/waitlist/{said['id']}"
    assert (said["state"], said["before"], said["windows"], said["offer"]) == ("waiting", 0, windows, None)
    assert said["patient"]["id"] == str(amina.patient_id)
    program, path = api.as_(amina), f"/waitlist/{said['id']}"
    assert [one["id"] for one in program.get("/waitlist").get_json()["items"]] == [said["id"]]
    changed = program.send("PATCH", path, {"windows": []}).get_json()
    assert (changed["windows"], changed["note"], changed["last"]) == ([], "Mornings", said["last"])
    assert program.post(f"{path}/leave").get_json()["state"] == "left"
    problem(program.post(f"{path}/leave"), 409, "not_waiting")
    problem(program.send("PATCH", path, {"note": "x"}), 409, "not_waiting")


def test_joining_is_refused_with_its_reason(
    api: Program, amina: Any, lina: Any, yacine: Any, nadia: Any, join: Any
) -> None:
    first = join(amina).get_json()
    assert problem(join(amina), 409, "already_waiting")["entry_id"] == first["id"]
    problem(join(yacine, urgency="urgent"), 403, "urgency_is_the_clinics")
    problem(join(lina), 403, "email_not_verified")
    problem(join(nadia), 403, "no_patient_profile")
    problem(join(yacine, patient_id=str(amina.patient_id)), 404, "not_found")
    problem(join(yacine, last="2020-01-01"), 422, "invalid")
    problem(api.as_(yacine).post("/waitlist", {}), 422, "invalid")
    problem(
        api.as_(amina).send("PATCH", f"/waitlist/{first['id']}", {"urgency": "soon"}), 403, "urgency_is_the_clinics"
    )


def test_waiting_for_an_earlier_time_of_a_visit(api: Program, amina: Any, wish: Any) -> None:
    program = api.as_(amina)
    visit = program.post("/appointments", wish(ahead=5)).get_json()["id"]
    said = program.post("/waitlist", {"moves_id": visit}).get_json()
    assert said["moves_id"] == visit and said["doctor"]["name"] == "Dr Samira Benali"
    program.post(f"/appointments/{visit}/cancel", {})
    problem(program.post("/waitlist", {"moves_id": visit}), 409, "not_upcoming")


def test_the_desk_lists_who_waits_and_offers_a_time_that_is_taken(
    api: Program, nadia: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any, join: Any, wish: Any
) -> None:
    entry, later = join(amina).get_json()["id"], join(yacine).get_json()["id"]
    api.as_(nadia).post("/appointments", wish("10:30", patient_id=str(amina.patient_id)))
    desk, here = api.as_(nadia), f"/clinics/{el_djazair.clinic_id}/waitlist"
    found = desk.get(here).get_json()["items"]
    assert [(one["id"], one["before"]) for one in found] == [(entry, 0), (later, 1)]
    assert desk.send("PATCH", f"/waitlist/{later}", {"urgency": "urgent"}).get_json()["before"] == 0
    assert [one["id"] for one in desk.get(here).get_json()["items"]] == [later, entry]
    assert [one["id"] for one in desk.get(f"{here}?urgency=urgent").get_json()["items"]] == [later]
    assert [one["id"] for one in desk.post(f"{here}/search", {"name": "amina"}).get_json()["items"]] == [entry]
    page = desk.get(f"{here}?limit=1").get_json()
    assert [one["id"] for one in desk.get(f"{here}?limit=1&after={page['next']}").get_json()["items"]] == [entry]
    free = desk.get(f"/waitlist/{entry}/free-times").get_json()["items"]
    body = {"practice_id": str(dr_benali.practice_id), "starts_at": free[0]["starts_at"]}
    offer = desk.post(f"/waitlist/{entry}/offers", body)
    assert offer.status_code == 201 and offer.get_json()["state"] == "open"
    problem(desk.post(f"/waitlist/{entry}/offers", body), 409, "offer_stands")
    assert api.as_(amina).get(f"/waitlist/{entry}").get_json()["offer"]["id"] == offer.get_json()["id"]
    path = f"/waitlist/offers/{offer.get_json()['id']}"
    taken = [api.as_(amina).post(f"{path}/accept") for _ in range(2)]
    assert [one.status_code for one in taken] == [200, 200] and taken[0].get_json()["id"] == taken[1].get_json()["id"]
    assert taken[0].get_json()["starts_at"] == free[0]["starts_at"]
    assert problem(api.as_(amina).post(f"{path}/decline"), 410, "offer_over")["state"] == "accepted"
    assert desk.get(f"{here}?ended=true").get_json()["items"][0]["state"] == "booked"
    (told,) = desk.get(f"/waitlist/{entry}/offers").get_json()["items"]
    assert told["state"] == "accepted"


def test_an_offer_is_let_go(api: Program, nadia: Any, amina: Any, dr_benali: Any, join: Any, wish: Any) -> None:
    entry = join(amina).get_json()["id"]
    body = {"practice_id": str(dr_benali.practice_id), "starts_at": at("09:00", 3).isoformat()}
    path = f"/waitlist/offers/{api.as_(nadia).post(f'/waitlist/{entry}/offers', body).get_json()['id']}"
    assert [api.as_(amina).post(f"{path}/decline").get_json()["state"] for _ in range(2)] == ["declined"] * 2
    assert problem(api.as_(amina).post(f"{path}/accept"), 410, "offer_over")["state"] == "declined"


@pytest.mark.parametrize("who", ["yacine", "kamel", "dr_haddad"])
def test_another_s_wait_is_not_there(
    api: Program, who: str, amina: Any, nadia: Any, dr_benali: Any, el_djazair: Any, join: Any,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    entry = join(amina).get_json()["id"]
    body = {"practice_id": str(dr_benali.practice_id), "starts_at": at("09:00", 3).isoformat()}
    offer = api.as_(nadia).post(f"/waitlist/{entry}/offers", body).get_json()["id"]
    program = api.as_(request.getfixturevalue(who))
    for path in (f"/waitlist/{entry}", f"/waitlist/{entry}/offers", f"/waitlist/{entry}/free-times"):
        problem(program.get(path), 404, "not_found")
    problem(program.get(f"/waitlist/offers/{offer}"), 404, "not_found")
    problem(program.get(f"/clinics/{el_djazair.clinic_id}/waitlist"), 404, "not_found")
    problem(program.send("PATCH", f"/waitlist/{entry}", {"note": "x"}), 404, "not_found")
    for path in (f"{entry}/leave", f"offers/{offer}/accept", f"offers/{offer}/decline"):
        problem(program.post(f"/waitlist/{path}"), 404, "not_found")
    problem(program.post(f"/waitlist/{entry}/offers", body), 404, "not_found")


def test_scopes_and_roles_narrow(api: Program, amina: Any, dr_benali: Any, join: Any) -> None:
    entry = join(amina).get_json()["id"]
    reader = api.as_(amina, scopes=["appointments:read"])
    assert reader.get(f"/waitlist/{entry}").status_code == 200
    problem(reader.post(f"/waitlist/{entry}/leave"), 403, "insufficient_scope")
    body = {"practice_id": str(dr_benali.practice_id), "starts_at": at("09:00", 3).isoformat()}
    problem(api.as_(amina).post(f"/waitlist/{entry}/offers", body), 403, "forbidden")

"""The audit log for programs: admins read what happened in their clinics, superadmins everything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from tests.api.conftest import Program, problem


@pytest.fixture
def visit(api: Program, amina: Any, wish: Any) -> str:
    """Amina's visit at El Djazair, booked by a program."""
    return str(api.as_(amina).post("/appointments", wish()).get_json()["id"])


def test_what_happened_is_found_by_name_person_subject_and_date(
    api: Program, superadmin: Any, amina: Any, el_djazair: Any, visit: str
) -> None:
    program, today = api.as_(superadmin), clock.today(clock.now().tzinfo)  # type: ignore[arg-type]
    (one,) = program.get(f"/audit?name=appointment.booked&subject_id={visit}").get_json()["items"]
    assert (one["actor_id"], one["actor_name"], one["door"]) == (str(amina.user_id), amina.name, "api")
    assert (one["patient_id"], one["clinic_id"]) == (str(amina.patient_id), str(el_djazair.clinic_id))
    about = f"/audit?actor_id={amina.user_id}&name=appointment"
    assert (
        one
        in program.get(f"{about}&from={today - timedelta(days=1)}&to={today + timedelta(days=1)}").get_json()["items"]
    )
    assert program.get(f"{about}&to={today - timedelta(days=2)}").get_json()["items"] == []
    for wrong in ("from=9999-12-31", "to=0001-01-01", "from=today", "name=DROP", "after=x"):
        problem(program.get(f"/audit?{wrong}"), 422, "bad_cursor" if wrong == "after=x" else "invalid")


def test_it_is_read_page_by_page_latest_first(api: Program, superadmin: Any, visit: str) -> None:
    program, seen, after = api.as_(superadmin), [], ""
    for _ in range(3):
        told = program.get(f"/audit?limit=1{after}").get_json()
        seen += [one["seq"] for one in told["items"]]
        after = f"&after={told['next']}"
        if told["next"] is None:
            break
    assert seen == sorted(set(seen), reverse=True) and len(seen) > 1


def test_an_admin_reads_nothing_of_another_clinic(
    api: Program, admin: Any, el_djazair: Any, wahran: Any, kamel: Any, superadmin: Any, visit: str
) -> None:
    api.as_(superadmin).post(f"/clinics/{wahran.clinic_id}/deactivate")
    api.as_(superadmin).post(f"/clinics/{wahran.clinic_id}/reactivate")
    found = api.as_(admin).get("/audit").get_json()["items"]
    assert visit in {one["subject_id"] for one in found}
    assert {one["clinic_id"] for one in found} == {str(el_djazair.clinic_id)}
    problem(api.as_(admin).get("/audit/chain"), 403, "forbidden")


def test_a_superadmin_sees_how_far_it_is_sealed(api: Program, superadmin: Any, visit: str) -> None:
    told = api.as_(superadmin).get("/audit/chain").get_json()
    assert told["open"] > 0 and told["number"] >= 0


@pytest.mark.parametrize("who", ["amina", "nadia", "dr_benali"])
def test_nobody_else_reads_it(api: Program, who: str, request: pytest.FixtureRequest) -> None:
    problem(api.as_(request.getfixturevalue(who)).get("/audit"), 403, "forbidden")


def test_scopes_narrow(api: Program, superadmin: Any) -> None:
    problem(api.as_(superadmin, scopes=["tasks:read"]).get("/audit"), 403, "insufficient_scope")

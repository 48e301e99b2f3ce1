"""Background tasks for programs: superadmins see them and try failed ones again."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.tasks import Task
from tests.api.conftest import Program, problem


@pytest.fixture
def failed(superadmin: Any) -> Task:
    """A task that was given up, beside one that waits and one that is done."""
    rows = [Task(name=f"test.{state}", state=state, attempts=6, last_error="no such host") for state in
            ("waiting", "done", "failed")]  # fmt: skip
    session().add_all(rows)
    session().flush()
    keep()
    return rows[-1]


def test_tasks_are_found_by_state_and_name_with_their_counts(api: Program, superadmin: Any, failed: Task) -> None:
    program = api.as_(superadmin)
    told = program.get("/tasks?state=failed&name=test.").get_json()
    (one,) = told["items"]
    assert (one["id"], one["name"], one["last_error"], one["attempts"]) == (
        str(failed.id), "test.failed", "no such host", 6,
    )  # fmt: skip
    assert told["counts"]["failed"] >= 1
    assert program.get(f"/tasks/{failed.id}").get_json() == one
    pages = program.get("/tasks?name=test.&limit=2").get_json()
    rest = program.get(f"/tasks?name=test.&limit=2&after={pages['next']}").get_json()
    assert len({row["id"] for row in pages["items"] + rest["items"]}) == 3 and rest["next"] is None


def test_a_failed_task_is_tried_again_once(api: Program, superadmin: Any, failed: Task) -> None:
    program = api.as_(superadmin)
    told = program.post(f"/tasks/{failed.id}/retry").get_json()
    assert (told["state"], told["attempts"]) == ("waiting", 0)
    problem(program.post(f"/tasks/{failed.id}/retry"), 409, "not_failed")
    problem(program.get("/tasks/019aa000-0000-7000-8000-000000000000"), 404, "not_found")


@pytest.mark.parametrize("who", ["amina", "nadia", "admin"])
def test_nobody_else_sees_tasks(api: Program, failed: Task, who: str, request: pytest.FixtureRequest) -> None:
    program = api.as_(request.getfixturevalue(who))
    for method, path in (("GET", "/tasks"), ("GET", f"/tasks/{failed.id}"), ("POST", f"/tasks/{failed.id}/retry")):
        problem(program.send(method, path), 403, "forbidden")


def test_scopes_narrow(api: Program, superadmin: Any, failed: Task) -> None:
    reader = api.as_(superadmin, scopes=["tasks:read"])
    assert reader.get(f"/tasks/{failed.id}").status_code == 200
    problem(reader.post(f"/tasks/{failed.id}/retry"), 403, "insufficient_scope")

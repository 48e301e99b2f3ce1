"""Background tasks, for superadmins: how they stand, what went wrong, and trying again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1 import endpoint
from portal.api.v1.answers import ListOut, Out
from portal.core.actor import Actor
from portal.core.errors import Forbidden
from portal.core.shapes import Limit
from portal.core.tasks import Task
from portal.domain import audit
from portal.domain.audit import NotFailed, TaskQuery
from portal.domain.doctors.shapes import Cursor

TAG = "Background tasks"
State = Literal["waiting", "done", "failed"]


class TasksQuery(TaskQuery):
    """Tasks in a state, with this in their name."""

    after: Cursor | None = None
    limit: Limit = 50


class TaskOut(Out):
    """One piece of work: `args` are ids, `last_error` is what went wrong at the last try."""

    id: UUID
    name: str
    args: list[Any]
    state: State
    attempts: int
    due_at: datetime
    finished_at: datetime | None
    last_error: str | None
    correlation_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Task) -> Self:
        told: dict[str, Any] = {name: getattr(row, name) for name in cls.model_fields}
        for name in ("due_at", "finished_at", "created_at"):
            told[name] = told[name] and told[name].astimezone(UTC)
        return cls(**told)


class Tasks(ListOut):
    """The latest first; `counts` says how many there are in each state, whatever was asked for."""

    items: list[TaskOut]
    counts: Annotated[dict[str, int], Field(description="State -> how many")]


@endpoint("GET", "/tasks", tag=TAG, query=TasksQuery, answer=Tasks, refuses=(Forbidden,), scope="tasks:read")
def list_tasks(actor: Actor, query: TasksQuery) -> Tasks:
    """Background tasks by state and name"""
    found = audit.background(actor, query, after=query.after, limit=query.limit)
    return Tasks(items=[TaskOut.of(row) for row in found], counts=audit.task_counts(actor), next=found.next)


@endpoint("GET", "/tasks/{task_id}", tag=TAG, answer=TaskOut, refuses=(Forbidden,), scope="tasks:read")
def get_task(actor: Actor, task_id: UUID) -> TaskOut:
    """One background task"""
    return TaskOut.of(audit.one_task(actor, task_id))


@endpoint(
    "POST",
    "/tasks/{task_id}/retry",
    tag=TAG,
    answer=TaskOut,
    refuses=(Forbidden, NotFailed),
    scope="tasks:write",
    keyed=True,
)
def retry_task(actor: Actor, task_id: UUID) -> TaskOut:
    """Give a failed task a fresh start"""
    return TaskOut.of(audit.retry(actor, task_id))

"""Work that can wait: outbox and record in one table.

`later` writes a task in the same transaction as the change that causes it, so the two cannot disagree. After the
commit its id is handed to the workers; what is not handed over (Redis away, process killed) is found by the sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Index, String, Text, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock, faults, log
from portal.core.db import Base, Identified, after_commit, before_commit, new_id, session, transaction
from portal.core.prepared import Prepared

MOST_ATTEMPTS = 6
BACKOFF = (10, 60, 300, 1800, 7200)  # seconds until the next try: quick at first, then hours for a mail server down
REHAND_WHEN_IDLE = timedelta(seconds=10)
REHAND_WHEN_BUSY = timedelta(minutes=10)

_COLUMNS = "id, created_at, name, args, key, due_at, correlation_id, state, attempts"
INSERT = (  # the value :tasks is a JSON list of rows
    f"INSERT INTO tasks ({_COLUMNS}) SELECT {_COLUMNS}"  # noqa: S608 - our own column names
    " FROM jsonb_populate_recordset(NULL::tasks, CAST(:tasks AS jsonb)) ON CONFLICT (key) DO NOTHING"
)
_WRITE = Prepared("tasks_write", INSERT)

_known: dict[str, Callable[..., Any]] = {}
_afterwards: dict[str, Callable[..., Any]] = {}
_hand_over: Callable[[list[UUID]], None] = lambda ids: None  # noqa: E731 - replaced by the application


class GivenUp(Exception):
    """Raised by a task that knows that trying again is in vain: it fails at once."""


class Task(Base, Identified):
    """One piece of work: what, with which ids, when due, how often tried and what went wrong (core/faults.py)."""

    name: Mapped[str] = mapped_column(String(120), index=True)
    args: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(12), default="waiting")  # waiting, done, failed
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=clock.now)
    handed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    correlation_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index("ix_tasks_due", "due_at", postgresql_where=text("state = 'waiting'")),)

    @property
    def is_over(self) -> bool:
        return self.state != "waiting"


def task(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function as one that may be run later; only marked ones are ever called by name."""
    _known[name_of(function)] = function
    return function


def if_given_up(function: Callable[..., Any], then: Callable[..., Any]) -> None:
    """Say at import which task follows, with the same arguments, when `function` has failed for good."""
    _afterwards[name_of(function)] = then


def name_of(function: Callable[..., Any]) -> str:
    """The stable name of a task: its module below portal and its own, such as notifications.notices.remind."""
    module = function.__module__.removeprefix("portal.").removeprefix("domain.")
    return f"{module}.{function.__name__}"


def later(
    function: Callable[..., Any],
    *args: Any,
    key: str | None = None,
    delay: timedelta | None = None,
    due_at: datetime | None = None,
) -> UUID:
    """Do `function(*args)` in a worker once this transaction is kept, not before `due_at` (or `delay` from now).

    `args` are ids and plain values. A second task with the same `key` is not made.
    """
    if name_of(function) not in _known:
        raise LookupError(f"{name_of(function)} is not marked with @task")
    now = clock.now()
    task_id = new_id()
    row = {
        "id": task_id,
        "created_at": now,
        "name": name_of(function),
        "args": [str(arg) if isinstance(arg, UUID) else arg for arg in args],
        "key": key,
        "due_at": due_at or (now + delay if delay else now),
        "correlation_id": log.correlation_id(),
        "state": "waiting",
        "attempts": 0,
    }
    session().info.setdefault("tasks", []).append(row)
    before_commit(write_pending, "tasks")
    return task_id


def write_pending() -> None:
    """Put the tasks asked for in this transaction into the database now; hand them over after the commit."""
    if rows := take_pending():
        _WRITE.run({"tasks": orjson.dumps(rows).decode()})


def take_pending() -> list[dict[str, Any]]:
    """The rows that were asked for in this transaction, for whoever writes them now; handed over after the commit."""
    rows: list[dict[str, Any]] = session().info.pop("tasks", [])
    soon = clock.now() + timedelta(seconds=1)
    ready = [row["id"] for row in rows if row["due_at"] <= soon]
    if ready:
        after_commit(lambda: _hand_over(ready))
    return rows


def settle() -> None:
    """Keep the record of what was asked for in this transaction, and do none of it: for the past of the demo."""
    rows = session().info.get("tasks", [])
    for row in rows:
        row |= {"state": "done", "attempts": 1, "handed_at": row["due_at"], "finished_at": row["due_at"]}
    for start in range(0, len(rows), 1000):
        session().info["tasks"] = rows[start : start + 1000]
        write_pending()
    session().info.pop("after_commit", None)


def hand_over_by(give: Callable[[list[UUID]], None]) -> None:
    """Say at start how ids reach the workers. It must not raise and must not wait."""
    global _hand_over
    _hand_over = give


def run(task_id: UUID | str) -> str:
    """Do one task if it is due and nobody else is doing it; returns its state afterwards, or "skipped".

    A failure undoes what the task did, keeps the error and makes it due again later; after six it stays failed until
    someone retries it by hand.
    """
    with transaction():
        row = (
            session()
            .scalars(
                select(Task)
                .where(Task.id == task_id, Task.state == "waiting", Task.due_at <= clock.now())
                .with_for_update(skip_locked=True)
            )
            .one_or_none()
        )
        if row is None:
            return "skipped"
        log.bind(row.correlation_id)
        try:
            with session().begin_nested():
                _known[row.name](*row.args)
                for write in list(session().info.get("before_commit", {}).values()):
                    write()
        except Exception as error:
            _forget_what_it_asked_for()
            _note_failure(row, error)
        else:
            row.state, row.finished_at, row.last_error = "done", clock.now(), None
            row.attempts += 1
        return row.state


def due(limit: int = 1000, *, idle: bool = True) -> list[UUID]:
    """The tasks to hand over now: due, and never handed over or handed over so long ago that they must be lost.

    `idle` says that no worker has anything queued, so what was handed over and is still waiting was lost.
    """
    now = clock.now()
    stale = now - (REHAND_WHEN_IDLE if idle else REHAND_WHEN_BUSY)
    ready = (
        select(Task.id)
        .where(Task.state == "waiting", Task.due_at <= now, func.coalesce(Task.handed_at, Task.created_at) < stale)
        .order_by(Task.due_at)
        .limit(limit)
    )
    fresh = (
        select(Task.id)
        .where(Task.state == "waiting", Task.due_at <= now, Task.handed_at.is_(None), Task.due_at > Task.created_at)
        .order_by(Task.due_at)
        .limit(limit)
    )
    ids = list(dict.fromkeys([*session().scalars(ready), *session().scalars(fresh)]))
    if ids:
        session().execute(update(Task).where(Task.id.in_(ids)).values(handed_at=now))
    return ids


def retry(task_id: UUID) -> None:
    """Give a failed task a fresh start."""
    row = session().get(Task, task_id, with_for_update=True, populate_existing=True)
    if row and row.state == "failed":
        row.state, row.attempts, row.due_at, row.handed_at = "waiting", 0, clock.now(), None
        after_commit(lambda: _hand_over([task_id]))


def prune(older_than: timedelta = timedelta(days=30)) -> int:
    """Forget tasks done long ago; failed ones stay until someone looks at them."""
    result = session().execute(
        text("DELETE FROM tasks WHERE state = 'done' AND finished_at < :before"), {"before": clock.now() - older_than}
    )
    return int(getattr(result, "rowcount", 0))


def counts() -> dict[str, int]:
    """How many tasks stand in each state, and "late": due for more than a minute."""
    found: dict[str, int] = dict.fromkeys(("waiting", "done", "failed", "late"), 0)
    found |= {row[0]: row[1] for row in session().execute(select(Task.state, func.count()).group_by(Task.state))}
    late = select(func.count()).where(Task.state == "waiting", Task.due_at < clock.now() - timedelta(minutes=1))
    return found | {"late": session().scalar(late) or 0}


def _note_failure(row: Task, error: Exception) -> None:
    row.attempts += 1
    row.last_error = faults.describe(error)[-4000:]
    if row.attempts >= MOST_ATTEMPTS or isinstance(error, GivenUp):
        row.state, row.finished_at = "failed", clock.now()
        if then := _afterwards.get(row.name):
            later(then, *row.args, key=f"{row.id}:given-up")
    else:
        row.due_at = clock.now() + timedelta(seconds=BACKOFF[min(row.attempts, len(BACKOFF)) - 1])
        row.handed_at = None
    log.warning(
        "task failed",
        task=row.name,
        task_id=str(row.id),
        attempts=row.attempts,
        state=row.state,
        kind=type(error).__name__,
    )


def _forget_what_it_asked_for() -> None:
    info = session().info
    for pending in ("events", "tasks", "nudges", "lazily", "before_commit", "after_commit"):
        info.pop(pending, None)

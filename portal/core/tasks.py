"""Work that can wait: outbox and record in one table.

`later` writes a task in the same transaction as the change that causes it, so the two cannot disagree. After the
commit its id is handed to the workers; what is not handed over (Redis away, process killed) is found by the sweep.

A task that needs another machine is a generator: it yields what is to be called (docs/decisions/0026).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import Index, Select, String, Text, func, select, text, true, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock, faults, lanes, log
from portal.core.db import Base, Identified, after_commit, before_commit, new_id, session, transaction
from portal.core.lanes import INSIDE, OUTSIDE, PROMPT, if_given_up, lane_of, name_of, promptly, task
from portal.core.prepared import Prepared

__all__ = ["GivenUp", "Task", "if_given_up", "lane_of", "later", "name_of", "promptly", "run", "task"]

MOST_ATTEMPTS = 6
BACKOFF = (10, 60, 300, 1800, 7200)  # seconds until the next try: quick at first, then hours for a mail server down
LEASE = timedelta(seconds=30)  # for one call outside; each gateway gives up before
REHAND_WHEN_IDLE = timedelta(seconds=10)
REHAND_WHEN_BUSY = timedelta(minutes=10)

_COLUMNS = "id, created_at, name, args, key, due_at, correlation_id, state, attempts"
INSERT = (  # the value :tasks is a JSON list of rows
    f"INSERT INTO tasks ({_COLUMNS}) SELECT {_COLUMNS}"  # noqa: S608 - our own column names
    " FROM jsonb_populate_recordset(NULL::tasks, CAST(:tasks AS jsonb)) ON CONFLICT (key) DO NOTHING"
)
_WRITE = Prepared("tasks_write", INSERT)

Call = Callable[[], Any]  # what a task yields: made outside any transaction
Steps = Generator[Call, Any, None]

_hand_over: Callable[[list[UUID], str], None] = lambda ids, lane: None  # noqa: E731 - replaced by the application


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

    __table_args__ = (
        Index("ix_tasks_due", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_tasks_failed", "finished_at", postgresql_where=text("state = 'failed'")),
    )

    @property
    def is_over(self) -> bool:
        return self.state != "waiting"


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
    if not lanes.is_task(name_of(function)):
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
    ready: dict[str, list[UUID]] = {}
    for row in rows:
        if row["due_at"] <= soon:
            ready.setdefault(lane_of(row["name"]), []).append(row["id"])
    if ready:
        after_commit(lambda: _hand_over_each(ready))
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


def hand_over_by(give: Callable[[list[UUID], str], None]) -> None:
    """Say at start how the ids of a lane reach its workers. It must not raise and must not wait."""
    global _hand_over
    _hand_over = give


def run(task_id: UUID | str) -> str:
    """Do one task if it is due and nobody else is doing it; returns its state afterwards, or "skipped".

    What a task yields is called between two transactions: what it did so far is kept, and it goes on with what came
    of the call. Meanwhile its row is leased (due again after LEASE), so that nobody else does it, and somebody does
    when this process dies. A failure undoes what the task did since, keeps the error and makes it due again later;
    after six it stays failed until someone retries it by hand.
    """
    one = _Run(task_id)
    state = one.step(next)
    while one.call is not None:
        state = one.step(_made(one.call))
    return state


class _Run:
    """One run of a task, transaction after transaction."""

    def __init__(self, task_id: UUID | str) -> None:
        self.task_id = task_id
        self.call: Call | None = None
        self._steps: Steps | None = None
        self._leased_until: datetime | None = None

    def step(self, resume: Callable[[Steps], Call]) -> str:
        """One transaction: until the task is done, has failed or wants something called."""
        self.call = None
        with transaction():
            row = session().scalars(self._mine()).one_or_none()
            if row is None:
                return "skipped"
            log.bind(row.correlation_id)
            try:
                with session().begin_nested():
                    call = self._advance(row, resume)
                    for write in list(session().info.get("before_commit", {}).values()):
                        write()
            except Exception as error:
                _forget_what_it_asked_for()
                _note_failure(row, error)
                return row.state
            if call is None:
                row.state, row.finished_at, row.last_error = "done", clock.now(), None
                row.attempts += 1
            else:
                row.due_at = self._leased_until = clock.now() + LEASE
                row.handed_at, self.call = None, call
            return row.state

    def _mine(self) -> Select[Task]:
        """The row when it is due and free, or still leased to this run."""
        waiting = select(Task).where(Task.id == self.task_id, Task.state == "waiting")
        if self._leased_until is None:
            return waiting.where(Task.due_at <= clock.now()).with_for_update(skip_locked=True)
        return waiting.where(Task.due_at == self._leased_until).with_for_update()

    def _advance(self, row: Task, resume: Callable[[Steps], Call]) -> Call | None:
        if self._steps is None:
            begun = lanes.function_of(row.name)(*row.args)
            if not inspect.isgenerator(begun):
                return None
            self._steps = cast(Steps, begun)
        try:
            return resume(self._steps)
        except StopIteration:
            return None


def _made(call: Call) -> Callable[[Steps], Call]:
    """Make the call; how the task goes on with what it returned or raised."""
    try:
        result = call()
    except Exception as error:
        raised = error
        return lambda steps: steps.throw(raised)
    return lambda steps: steps.send(result)


def due(limit: int = 1000, *, idle: bool = True, lane: str | None = None) -> list[UUID]:
    """The tasks to hand over now: due, and never handed over or handed over so long ago that they must be lost.

    `idle` says that no worker of this lane (of any) has anything queued, so what was handed over and waits was lost.
    """
    now = clock.now()
    stale = now - (REHAND_WHEN_IDLE if idle else REHAND_WHEN_BUSY)
    mine = _of(lane)
    ready = (
        select(Task.id)
        .where(
            mine, Task.state == "waiting", Task.due_at <= now, func.coalesce(Task.handed_at, Task.created_at) < stale
        )
        .order_by(Task.due_at)
        .limit(limit)
    )
    fresh = (
        select(Task.id)
        .where(
            mine, Task.state == "waiting", Task.due_at <= now, Task.handed_at.is_(None), Task.due_at > Task.created_at
        )
        .order_by(Task.due_at)
        .limit(limit)
    )
    ids = list(dict.fromkeys([*session().scalars(ready), *session().scalars(fresh)]))
    if ids:
        session().execute(update(Task).where(Task.id.in_(ids)).values(handed_at=now))
    return ids


def _of(lane: str | None) -> ColumnElement[bool]:
    """In SQL: the tasks of a lane, or all; what is known no more is INSIDE, where it fails."""
    if lane is None:
        return true()
    if lane == INSIDE:
        return Task.name.not_in([*lanes.names_in(OUTSIDE), *lanes.names_in(PROMPT)])
    return Task.name.in_(lanes.names_in(lane))


def retry(task_id: UUID) -> None:
    """Give a failed task a fresh start."""
    row = session().get(Task, task_id, with_for_update=True, populate_existing=True)
    if row and row.state == "failed":
        row.state, row.attempts, row.due_at, row.handed_at = "waiting", 0, clock.now(), None
        after_commit(lambda: _hand_over([task_id], lane_of(row.name)))


def prune(older_than: timedelta = timedelta(days=30)) -> int:
    """Forget tasks done long ago; failed ones stay until someone looks at them."""
    result = session().execute(
        text("DELETE FROM tasks WHERE state = 'done' AND finished_at < :before"), {"before": clock.now() - older_than}
    )
    return int(getattr(result, "rowcount", 0))


def _note_failure(row: Task, error: Exception) -> None:
    row.attempts += 1
    row.last_error = faults.describe(error)[-4000:]
    if row.attempts >= MOST_ATTEMPTS or isinstance(error, GivenUp):
        row.state, row.finished_at = "failed", clock.now()
        if then := lanes.following(row.name):
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


def _hand_over_each(ready: dict[str, list[UUID]]) -> None:
    for lane, ids in ready.items():
        _hand_over(ids, lane)


def _forget_what_it_asked_for() -> None:
    info = session().info
    for pending in ("events", "tasks", "nudges", "lazily", "before_commit", "after_commit"):
        info.pop(pending, None)

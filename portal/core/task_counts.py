"""How many tasks there are, for whoever looks after the portal."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.db import session
from portal.core.tasks import Task


def counts() -> dict[str, int]:
    """How many tasks stand in each state, and "late"; counts what was done in the last weeks one by one."""
    return {**not_done(), "done": _how_many(Task.state == "done")}


def not_done() -> dict[str, int]:
    """How many tasks wait, have failed, and are "late": due for more than a minute. Cheap: each has an index."""
    late = Task.due_at < clock.now() - timedelta(minutes=1)
    return {
        "waiting": _how_many(Task.state == "waiting"),
        "failed": _how_many(Task.state == "failed"),
        "late": _how_many(Task.state == "waiting", late),
    }


def _how_many(*which: ColumnElement[bool]) -> int:
    return session().scalar(select(func.count()).select_from(Task).where(*which)) or 0

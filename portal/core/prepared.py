"""Statements on the hot path: PostgreSQL plans each once per connection, and SQLAlchemy stays out of the way.

Planning a statement that reads from ten tables takes longer than running it. psycopg2 prepares nothing by itself, so
this does, with PREPARE and EXECUTE on a cursor of the driver: what SQLAlchemy does around each statement costs as much
as the statement itself (docs/decisions/0006). The transaction is the session's, and an error is wrapped, and a lost
connection noticed, as if SQLAlchemy had asked.

A pooler that gives each transaction another connection of the server (PgBouncer's transaction mode) loses what was
prepared: behind one, `expect_pooling` has the same statements sent whole each time. A connection that loses one all
the same sends them whole from then on, and the request begins anew (`was_lost`, portal.app).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extras import NamedTupleCursor
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.db import session

LOST = ("26000", "42P05")  # sqlstates: there is no such statement; there is one already
_pooled = False
_BIND = re.compile(r"(?<![:\w]):([a-z_]+)")


def expect_pooling(by_transaction: bool) -> None:
    """Whether a pooler gives each transaction another connection of the server, so that nothing can be prepared."""
    global _pooled
    _pooled = by_transaction


def was_lost(error: BaseException) -> bool:
    """Whether a statement was prepared on another connection of the server; tried again whole, it succeeds."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "pgcode", None) in LOST


class Prepared:
    """One statement with :named values, whose types PostgreSQL infers (cast where it cannot)."""

    def __init__(self, name: str, sql: str) -> None:
        # the same name is the same statement, in whichever version of the portal it was prepared
        self.name = f"portal_{name}_{hashlib.sha256(sql.encode()).hexdigest()[:8]}"
        self.values = list(dict.fromkeys(_BIND.findall(sql)))
        numbered = _BIND.sub(lambda found: f"${self.values.index(found[1]) + 1}", sql)
        self._prepare = f"PREPARE {self.name} AS {numbered}"
        self.order = _BIND.findall(sql)  # of values where it is sent whole: one for each place
        self._whole = _BIND.sub("%s", sql.replace("%", "%%"))
        self._execute = f"EXECUTE {self.name}" + (f" ({', '.join(['%s'] * len(self.values))})" if self.values else "")

    def run(self, values: Mapping[str, Any], *, after: Call | None = None) -> list[Any]:
        """Execute it in this transaction with these values; its rows, as named tuples.

        `after` is executed before it, in the same message to the database: this one sees what was committed until that
        one was done, as two statements one after the other do, and its rows are not told. Raises KeyError when a value
        is missing and DBAPIError as every statement does.
        """
        return self(values).run(after=after)

    def first(self, values: Mapping[str, Any], *, after: Call | None = None) -> Any:
        """As `run`, but the only row it can have, None when there is none."""
        rows = self.run(values, after=after)
        return rows[0] if rows else None

    def __call__(self, values: Mapping[str, Any]) -> Call:
        """It with its values, to be executed later or before another."""
        return Call(self, values)


class Call(NamedTuple):
    """A statement with its values."""

    statement: Prepared
    values: Mapping[str, Any]

    def run(self, *, after: Call | None = None) -> list[Any]:
        """Execute it now; see `Prepared.run`."""
        session().flush()  # as every query of the ORM does: what was changed is seen
        connection = db.connection()
        calls = [call._on(connection) for call in (after, self) if call]
        return _execute(connection, "; ".join(sql for sql, _ in calls), sum((given for _, given in calls), ()))

    def _on(self, connection: Connection) -> tuple[str, tuple[Any, ...]]:
        """What to execute on this connection, where the statement is prepared from now on if it can be."""
        if _pooled or connection.info.get("prepares_nothing"):
            return self.statement._whole, tuple(self.values[name] for name in self.statement.order)
        known: set[str] = connection.info.setdefault("prepared", set())
        if self.statement.name not in known:
            _execute(connection, self.statement._prepare, None)
            known.add(self.statement.name)
        return self.statement._execute, tuple(self.values[name] for name in self.statement.values)


def _execute(connection: Connection, sql: str, values: tuple[Any, ...] | None) -> list[Any]:
    with closing(connection.connection.cursor(cursor_factory=NamedTupleCursor)) as cursor:
        connection.dispatch.before_cursor_execute(connection, cursor, sql, values, None, False)
        try:
            cursor.execute(sql, values)
            return list(cursor.fetchall()) if cursor.description else []
        except BaseException as error:
            if isinstance(error, psycopg2.Error) and error.pgcode in LOST:
                connection.info["prepares_nothing"] = True
            if isinstance(error, psycopg2.Error) or not isinstance(error, Exception):
                # raises it as SQLAlchemy's own; who is stopped in the middle leaves no such connection to the next
                connection._handle_dbapi_exception(error, sql, values, cursor, None)
            raise

"""Statements on the hot path: PostgreSQL plans each once per connection, and the ORM stays out of the way.

Planning a statement that reads from ten tables takes longer than running it. psycopg2 prepares nothing by itself, so
this does, with PREPARE and EXECUTE. A pooler in front of the database must keep a session's connection (pgbouncer:
session mode).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import CursorResult

from portal.core.db import session

_BIND = re.compile(r"(?<![:\w]):([a-z_]+)")


class Prepared:
    """One statement with :named values, whose types PostgreSQL infers (cast where it cannot)."""

    def __init__(self, name: str, sql: str) -> None:
        self.name, self.sql = f"portal_{name}", sql
        self.values = list(dict.fromkeys(_BIND.findall(sql)))
        numbered = _BIND.sub(lambda found: f"${self.values.index(found[1]) + 1}", sql)
        self._prepare = f"PREPARE {self.name} AS {numbered}".replace("%", "%%")
        self._execute = f"EXECUTE {self.name}" + (f" ({', '.join(['%s'] * len(self.values))})" if self.values else "")

    def run(self, values: Mapping[str, Any]) -> CursorResult[Any]:
        """Execute it in this transaction with these values; raises KeyError when one is missing."""
        here = session()
        here.flush()  # as every query of the ORM does: what was changed is seen
        connection = here.connection()
        known: set[str] = connection.info.setdefault("prepared", set())
        if self.name not in known:
            connection.exec_driver_sql(self._prepare)
            known.add(self.name)
        return connection.exec_driver_sql(self._execute, tuple(values[name] for name in self.values))

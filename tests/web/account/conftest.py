"""What the tests of the account's pages share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from portal.core.db import db


@pytest.fixture
def queries(where: Flask) -> Callable[[], Any]:
    """`with queries() as asked:` collects the statements that reach the database."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        asked: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "PREPARE")):
                asked.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return collect

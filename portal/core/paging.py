"""Lists by key: the next page starts after the last row seen, so nothing is skipped or shown twice."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from portal.core.db import session
from portal.core.errors import Invalid
from portal.core.text import lazy as _

Row = TypeVar("Row")


class BadCursor(Invalid):
    """This cursor is not one we made, or not for this list."""

    code = "bad_cursor"
    sentence = _("This list has moved on. Please start from its first page.")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows and the cursor of the page after them, None on the last."""

    items: list[Row]
    next: str | None

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def page(
    statement: Select[Any],
    keys: list[Any],
    *,
    after: str | None = None,
    limit: int = 25,
    descending: bool = False,
) -> Page[Any]:
    """One page of `statement` ordered by `keys` (columns of its entity, the last one unique), after cursor `after`."""
    limit = max(1, min(limit, 100))
    if after:
        mark: ColumnElement[Any] = tuple_(*keys)  # type: ignore[assignment]
        values = tuple_(*(_typed(key, value) for key, value in zip(keys, decode(after, len(keys)), strict=True)))
        statement = statement.where(mark < values if descending else mark > values)
    ordered = statement.order_by(*(key.desc() if descending else key.asc() for key in keys)).limit(limit + 1)
    found = list(session().scalars(ordered).unique().all())
    more = len(found) > limit
    items = found[:limit]
    return Page(items, encode([getattr(items[-1], key.key) for key in keys]) if more else None)


def encode(values: list[Any]) -> str:
    plain = [
        value.isoformat() if hasattr(value, "isoformat") else value if isinstance(value, int) else str(value)
        for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(cursor: str, count: int) -> list[Any]:
    """The values in a cursor; raises Invalid for one we did not make."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or len(values) != count:
        raise BadCursor
    return values


def _typed(key: Any, value: Any) -> Any:
    """A value of a cursor as its column has it; raises BadCursor when it cannot be one of it."""
    wanted = key.type.python_type
    try:
        if wanted is datetime and (moment := datetime.fromisoformat(value)).tzinfo:
            return moment
        if wanted in {UUID, date, int, str}:
            return _READ[wanted](value)
    except (TypeError, ValueError, AttributeError):
        pass
    raise BadCursor


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    return value.encode().decode()  # a lone surrogate is no text


_READ: dict[type, Callable[[Any], Any]] = {UUID: UUID, date: date.fromisoformat, int: int, str: _text}

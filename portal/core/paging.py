"""Lists by key: the next page starts after the last row seen, so nothing is skipped or shown twice."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from portal.core.db import session
from portal.core.errors import Invalid
from portal.core.text import lazy as _

Row = TypeVar("Row")


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
        values = tuple_(*decode(after, len(keys)))
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
        raise Invalid(_("This list has moved on. Please start from its first page."), code="bad_cursor")
    return values

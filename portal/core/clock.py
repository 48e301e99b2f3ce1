"""The only clock: everything that asks for the time asks here, so that tests can move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_shift: timedelta = timedelta(0)
_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)


def now() -> datetime:
    """This moment, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC) + _shift


def today(zone: str | ZoneInfo) -> date:
    """The date it is in `zone`."""
    return now().astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone).date()


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    """Stop the clock of this thread at `moment`; for building the demo's past and for tests."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone")
    token = _frozen.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)


def shift(by: timedelta) -> None:
    """Move the clock of this whole process; for tests only."""
    global _shift
    _shift = by

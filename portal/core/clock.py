"""The only clock: everything that asks for the time asks here, so that tests can move it.

A date depends on where one is: "today" is the clinic's, where a thing belongs to one, and otherwise that of the zone
in which the portal lives (DEFAULT_TIME_ZONE), where its patients are. It is never the date in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_EASTERNMOST, _WESTERNMOST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))  # UTC+14 and UTC-12

_shift: timedelta = timedelta(0)
_home: ZoneInfo = ZoneInfo("Africa/Algiers")
_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)


def now() -> datetime:
    """This moment, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC) + _shift


def live_in(zone: str) -> None:
    """The zone of what belongs to no clinic, from the settings."""
    global _home
    _home = ZoneInfo(zone)


def home() -> ZoneInfo:
    """The zone of what belongs to no clinic: people, their families, the portal itself."""
    return _home


def today(zone: str | ZoneInfo) -> date:
    """The date it is in `zone`."""
    return now().astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone).date()


def is_over(day: date) -> bool:
    """Whether this date has passed everywhere on earth; for what comes in before its clinic is known."""
    return day < now().astimezone(_WESTERNMOST).date()


def is_to_come(day: date) -> bool:
    """Whether this date has begun nowhere on earth yet; for what comes in before its clinic is known."""
    return day > now().astimezone(_EASTERNMOST).date()


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

"""Dates and moments that come in, and the days from one to another: as they are written, within a sane span, in order.

Programs write a date 2026-03-31 (RFC 3339). People type 03/02/1990, 3.2.1990 or ٣-٢-١٩٩٠, in the order of their
language and in whichever digits, too: `typed` reads it for forms, addresses and searches alike. A bare number is no
date, although it could be read as seconds since 1970. Dates of the calendar lie between FIRST and LAST, so that a day,
a month or two years can be added to each in every zone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic_core import CoreSchema, core_schema

from portal.core.errors import Invalid
from portal.core.shapes import fault
from portal.core.text import lazy as _
from portal.core.text import writes_day_first
from portal.core.unseen import left_out

FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)
OLDEST_BIRTH = date(1850, 1, 1)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Between the parts of a typed date: / . - and their kin, the Arabic date separator and decimal sign, or spaces.
_BETWEEN = r"\s*([-/.\u2010-\u2015\u2044\u2212\u060c\u060d\u066b]|\s)\s*"
_TYPED = re.compile(rf"(\d{{4}}|\d{{1,2}}){_BETWEEN}(\d{{1,2}})\s*\2\s*(\d{{4}}|\d{{1,2}})", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII)
_NO_DATE = _("Please write a date, such as 2026-03-31.")
_NO_MOMENT = _("Please write a date and time with its offset, such as 2026-03-31T09:30:00+01:00.")
_NO_OFFSET = _("Please say which offset from UTC this time has, such as +01:00.")
_OTHER_CENTURY = _("Please choose a time in this century.")
_REVERSED = _("The last day must not be before the first.")


@dataclass(frozen=True, slots=True)
class _Date:
    """A date from `first` to `last`: of an address, a form or a verb as people type it, of JSON as programs do."""

    first: date
    last: date

    def __call__(self, value: Any) -> date:
        return self._within(typed(value) if isinstance(value, str) else value)

    def of_json(self, value: Any) -> date:
        return self._within(_written_date(value) if isinstance(value, str) else value)

    def _within(self, day: Any) -> date:
        if not isinstance(day, date) or isinstance(day, datetime):
            raise fault("date", _NO_DATE)
        if not self.first <= day <= self.last:
            raise fault("year", _OTHER_CENTURY)
        return day

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        plain = core_schema.no_info_plain_validator_function
        return core_schema.json_or_python_schema(json_schema=plain(self.of_json), python_schema=plain(self))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class _Moment:
    """An instant with its offset from UTC, on a date of the calendar."""

    def __call__(self, value: Any) -> datetime:
        at = _written_moment(value) if isinstance(value, str) else value
        if not isinstance(at, datetime):
            raise fault("moment", _NO_MOMENT)
        if at.tzinfo is None:
            raise fault("offset", _NO_OFFSET)
        if not FIRST <= at.date() <= LAST:
            raise fault("year", _OTHER_CENTURY)
        return at

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


Day = Annotated[date, _Date(FIRST, LAST)]
DayOfBirth = Annotated[date, _Date(OLDEST_BIRTH, LAST)]
Moment = Annotated[datetime, _Moment()]


@dataclass(frozen=True, slots=True)
class Days:
    """The dates first to last, both included, in order; raises Invalid when the last lies before the first."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Invalid(fields={"to": _REVERSED})

    @classmethod
    def asked(cls, first: date | None, last: date | None, *, today: date, length: int, most: int) -> Self:
        """The days that are meant: from `today` unless a first one is said, `length` of them unless a last one is.

        At most `most`. Raises Invalid for a last day before the first, whichever of them was said.
        """
        begins = first or today
        whole = cls(begins, last or begins + timedelta(days=length - 1))
        return cls(begins, min(whole.last, begins + timedelta(days=most - 1)))

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From the first moment of the first date to the end of the last, in this zone."""
        return datetime.combine(self.first, time(), zone), datetime.combine(self.last + timedelta(days=1), time(), zone)

    def __iter__(self) -> Any:
        return map(date.fromordinal, range(self.first.toordinal(), self.last.toordinal() + 1))


def in_order(first: date | None, last: date | None) -> None:
    """For a range that may stay open: refuse a last day before the first, as a Shape's validator does."""
    if first and last and last < first:
        raise fault("last_before_first", _REVERSED)


def typed(written: str) -> date | None:
    """The date that somebody typed, whichever signs stand between its parts and whichever digits; None when it is none.

    The year has four digits, first or last; day and month stand in the order of the language. Nothing is guessed:
    12/25/1990 is no date where the day comes first.
    """
    plain = "".join(str(unicodedata.decimal(char, char)) for char in left_out(written[:60])).strip()
    found = _TYPED.fullmatch(plain)
    if found is None:
        return None
    first, _sign, second, third = found.groups()
    year, month, day = (first, second, third) if len(first) == 4 else (third, second, first)
    if len(first) != 4 and not writes_day_first():
        month, day = day, month
    try:
        return date(int(year), int(month), int(day)) if len(year) == 4 and len(day) <= 2 else None
    except ValueError:
        return None


def read(written: str | None) -> date | None:
    """The date of an address that somebody may have typed; None when it is none of the calendar."""
    day = typed(written or "")
    return day if day and FIRST <= day <= LAST else None


def read_moment(written: str | None) -> datetime | None:
    """The moment of an address, where the + of its offset may have become a space; None when it is none."""
    at = _written_moment(re.sub(r" (\d{2}:?\d{2})$", r"+\1", written or ""))
    return at if at and at.tzinfo and FIRST <= at.date() <= LAST else None


def read_time(written: str | None) -> time | None:
    """The wall time of an address; None when it is none."""
    try:
        at = time.fromisoformat(written or "")
    except ValueError:
        return None
    return None if at.tzinfo else at


def _written_date(written: str) -> date | None:
    try:
        return date.fromisoformat(written.strip()) if _DATE.fullmatch(written.strip()) else None
    except ValueError:
        return None


def _written_moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written.upper()) if _MOMENT.fullmatch(written) else None
    except ValueError:
        return None

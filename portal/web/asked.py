"""Dates and times that stand in an address or a form: what is none of the calendar is as if nothing was said."""

from __future__ import annotations

from datetime import date, datetime, time

from flask import request

from portal.core import days


def day(name: str) -> date | None:
    """The date that was said under this name."""
    return days.read(request.values.get(name))


def wall_time(name: str) -> time | None:
    """The wall time that was said under this name."""
    return days.read_time(request.values.get(name))


def moment(written: str | None) -> datetime | None:
    """The instant that was written, at a full minute as visits begin."""
    found = days.read_moment(written)
    return found if found and not (found.second or found.microsecond) else None

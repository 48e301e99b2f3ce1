"""A week of hours as its grid shows it: columns of dates, blocks in quarters of an hour, and what holds later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from portal.core import text
from portal.core.text import gettext as say
from portal.core.text import ngettext
from portal.domain.doctors.models import Practice
from portal.domain.scheduling.closures import TimeOff
from portal.domain.scheduling.hours_preview import WeekDay
from portal.domain.scheduling.models import Opening
from portal.web import terms

STEP = 15  # minutes a row
DAY = 24 * 60
EARLIEST, LATEST = 7 * 60, 19 * 60  # the grid covers at least these hours


def grid(days: Sequence[WeekDay], practice: Practice, today: date) -> dict[str, Any]:
    """Columns with their blocks, and the first and last minute that is shown."""
    columns = [_column(day, practice, today) for day in days]
    shown = [block for column in columns for block in column["blocks"] if block["kind"] == "open"]
    starts = min([EARLIEST, *(block["start"] // 60 * 60 for block in shown)])
    ends = max([LATEST, *(-(-block["end"] // 60) * 60 for block in shown)])
    for column in columns:
        column["blocks"] = [one | _rows(one, starts, ends) for one in column["blocks"] if _inside(one, starts, ends)]
    return {"columns": columns, "starts": starts, "ends": ends, "step": STEP}


def later(openings: Sequence[Opening], last: date) -> list[Opening]:
    """What the shown week does not show yet: single dates and weekly hours that begin after it, soonest first."""
    found = [one for one in openings if (one.on_date or one.valid_from or last) > last]
    return sorted(found, key=lambda one: (one.on_date or one.valid_from or last, one.starts))


def week_start(day: date) -> date:
    """The first day of the week as the reader's calendar has it."""
    return day - timedelta(days=(day.weekday() - text.locale().first_week_day) % 7)


def dates_words(opening: Opening) -> str:
    """On which dates an opening holds, in words; empty for one that always does."""
    first, last = opening.valid_from, opening.valid_until
    if opening.on_date:
        return say("Only on this date")
    if first and last:
        return say("%(first)s to %(last)s", first=text.format_date(first, "medium"), last=_day(last))
    if first:
        return say("from %(date)s", date=_day(first))
    return say("until %(date)s", date=_day(last)) if last else ""


def kinds_words(opening: Opening) -> str:
    """The visit types an opening takes."""
    names = [kind.name_in(text.language()) for kind in opening.visit_types]
    return text.listed(names) if names else say("All visit types")


def places_words(opening: Opening) -> str:
    """How many come at the same time; empty for one."""
    return ngettext("%(n)s place", "%(n)s places", opening.capacity) if opening.capacity > 1 else ""


def _column(day: WeekDay, practice: Practice, today: date) -> dict[str, Any]:
    zone = practice.clinic.zone
    blocks = [_evening(one) if one.ends_next_day else _open(one) for one in day.openings]
    blocks += [_morning(one) for one in day.nights]
    blocks += [_off(one, day.date, zone) for one in day.off]
    if day.holiday:
        words = say("Holiday: %(name)s", name=day.holiday.name)
        blocks.append({"kind": "blocked", "start": 0, "end": DAY, "title": words, "time": say("All day")})
    return {
        "date": day.date,
        "label": text.format_day(day.date),
        "is_today": day.date == today,
        "is_past": day.date < today,
        "new_url": url_for(".new_opening", practice=practice.id, date=day.date.isoformat()),
        "blocks": sorted(blocks, key=lambda block: (block["start"], block["kind"])),
    }


def hours_words(opening: Opening) -> str:
    """From when until when; hours that pass midnight say so."""
    starts, ends = text.format_time(opening.starts), text.format_time(opening.ends)
    if opening.ends_next_day:
        return say("%(starts)s – %(ends)s the next day", starts=starts, ends=ends)
    return f"{starts} – {ends}"


def _open(opening: Opening) -> dict[str, Any]:
    """Hours as a block of a column, in minutes; `is_span` says that its time is two times and no sentence."""
    notes = (places_words(opening), kinds_words(opening), dates_words(opening))
    return {
        "kind": "open",
        "id": str(opening.id),
        "start": _minute(opening.starts),
        "end": _minute(opening.ends) or DAY,
        "time": hours_words(opening),
        "is_span": not opening.ends_next_day,
        "title": " · ".join(note for note in notes if note),
        "url": url_for(".opening", key=opening.id),
        "stretch_url": url_for(".stretch_opening", key=opening.id),
    }


def _evening(opening: Opening) -> dict[str, Any]:
    """What of hours that pass midnight lies on the day on which they begin; a part is not drawn longer."""
    return _open(opening) | {"end": DAY, "stretch_url": None}


def _morning(opening: Opening) -> dict[str, Any]:
    """The rest of them, on the day after."""
    starts, ends = text.format_time(opening.starts), text.format_time(opening.ends)
    since = say("%(starts)s the day before – %(ends)s", starts=starts, ends=ends)
    return _open(opening) | {"start": 0, "end": _minute(opening.ends), "stretch_url": None, "time": since}


def _off(off: TimeOff, day: date, zone: ZoneInfo) -> dict[str, Any]:
    starts, ends = (one.astimezone(zone) for one in (off.closure.starts_at, off.closure.ends_at))
    start = 0 if starts.date() < day else _minute(starts)
    end = DAY if ends.date() > day else _minute(ends)
    whole = (start, end) == (0, DAY)
    return {
        "kind": "blocked",
        "start": start,
        "end": end,
        "time": say("All day") if whole else f"{text.format_time(starts)} – {text.format_time(ends)}",
        "title": str(terms.CLOSURE_KINDS.get(off.closure.kind, off.closure.kind)),
    }


def _minute(wall: time | datetime) -> int:
    return wall.hour * 60 + wall.minute


def _rows(block: dict[str, Any], starts: int, ends: int) -> dict[str, int]:
    """The first row of a block, from 1, and how many it covers."""
    top = (max(block["start"], starts) - starts) // STEP
    bottom = -(-(min(block["end"], ends) - starts) // STEP)
    return {"row": top + 1, "rows": max(bottom - top, 1)}


def _inside(block: dict[str, Any], starts: int, ends: int) -> bool:
    return bool(block["start"] < ends and block["end"] > starts)


def _day(day: date) -> str:
    return text.format_date(day, "medium")

"""The doctor's week: visits, open hours and time off on one grid; a list on a phone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, url_for

from portal.core import text
from portal.core.text import gettext as say
from portal.domain.scheduling import days
from portal.domain.scheduling.closures import TimeOff
from portal.domain.scheduling.days import Frame, Hours, WeekDay
from portal.domain.scheduling.models import Appointment
from portal.web import htmx, terms, times
from portal.web.doctor import bp
from portal.web.doctor.today import asked
from portal.web.gate import actor

DAY_MINUTES = 24 * 60
MOST_LANES = 4
EARLIEST, LATEST = 8 * 60, 18 * 60  # the grid covers at least these hours
PAGE = ("doctor/week/index.html", "doctor/week/_week.html")


@bp.get("/week")
def week() -> Response:
    """Seven days; ?start= names any date of the week to show."""
    frame = days.frame(actor())
    first = week_start(asked("start") or frame.today)
    shown = days.week(actor(), frame, first)
    columns = [_column(frame, one) for one in shown]
    blocks = [block for column in columns for block in column["blocks"]]
    context = {
        "frame": frame,
        "columns": columns,
        "starts": min([EARLIEST, *(block["start"] // 60 * 60 for block in blocks)]),
        "ends": max([LATEST, *(-(-block["end"] // 60) * 60 for block in blocks)]),
        "label": times.range_label(first, first + timedelta(days=6)),
        "count": sum(len(one.visits) for one in shown),
        "is_now": first <= frame.today < first + timedelta(days=7),
        "previous_url": url_for("doctor.week", start=first - timedelta(days=7)),
        "next_url": url_for("doctor.week", start=first + timedelta(days=7)),
        "zone_note": times.zone_note(frame.zone),
    }
    return htmx.page(PAGE[0], fragment=PAGE[1], **context)


def week_start(day: date) -> date:
    """The first day of the week as the reader's calendar has it."""
    return day - timedelta(days=(day.weekday() - text.locale().first_week_day) % 7)


def _column(frame: Frame, day: WeekDay) -> dict[str, Any]:
    lanes = _lanes(day.visits)
    blocks = [_open(frame, one) for one in day.hours]
    blocks += [_off(frame, day.date, one) for one in day.off]
    blocks += [_visit(frame, visit, lanes[visit.id]) for visit in day.visits]
    return {
        "label": text.format_day(day.date),
        "url": url_for("doctor.today", day=day.date),
        "note": say("Closed: %(name)s", name=day.holidays[0].name) if day.holidays else None,
        "is_today": day.date == frame.today,
        "lanes": min(max(lanes.values(), default=0) + 1, MOST_LANES),
        "blocks": sorted(blocks, key=lambda block: (block["start"], block["rank"])),
    }


def _visit(frame: Frame, visit: Appointment, lane: int) -> dict[str, Any]:
    block = _block(visit.starts_at, visit.ends_at, frame.zone, visit.starts_at.astimezone(frame.zone).date())
    note = visit.visit_type.name_in(text.language())
    if len(frame.practices) > 1:
        note = f"{note} · {visit.clinic.name}"
    return block | {
        "time": text.format_time(visit.starts_at, visit.clinic.zone),
        "title": visit.patient.name,
        "note": note,
        "url": url_for("doctor.appointment", key=visit.id),
        "kind": visit.status,
        "lane": min(lane, MOST_LANES - 1),
        "rank": 2,
        "attrs": {"data-practice": _number(frame, visit.practice_id)},
    }


def _open(frame: Frame, hours: Hours) -> dict[str, Any]:
    block = _block(hours.starts_at, hours.ends_at, frame.zone, hours.starts_at.astimezone(frame.zone).date())
    title = hours.practice.clinic.name if len(frame.practices) > 1 else say("Open")
    return block | {
        "title": title,
        "kind": "open",
        "rank": 0,
        "attrs": {"data-practice": _number(frame, hours.practice.id)},
    }


def _off(frame: Frame, day: date, off: TimeOff) -> dict[str, Any]:
    block = _block(off.closure.starts_at, off.closure.ends_at, frame.zone, day)
    if block["start"] == 0 and block["end"] == DAY_MINUTES:
        block |= {"start": EARLIEST, "end": LATEST, "time": say("All day")}
    title = str(terms.CLOSURE_KINDS.get(off.closure.kind, off.closure.kind))
    note = " · ".join(part for part in (off.place, off.closure.note if off.is_own else "") if part)
    return block | {"title": title, "note": note, "kind": "blocked", "rank": 1, "attrs": {}}


def _block(starts_at: datetime, ends_at: datetime, zone: ZoneInfo, day: date) -> dict[str, Any]:
    """Start and end in minutes of `day`, cut at its midnights, and the time in words."""
    starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
    start = 0 if starts.date() < day else starts.hour * 60 + starts.minute
    end = DAY_MINUTES if ends.date() > day else ends.hour * 60 + ends.minute
    return {
        "start": start,
        "end": max(end, start + 5),
        "time": f"{text.format_time(starts)} – {text.format_time(ends)}",
        "url": None,
        "note": None,
        "lane": 0,
    }


def _lanes(visits: list[Appointment]) -> dict[Any, int]:
    """A lane for each visit, so that those at the same time stand side by side."""
    free_from: list[datetime] = []
    lanes = {}
    for visit in visits:
        lane = next((n for n, until in enumerate(free_from) if until <= visit.starts_at), len(free_from))
        if lane == len(free_from):
            free_from.append(visit.ends_at)
        free_from[lane] = visit.ends_at
        lanes[visit.id] = lane
    return lanes


def _number(frame: Frame, practice_id: Any) -> int:
    """Which of the doctor's practices this is, from 1 on; 0 for one that was ended."""
    return next((n for n, practice in enumerate(frame.practices, 1) if practice.id == practice_id), 0)

"""The doctor's week or day: a calendar to drag visits on; without JavaScript one grid, and a list on a phone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, jsonify, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.errors import Refused
from portal.core.policy import allow
from portal.core.text import gettext as say
from portal.domain.scheduling import appointments, calendar_view, days, policy
from portal.domain.scheduling.closures import TimeOff
from portal.domain.scheduling.days import Frame, Hours, WeekDay
from portal.domain.scheduling.models import Appointment
from portal.web import calendar_answers, calendar_feed, htmx, terms, times
from portal.web.calendar_page import Spot, asked_span, listed, tabs, widget
from portal.web.doctor import bp
from portal.web.gate import actor

DAY_MINUTES = 24 * 60
A_DAY = timedelta(days=1)
MOST_LANES = 4
EARLIEST, LATEST = 8 * 60, 18 * 60  # the grid covers at least these hours
PAGE = ("doctor/week/index.html", "doctor/week/_week.html")
VIEWS = ("week", "day", "list")


@bp.get("/week")
def week() -> Response:
    """Seven days, or one; ?start= names any date to show, ?view= how."""
    frame = days.frame(actor())
    spot = Spot.asked("start", frame.today, VIEWS)
    return htmx.page(PAGE[0], fragment=PAGE[1], **_context(frame, spot))


@bp.get("/week/events.json")
def week_events() -> Response:
    """What stands on the dates from ?start= to ?end= (not included), for the calendar."""
    frame = days.frame(actor())
    first, last = asked_span(frame.today)
    shown = _until(days.week(actor(), frame, first), last)
    off = {one.closure.id: one for day in shown for one in day.off}  # once, however many days it lasts
    return jsonify(
        [*(_closed(frame, one) for one in off.values()), *(row for day in shown for row in _rows(frame, day))]
    )


@bp.post("/week/<uuid:key>/move")
def move_on_week(key: UUID) -> AnyResponse:
    """Move a visit to where it was put; refused, the same sentence and the next free times."""
    frame = days.frame(actor())
    visit = appointments.find(actor(), key)
    allow(policy.may_manage(actor(), visit))
    here, day = url_for("doctor.move_on_week", key=key), visit.starts_at.astimezone(frame.zone).date()
    spot = Spot(day, frame.today, "week", False)

    def show(no: Refused, **said: Any) -> Response:
        return htmx.refused(no, PAGE[0], **{**_context(frame, spot), **said})

    back = url_for("doctor.week", start=day)
    return calendar_answers.move(key, frame.zone, here=here, back=back, show=show)


def _context(frame: Frame, spot: Spot) -> dict[str, Any]:
    shown = _until(days.week(actor(), frame, spot.first), spot.last)
    columns = [_column(frame, one) for one in shown]

    def link(**other: Any) -> str:
        view = spot.view if spot.is_asked else None
        return url_for("doctor.week", **{"start": spot.day, "view": view, **other})

    return {
        "frame": frame,
        "columns": columns,
        **_limits([block for column in columns for block in column["blocks"]]),
        "spot": spot,
        "label": spot.label,
        "count": sum(len(one.visits) for one in shown),
        "is_now": spot.is_now,
        "calendar_url": link(),
        "previous_url": link(start=spot.previous),
        "next_url": link(start=spot.next),
        "today_url": link(start=None),
        "day_before_url": link(start=spot.day - A_DAY),
        "day_after_url": link(start=spot.day + A_DAY),
        "tabs": tabs(spot, link, *_views()),
        "zone_note": times.zone_note(frame.zone),
        "listed": _listed(frame, spot, shown),
        "widget": _widget(frame, spot, shown),
        "figures_url": url_for("doctor.figures"),
    }


def _limits(blocks: list[dict[str, Any]]) -> dict[str, int]:
    """From which to which full hour the grid goes, in minutes."""
    return {
        "starts": min([EARLIEST, *(block["start"] // 60 * 60 for block in blocks)]),
        "ends": max([LATEST, *(-(-block["end"] // 60) * 60 for block in blocks)]),
    }


def _views() -> tuple[tuple[str, str, str], ...]:
    return (
        ("week", text.pgettext("view", "Week"), "calendar-week"),
        ("day", text.pgettext("view", "Day"), "calendar"),
        ("list", say("List"), "list"),
    )


def _until(shown: list[WeekDay], last: date) -> list[WeekDay]:
    return [one for one in shown if one.date <= last]


def _listed(frame: Frame, spot: Spot, shown: list[WeekDay]) -> list[dict[str, Any]]:
    return listed(
        frame.zone,
        spot.first,
        spot.last,
        [visit for one in shown for visit in one.visits],
        {one.date: say("Closed: %(name)s", name=one.holidays[0].name) for one in shown if one.holidays},
        url=lambda visit: url_for("doctor.appointment", key=visit.id),
        move=lambda visit: url_for("doctor.move", key=visit.id) if policy.can_move(actor(), visit) else None,
    )


def _widget(frame: Frame, spot: Spot, shown: list[WeekDay]) -> dict[str, Any]:
    hours = [one for day in shown for one in day.hours]
    visits = [visit for day in shown for visit in day.visits]
    return widget(
        spot,
        frame.zone,
        view="timeGridWeek" if spot.is_week else "timeGridDay",
        narrow="" if spot.is_asked else "timeGridDay",
        feed=url_for("doctor.week_events"),
        why=url_for("doctor.why_not"),
        snap=calendar_view.snap(hours, frame.zone, [visit.visit_type.duration for visit in visits]),
        spans=[*((one.starts_at, one.ends_at) for one in hours), *((one.starts_at, one.ends_at) for one in visits)],
    )


def _rows(frame: Frame, day: WeekDay) -> list[dict[str, Any]]:
    """Everything of one day as the calendar draws it."""
    zone, everywhere = frame.zone, [practice.id for practice in frame.practices]
    rows = [calendar_feed.open_hours(one, zone) for one in day.hours]
    rows += [calendar_feed.holiday(one.day, one.name, everywhere) for one in day.holidays[:1]]
    rows += [calendar_feed.kept(one, zone) for one in day.kept]
    for visit in day.visits:
        places = [visit.clinic.name] if len(frame.practices) > 1 else []
        rows.append(calendar_feed.visit(visit, zone, url=_page, move=_drag, notes=places))
    return rows


def _closed(frame: Frame, off: TimeOff) -> dict[str, Any]:
    note = " · ".join(part for part in (off.place, off.closure.note if off.is_own else "") if part)
    return calendar_feed.closed(off.closure, frame.zone, [practice.id for practice in frame.practices], note)


def _page(visit: Appointment) -> str:
    return url_for("doctor.appointment", key=visit.id)


def _drag(visit: Appointment) -> str | None:
    return url_for("doctor.move_on_week", key=visit.id) if policy.can_move(actor(), visit) else None


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
    title = hours.practice.clinic.name if len(frame.practices) > 1 else text.pgettext("hours", "Open")
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

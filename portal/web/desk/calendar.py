"""The clinic's calendar: every doctor side by side for a day, or one doctor's week; drag a visit to move it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import clock
from portal.core.errors import Forbidden, Refused, refuse
from portal.core.policy import allow, as_id
from portal.core.text import gettext as say
from portal.core.text import pgettext
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import appointments, calendar_view, policy
from portal.domain.scheduling.calendar_view import Board
from portal.domain.scheduling.models import Appointment
from portal.web import calendar_answers, calendar_feed, htmx, times
from portal.web.calendar_page import Spot, asked_span, listed, tabs, widget
from portal.web.desk import bp
from portal.web.gate import actor

INDEX = "desk/calendar/index.html"
VIEWS = ("day", "week", "list")


@dataclass(frozen=True)
class Asked:
    """What the address asks for: which clinic, of those one works at, which dates, which doctor."""

    clinics: list[Clinic]
    clinic: Clinic
    spot: Spot
    practice_id: UUID | None

    def url(self, **other: Any) -> str:
        """The address of the calendar as it is, but for what is other."""
        now = {"clinic": self.clinic.id, "day": self.spot.day, "view": self.spot.view, "practice": self.practice_id}
        return url_for("desk.calendar", **{key: value for key, value in {**now, **other}.items() if value})


@bp.get("/calendar")
def calendar() -> Response:
    """A day of the clinic or a doctor's week; ?day= ?view= ?clinic= ?practice= say of what."""
    return htmx.page(INDEX, fragment="calendar/_list.html", **_context(_asked()))


@bp.get("/calendar/events.json")
def calendar_events() -> Response:
    """What stands on the dates from ?start= to ?end= (not included), for the calendar."""
    clinics = _clinics()
    clinic = _clinic(clinics)
    first, last = asked_span(clock.today(clinic.zone))
    return jsonify(_events(calendar_view.board(actor(), clinic, first, last, _practice())))


@bp.post("/calendar/<uuid:key>/move")
def move_on_calendar(key: UUID) -> AnyResponse:
    """Move a visit to where it was put; refused, the same sentence and the next free times."""
    visit = appointments.find(actor(), key)
    allow(policy.may_manage(actor(), visit))
    zone, here = visit.clinic.zone, url_for("desk.move_on_calendar", key=key)
    day = visit.starts_at.astimezone(zone).date()

    def show(no: Refused, **said: Any) -> Response:
        asked = Asked([visit.clinic], visit.clinic, Spot(day, clock.today(zone), VIEWS[0], False), None)
        return htmx.refused(no, INDEX, **{**_context(asked), **said})

    def over(at: datetime, practice_id: UUID) -> str:
        return url_for("desk.move", key=key, practice_id=practice_id, starts_at=at.astimezone(zone).isoformat())

    back = url_for("desk.calendar", clinic=visit.clinic_id, day=day)
    return calendar_answers.move(key, zone, here=here, back=back, show=show, over=over)


def _clinics() -> list[Clinic]:
    found = calendar_view.clinics_of(actor())
    return found or refuse(Forbidden, say("You are not at the desk of a clinic yet. Ask its admin to add you."))


def _clinic(clinics: list[Clinic]) -> Clinic:
    wanted = request.args.get("clinic")
    return next((clinic for clinic in clinics if str(clinic.id) == wanted), clinics[0])


def _practice() -> UUID | None:
    return as_id(request.args["practice"]) if request.args.get("practice") else None


def _asked() -> Asked:
    clinics = _clinics()
    clinic = _clinic(clinics)
    return Asked(clinics, clinic, Spot.asked("day", clock.today(clinic.zone), VIEWS), _practice())


def _context(asked: Asked) -> dict[str, Any]:
    spot, clinic = asked.spot, asked.clinic
    board = calendar_view.board(actor(), clinic, spot.first, spot.last, asked.practice_id)
    everyone = calendar_view.practices_of(actor(), clinic) if asked.practice_id else board.practices
    if spot.view == "week" and asked.practice_id is None:
        only = board.present[0].id if board.present else None
        asked = Asked(asked.clinics, clinic, spot, only)
        board = board.only(only) if only else board
    return {
        "asked": asked,
        "calendar_url": asked.url(),
        "board": board,
        "everyone": everyone,
        "listed": _listed(board),
        "widget": _widget(asked, board),
        "label": spot.label,
        "previous_url": asked.url(day=spot.previous),
        "next_url": asked.url(day=spot.next),
        "today_url": None if spot.is_now else asked.url(day=None),
        "tabs": tabs(spot, asked.url, *_views()),
        "zone_note": times.zone_note(clinic.zone),
        "nobody": None if board.hours or board.visits else _nobody(spot),
        "holidays": [say("Closed: %(name)s", name=one.name) for one in board.holidays],
        "why_url": url_for("desk.why_not", practice_id=asked.practice_id, day=spot.day),
    }


def _views() -> tuple[tuple[str, str, str], ...]:
    week = ("week", say("Week of a doctor"), "calendar-week")
    return ("day", pgettext("view", "Day"), "layout-columns"), week, ("list", say("List"), "list")


def _nobody(spot: Spot) -> str:
    return say("No doctor receives in this week.") if spot.is_week else say("No doctor receives on this day.")


def _listed(board: Board) -> list[dict[str, Any]]:
    names = {practice.id: practice.doctor.name for practice in board.practices}
    return listed(
        board.zone,
        board.first,
        board.last,
        board.visits,
        {one.day: say("Closed: %(name)s", name=one.name) for one in board.holidays},
        doctor=lambda visit: names.get(visit.practice_id, ""),
        url=_visit_url,
        move=_move_page,
    )


def _widget(asked: Asked, board: Board) -> dict[str, Any]:
    is_day = asked.spot.view != "week"
    only: dict[str, Any] = {"practice": asked.practice_id} if asked.practice_id else {}
    which: dict[str, Any] = {} if is_day else {"practice_id": asked.practice_id}
    return widget(
        asked.spot,
        board.zone,
        view="resourceTimeGridDay" if is_day else "timeGridWeek",
        narrow="" if is_day else "timeGridDay",
        feed=url_for("desk.calendar_events", clinic=asked.clinic.id, **only),
        why=url_for("desk.why_not", **which),
        snap=calendar_view.snap(board.hours, board.zone, [visit.visit_type.duration for visit in board.visits]),
        spans=board.spans,
        resources=[{"id": str(one.id), "title": one.doctor.name} for one in board.present] if is_day else [],
    )


def _events(board: Board) -> list[dict[str, Any]]:
    zone, everybody = board.zone, [practice.id for practice in board.practices]
    rows = [calendar_feed.open_hours(one, zone) for one in board.hours]
    rows += [calendar_feed.holiday(one.day, one.name, everybody) for one in board.holidays]
    for closure in board.off:
        hit = [practice.id for practice in board.practices if calendar_view.concerns(closure, practice)]
        rows.append(calendar_feed.closed(closure, zone, hit, closure.note))
    rows += [calendar_feed.kept(one, zone) for one in board.kept]
    return [*rows, *(calendar_feed.visit(one, zone, url=_visit_url, move=_drag_url) for one in board.visits)]


def _visit_url(visit: Appointment) -> str:
    return url_for("desk.appointment", key=visit.id)


def _move_page(visit: Appointment) -> str | None:
    return url_for("desk.move", key=visit.id) if policy.can_move(actor(), visit) else None


def _drag_url(visit: Appointment) -> str | None:
    return url_for("desk.move_on_calendar", key=visit.id) if policy.can_move(actor(), visit) else None

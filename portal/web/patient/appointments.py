"""A patient's appointments: the list, one of them, and its calendar file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, make_response, request, url_for

from portal.core import text
from portal.core.actor import Actor
from portal.core.errors import Invalid
from portal.core.policy import as_id
from portal.domain.day import arriving
from portal.domain.patients import family
from portal.domain.reviews import reading, writing
from portal.domain.scheduling import appointments, calendars, glance, policy, series, video
from portal.domain.scheduling.models import COMPLETED, Appointment
from portal.domain.waitlist import entries
from portal.web import htmx, times
from portal.web.gate import actor
from portal.web.patient import bp
from portal.web.patient.telling import told

WHENS = ("upcoming", "past", "called_off")


@bp.get("/appointments", endpoint="appointments")
def index() -> Response:
    """The visits still to come, those that are over, or those called off ahead of their time, page by page."""
    when = request.args.get("when", "upcoming")
    if when not in WHENS:
        raise Invalid
    whose = as_id(request.args["patient"]) if request.args.get("patient") else None
    found = glance.mine(actor(), when, after=request.args.get("after") or None, patient_id=whose)
    here: dict[str, Any] = {"when": when, "patient": whose}
    following = url_for("patient.appointments", **here, after=found.next) if found.next else None
    page, fragment = "patient/appointments/index.html", "patient/appointments/_list.html"
    return htmx.page(
        page, fragment=fragment, **here, people=_people(actor()), found=found, next_url=following, times=times
    )


@bp.get("/appointments/<uuid:key>")
def appointment(key: UUID) -> Response:
    found = appointments.find(actor(), key)
    return htmx.page(
        "patient/appointments/show.html", fragment="patient/appointments/_appointment.html", **about(found)
    )


@bp.get("/appointments/<uuid:key>/calendar.ics")
def calendar(key: UUID) -> Response:
    """The appointment for the patient's own calendar; a cancelled one takes itself out of it."""
    found = appointments.find(actor(), key)
    answer = make_response(calendars.ics(found))
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{calendars.file_name(found)}"'
    return answer


def about(found: Appointment) -> dict[str, Any]:
    """Everything the page of one appointment shows."""
    return {
        "appointment": found,
        "zone": found.clinic.zone,
        "is_open": policy.can_cancel(actor(), found),
        "can_move": policy.can_move(actor(), found),
        "moves_left": policy.moves_left(actor(), found),
        "is_own": policy.is_own(actor(), found),
        "can_change_reason": policy.can_change_reason(actor(), found),
        "review": reading.of_visit(actor(), found.id) if found.status == COMPLETED else None,
        "may_review": writing.may_write(actor(), found),
        "until": until(found),
        "video_link": video.link(found),
        "run": series.of(actor(), found),
        "arriving": arriving.seen_by(actor(), found),
        "waiting": entries.for_visit(actor(), found.id) if found.is_upcoming else None,
        "events": told(appointments.history(actor(), found), found, actor()),
        "times": times,
    }


def _people(who: Actor) -> list[tuple[UUID, str]]:
    """Whose visits the list can be narrowed to: oneself and those one looks after; empty when there is only one."""
    others = [(one.id, one.name) for one in family.looked_after(who)] if who.dependants or who.dependants_at else []
    own = [(who.patient_id, who.name)] if who.patient_id else []
    return [*own, *others] if others else []


def until(found: Appointment) -> str:
    """The last moment at which it can be changed online, in words."""
    return text.format_datetime(policy.changes_until(found, found.visit_type), found.clinic.zone)

"""A patient's appointments: the list, one of them, and its calendar file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, make_response, request, url_for

from portal.core import text
from portal.core.errors import Invalid
from portal.domain.day import arriving
from portal.domain.scheduling import appointments, calendars, glance, policy, video
from portal.domain.scheduling.models import RELEASED, Appointment
from portal.web import htmx, times
from portal.web.gate import actor
from portal.web.patient import bp
from portal.web.patient.telling import told

WHENS = ("upcoming", "past")


@bp.get("/appointments", endpoint="appointments")
def index() -> Response:
    """The visits still to come or the others, page by page."""
    when = request.args.get("when", "upcoming")
    if when not in WHENS:
        raise Invalid
    found = glance.mine(actor(), when, after=request.args.get("after") or None)
    following = url_for("patient.appointments", when=when, after=found.next) if found.next else None
    page, fragment = "patient/appointments/index.html", "patient/appointments/_list.html"
    return htmx.page(page, fragment=fragment, when=when, found=found, next_url=following, times=times)


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
    answer = make_response(calendars.ics(found, "CANCEL" if found.status in RELEASED else "REQUEST"))
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="visit-{found.reference}.ics"'
    return answer


def about(found: Appointment) -> dict[str, Any]:
    """Everything the page of one appointment shows."""
    return {
        "appointment": found,
        "zone": found.clinic.zone,
        "is_open": policy.is_open_to(actor(), found),
        "until": until(found),
        "video_link": video.link(found),
        "arriving": arriving.seen_by(actor(), found),
        "events": told(appointments.history(actor(), found), found.clinic.zone, actor()),
        "times": times,
    }


def until(found: Appointment) -> str:
    """The last moment at which it can be changed online, in words."""
    return text.format_datetime(policy.changes_until(found, found.visit_type), found.clinic.zone)

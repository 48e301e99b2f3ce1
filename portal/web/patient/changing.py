"""A patient moves or cancels a visit, or says something else about why they come."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Invalid, Refused
from portal.core.policy import allow
from portal.core.text import gettext as say
from portal.core.text import ngettext
from portal.domain.scheduling import appointments, booking, finding, policy, reasons, series
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.refusals import NotGiven, NotInThisState
from portal.web import asked, htmx, times
from portal.web.gate import actor
from portal.web.patient import bp
from portal.web.patient.appointments import until
from portal.web.patient.forms import CancelForm, MoveForm, ReasonForm
from portal.web.public.doctors import arrows

CANCEL = ("patient/appointments/cancel.html", "patient/appointments/_cancel.html")
MOVE = ("patient/appointments/move.html", "patient/appointments/_move.html")


@bp.get("/appointments/<uuid:key>/move")
def move(key: UUID) -> Response:
    """The free times of the same doctor and visit; the visit's own time counts as free.

    With ?starts_at= the time that was chosen stands beside the present one, and one more button moves the visit.
    """
    found, at = _to_change(key), asked.moment(request.args.get("starts_at"))
    version = request.args.get("version", type=int) or found.version
    return _confirm_page(found, version, at) if at else _move_page(found, MoveForm(data={"version": version}))


@bp.post("/appointments/<uuid:key>/move")
def reschedule(key: UUID) -> AnyResponse:
    form = MoveForm()
    if not form.accepted():
        found = appointments.find(actor(), key)
        return _move_page(found, form, Invalid(fields={"starts_at": say("Please choose one of the times.")}))
    try:
        found = booking.reschedule(actor(), key, **form.clean.values())
    except Refused as no:
        return _move_page(appointments.find(actor(), key), form, no)
    return htmx.done(url_for("patient.appointment", key=found.id), say("Your visit is moved."))


@bp.get("/appointments/<uuid:key>/cancel")
def cancel(key: UUID) -> Response:
    """Ask why and name what will happen; only the POST does it."""
    found = _to_change(key)
    return htmx.page(CANCEL[0], fragment=CANCEL[1], **_cancelling(found, CancelForm(data={"version": found.version})))


@bp.post("/appointments/<uuid:key>/cancel")
def cancel_appointment(key: UUID) -> AnyResponse:
    form = CancelForm()
    if not form.accepted():
        found = appointments.find(actor(), key)
        return htmx.refused(Invalid(), CANCEL[0], fragment=CANCEL[1], **_cancelling(found, form))
    try:
        ended = series.cancel(actor(), key, **form.clean.values())
    except Refused as no:
        found = appointments.find(actor(), key)
        return htmx.refused(no, CANCEL[0], fragment=CANCEL[1], **_cancelling(found, form))
    done = url_for("patient.appointment", key=key)
    return htmx.done(
        done,
        ngettext(
            "Your visit is cancelled. The time is free for others.",
            "%(n)s visits are cancelled. The times are free for others.",
            len(ended),
        ),
    )


@bp.get("/appointments/<uuid:key>/reason")
def reason(key: UUID) -> Response:
    """A form with what the doctor was told so far."""
    found = _to_change(key)
    allow(policy.can_change_reason(actor(), found), NotInThisState)
    return _reason_page(found, ReasonForm(data={"reason": found.reason}))


@bp.post("/appointments/<uuid:key>/reason")
def change_reason(key: UUID) -> AnyResponse:
    form = ReasonForm()
    if not form.accepted():
        return _reason_page(_to_change(key), form, Invalid())
    try:
        reasons.change(actor(), key, **form.clean.values())
    except Refused as no:
        return _reason_page(_to_change(key), form, no)
    return htmx.done(url_for("patient.appointment", key=key), say("Saved. The doctor reads it as you wrote it now."))


def _reason_page(found: Appointment, form: ReasonForm, no: Refused | None = None) -> Response:
    context: dict[str, Any] = {"appointment": found, "form": form, "zone": found.clinic.zone}
    if no:
        return htmx.refused(no, "patient/appointments/reason.html", **context)
    return htmx.page("patient/appointments/reason.html", refusal=None, **context)


def _to_change(key: UUID) -> Appointment:
    """The visit, for whoever may change it at all; whoever only looks after it with their eyes is told so."""
    found = appointments.find(actor(), key)
    allow(policy.is_own(actor(), found) or policy.may_manage(actor(), found))
    return found


def _cancelling(found: Appointment, form: CancelForm) -> dict[str, Any]:
    return {
        "appointment": found,
        "form": form,
        "zone": found.clinic.zone,
        "times": times,
        "until": until(found),
        "run": series.of(actor(), found),
    }


def _confirm_page(found: Appointment, version: int, at: datetime) -> Response:
    form = MoveForm(formdata=None, data={"version": version, "starts_at": at.isoformat()})
    context: dict[str, Any] = {
        "appointment": found,
        "form": form,
        "zone": found.clinic.zone,
        "at": at,
        "times": times,
        "until": until(found),
        "moves_left": policy.moves_left(actor(), found),
    }
    return htmx.page(MOVE[0], fragment=MOVE[1], refusal=None, **context)


def _move_page(found: Appointment, form: MoveForm, no: Refused | None = None) -> Response:
    zone = found.clinic.zone
    allow(policy.is_placed(found), NotGiven)
    day = asked.day("from") or found.starts_at.astimezone(zone).date()
    free = finding.week(
        actor(), found.practice_id, found.visit_type, zone, day, patient_id=found.patient_id, moving=found
    )
    week = times.week_view(free, without=found.starts_at)
    context: dict[str, Any] = {
        "appointment": found,
        "form": form,
        "zone": zone,
        "week": week,
        "times": times,
        "until": until(found),
        "at": None,
        "moves_left": policy.moves_left(actor(), found),
        "others": times.others(no.facts.get("alternatives", ()), zone) if no else [],
        **arrows(week, "patient.move", key=found.id),
    }
    if no:
        form.version.data = found.version
        return htmx.refused(no, MOVE[0], fragment=MOVE[1], **context)
    return htmx.page(MOVE[0], fragment=MOVE[1], refusal=None, **context)

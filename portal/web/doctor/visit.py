"""One visit as its doctor sees it: who comes and why, what happened so far, and what can be done."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Invalid, Refused
from portal.core.policy import allow
from portal.core.text import format_datetime
from portal.core.text import gettext as say
from portal.domain.access import people
from portal.domain.patients import care
from portal.domain.scheduling import appointments, booking, days, finding, health, invitations, policy, video, visits
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.refusals import NotGiven
from portal.web import asked, htmx, terms, times
from portal.web.doctor import bp
from portal.web.doctor.forms import DeclineForm, MoveForm
from portal.web.doctor.today import arrows
from portal.web.gate import actor
from portal.web.shared import visit_extras
from portal.web.shared.arranging_forms import CancelVisitsForm

PAGE = ("doctor/visit/show.html", "doctor/visit/_visit.html")
MOVE = ("doctor/visit/move.html", "doctor/visit/_move.html")


@bp.get("/appointments/<uuid:key>")
def appointment(key: UUID) -> Response:
    """One visit, its patient and its history."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **visit_context(key))


@bp.post("/appointments/<uuid:key>/decline")
def decline(key: UUID) -> AnyResponse:
    """Refuse a request with a reason; its time is free again."""
    form = DeclineForm.fresh()
    if not form.accepted():
        return _refused(key, None, decline_form=form)
    try:
        booking.decline(actor(), key, **form.clean.values())
    except Refused as no:
        return _refused(key, no, decline_form=form)
    sentence = say("Declined. The patient gets a message, and the time is free again.")
    if day := asked.day("day"):
        return htmx.done(url_for("doctor.today", day=day), sentence)
    return _done(key, sentence)


@bp.post("/appointments/<uuid:key>/cancel")
def cancel(key: UUID) -> AnyResponse:
    """Call a visit off with a reason; the patient is told."""
    form = CancelVisitsForm.fresh()
    if not form.accepted():
        return _refused(key, None, cancel_form=form)
    try:
        sentence = visit_extras.call_off(key, form.clean)
    except Refused as no:
        return _refused(key, no, cancel_form=form)
    return _done(key, sentence)


@bp.get("/appointments/<uuid:key>/move")
def move(key: UUID) -> Response:
    """The free times this visit can be moved to; ?start= shows another week."""
    return htmx.page(MOVE[0], fragment=MOVE[1], **_move_context(appointments.find(actor(), key)))


@bp.post("/appointments/<uuid:key>/move")
def move_to(key: UUID) -> AnyResponse:
    """Move a visit; the old time is given up only if the new one is won."""
    zone = appointments.find(actor(), key).clinic.zone
    form = MoveForm()
    if not form.accepted():
        return _not_moved(key, Invalid(fields={"starts_at": say("Please choose one of the times.")}))
    try:
        moved = booking.reschedule(actor(), key, **form.clean.values())
    except Refused as no:
        return _not_moved(key, no)
    time = format_datetime(moved.starts_at, zone)
    return _done(key, say("Moved to %(time)s. The patient gets a message.", time=time), page=True)


def visit_context(key: UUID) -> dict[str, Any]:
    """What the page of a visit shows."""
    visit = appointments.find(actor(), key)
    happened = appointments.history(actor(), visit)
    names = people.names([event.actor_id for event in happened if event.actor_id])
    return {
        "visit": visit,
        "health": health.of(actor(), visit.patient),
        "zone": visit.clinic.zone,
        "local_day": visit.starts_at.astimezone(visit.clinic.zone).date(),
        "story": terms.story(happened, names, visit.clinic.zone, care.acted_for(happened)),
        "earlier": days.earlier(actor(), visit),
        "invited": invitations.of_patient(actor(), visit.patient_id, visit.practice_id),
        "video_link": video.link(visit),
        "steps": visits.next_steps(visit),
        "can_be_taken_back": visits.can_be_taken_back(visit),
        "may_decide": policy.may_decide(actor(), visit),
        "may_cancel": policy.can_cancel(actor(), visit),
        "can_move": policy.can_move(actor(), visit),
        "cancel_form": CancelVisitsForm.fresh(data={"version": visit.version}),
        "decline_form": DeclineForm.fresh(),
        "terms": terms,
        **visit_extras.of(visit),
    }


def _move_context(visit: Appointment) -> dict[str, Any]:
    allow(policy.is_placed(visit), NotGiven)
    zone, first = visit.clinic.zone, asked.day("start")
    found = finding.week(
        actor(), visit.practice_id, visit.visit_type, zone, first, patient_id=visit.patient_id, moving=visit
    )
    week = times.week_view(found)
    return {
        "visit": visit,
        "zone": week.zone,
        "week": week,
        "terms": terms,
        **arrows(week, partial(url_for, "doctor.move", key=visit.id)),
    }


def _not_moved(key: UUID, no: Refused) -> Response:
    context = _move_context(appointments.find(actor(), key))
    others = times.others(no.facts.get("alternatives", ()), context["zone"])
    return htmx.refused(no, MOVE[0], fragment=MOVE[1], others=others, **context)


def _refused(key: UUID, no: Refused | None, **forms: Any) -> Response:
    context = {**visit_context(key), **forms}
    if no is None:
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **context)
    return htmx.refused(no, PAGE[0], fragment=PAGE[1], **context)


def _done(key: UUID, sentence: str, *, page: bool = False) -> AnyResponse:
    url = url_for("doctor.appointment", key=key)
    return htmx.done(url, sentence) if page else htmx.done(url, sentence, fragment=PAGE[1], **visit_context(key))

"""One visit as the desk sees it: who comes, what happened, and everything that can be arranged about it."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Forbidden, Invalid, NotFound, Refused, refuse
from portal.core.policy import allow, as_id
from portal.core.text import format_datetime
from portal.core.text import gettext as say
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import appointments, booking, desk, finding, groups, overbooking, policy
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.refusals import NotGiven
from portal.web import asked, day_steps, htmx, terms, times
from portal.web.desk import bp
from portal.web.doctor import visit as doctors
from portal.web.doctor.forms import DeclineForm
from portal.web.gate import actor
from portal.web.shared import visit_extras
from portal.web.shared.arranging_asked import arrows, other_time
from portal.web.shared.arranging_forms import AT_DESK, CancelVisitsForm, MoveForForm

PAGE = ("desk/appointments/show.html", "desk/appointments/_visit.html")
MOVE = ("desk/appointments/move.html", "desk/appointments/_move.html")


@bp.get("/appointments/<uuid:key>")
def appointment(key: UUID) -> Response:
    """One visit, its patient and its history."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **_context(key))


@bp.post(f"/appointments/<uuid:key>/<{day_steps.NAMES}:step>")
def appointment_step(key: UUID, step: str) -> AnyResponse:
    """Take one step with the visit; answers with its page."""
    _found(key)
    try:
        sentence, taken = day_steps.take(actor(), key, step, request.form)
    except Refused as no:
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_context(key))
    back = day_steps.undo(taken, step, lambda other: url_for("desk.appointment_step", key=key, step=other), "#visit")
    return _done(key, sentence, back)


@bp.post("/appointments/<uuid:key>/decline")
def decline(key: UUID) -> AnyResponse:
    """Refuse a request with a reason; its time is free again."""
    _found(key)
    form = DeclineForm.fresh()
    if not form.accepted():
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **_context(key) | {"decline_form": form})
    try:
        booking.decline(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_context(key) | {"decline_form": form})
    return _done(key, say("Declined. The patient gets a message, and the time is free again."))


@bp.post("/appointments/<uuid:key>/cancel")
def cancel(key: UUID) -> AnyResponse:
    """Call it off with a reason, with those that follow in its series when asked."""
    _found(key)
    form = CancelVisitsForm.fresh().at_desk()
    if not form.accepted():
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **_context(key) | {"cancel_form": form})
    try:
        sentence = visit_extras.call_off(key, form.clean)
    except Refused as no:
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_context(key) | {"cancel_form": form})
    return _done(key, sentence)


@bp.get("/appointments/<uuid:key>/move")
def move(key: UUID) -> Response:
    """The times it can be moved to; ?practice_id= another doctor, ?day= and ?wall= or ?starts_at= one to confirm."""
    visit = _found(key)
    return _move_page(visit, _practice(visit), MoveForForm(formdata=None), at=_asked_time(visit))


@bp.post("/appointments/<uuid:key>/move")
def move_to(key: UUID) -> AnyResponse:
    """Move it; refused, what is in the way is named, and with a reason it is booked over."""
    visit, form = _found(key), MoveForForm()
    practice, zone = _practice(visit), visit.clinic.zone
    if not form.accepted():
        no = Invalid(fields=form.errors or {"starts_at": say("Please choose one of the times.")})
        return _move_page(visit, practice, form, no, at=asked.moment(request.form.get("starts_at")))
    seen = form.clean.seen.split(",") if form.clean.seen else ()
    try:
        moved = overbooking.reschedule(actor(), key, **{**form.clean.values(), "seen": seen})
    except NotFound:
        raise
    except Refused as no:
        return _move_page(_found(key), practice, form, no, at=form.clean.starts_at)
    time = format_datetime(moved.starts_at, zone)
    return htmx.done(_url(key), say("Moved to %(time)s. The patient gets a message.", time=time))


def _found(key: UUID) -> Appointment:
    """The visit, if the actor arranges visits of its clinic."""
    visit = appointments.find(actor(), key)
    allow(policy.may_manage(actor(), visit), Forbidden)
    return visit


def _context(key: UUID) -> dict[str, Any]:
    shown = doctors.visit_context(key)
    allow(policy.may_manage(actor(), shown["visit"]), Forbidden)
    return {**shown, "cancel_form": shown["cancel_form"].at_desk(), "ended_words": AT_DESK}


def _done(key: UUID, sentence: str, undo: htmx.Undo | None = None) -> AnyResponse:
    return htmx.done(_url(key), sentence, fragment=PAGE[1], undo=undo, **_context(key))


def _url(key: UUID) -> str:
    return url_for("desk.appointment", key=key)


def _practice(visit: Appointment) -> Practice:
    found, wanted = _practices(visit), request.values.get("practice_id")
    allow(bool(found), NotGiven)
    if wanted:
        return next((one for one in found if one.id == as_id(wanted)), None) or refuse(NotFound)
    return next((one for one in found if one.id == visit.practice_id), found[0])


def _practices(visit: Appointment) -> list[Practice]:
    """The doctors it can be moved to: those of its clinic who can be booked; none when its type is given no more."""
    if not policy.is_given(visit.visit_type, visit.clinic):
        return []
    found = [one for one in desk.practices(actor(), visit.clinic_id) if one.doctor.is_public]
    is_missing = all(one.id != visit.practice_id for one in found)
    return [visit.practice, *found] if is_missing and policy.is_placed(visit) else found


def _asked_time(visit: Appointment) -> Any:
    return other_time(visit.clinic.zone) or asked.moment(request.args.get("starts_at"))


def _move_page(
    visit: Appointment, practice: Practice, form: MoveForForm, no: Refused | None = None, *, at: Any = None
) -> Response:
    zone = visit.clinic.zone
    found = finding.week(
        actor(), practice.id, visit.visit_type, zone, asked.day("from"), patient_id=visit.patient_id, moving=visit
    )
    without = visit.starts_at if practice.id == visit.practice_id else None
    week = times.week_view(found, without=without, places=groups.places_of([practice.id]))
    link = partial(url_for, "desk.move", key=visit.id, practice_id=practice.id)
    context: dict[str, Any] = {
        "visit": visit,
        "zone": zone,
        "practice": practice,
        "practices": _practices(visit),
        "week": week,
        "at": at,
        "collisions": [],
        "can_be_booked": True,
        "others": times.others(no.facts.get("alternatives", ()), zone) if no else [],
        "terms": terms,
        **arrows(week, link),
    }
    if at:
        context |= _in_the_way(visit, practice, at, form)
    if no:
        return htmx.refused(no, MOVE[0], fragment=MOVE[1], form=form, **context)
    return htmx.page(MOVE[0], fragment=MOVE[1], form=form, refusal=None, **context)


def _in_the_way(visit: Appointment, practice: Practice, at: Any, form: MoveForForm) -> dict[str, Any]:
    """What the chosen time collides with, put into the form as seen."""
    options = {"patient_id": visit.patient_id, "moving_id": visit.id}
    found = overbooking.collisions(actor(), practice.id, visit.visit_type_id, at, **options)
    form.seen.data = ",".join(one.key for one in found)
    return {"collisions": found, "can_be_booked": not any(one.is_final for one in found)}

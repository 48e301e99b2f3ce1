"""The day of a visit: check in, start, complete, did not come, and taking back a wrong click."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import joinedload

from portal.core import clock, live
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.events import record
from portal.core.policy import allow, find
from portal.core.text import lazy as _
from portal.domain.scheduling import policy
from portal.domain.scheduling.models import (
    CANCELLED,
    CHECKED_IN,
    COMPLETED,
    CONFIRMED,
    DECLINED,
    IN_PROGRESS,
    NO_SHOW,
    PENDING,
    Appointment,
)

# step -> the states it may be taken from; the state it leads to
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "check_in": ((CONFIRMED,), CHECKED_IN),
    "start": ((CHECKED_IN,), IN_PROGRESS),
    "complete": ((IN_PROGRESS,), COMPLETED),
    "mark_no_show": ((CONFIRMED, CHECKED_IN), NO_SHOW),
}
BACK = {CHECKED_IN: CONFIRMED, IN_PROGRESS: CHECKED_IN, COMPLETED: IN_PROGRESS, NO_SHOW: CONFIRMED}

_PRESENT: dict[str, Any] = {
    PENDING: _("This visit still waits for its confirmation. Confirm or decline it first."),
    CONFIRMED: _("This visit is confirmed, and the patient is not checked in yet."),
    CHECKED_IN: _("The patient is checked in already."),
    IN_PROGRESS: _("This visit has started already."),
    COMPLETED: _("This visit is completed already."),
    CANCELLED: _("This visit was cancelled."),
    NO_SHOW: _("This visit is marked as “did not come”."),
    DECLINED: _("This visit was declined."),
}


def next_steps(appointment: Appointment) -> list[str]:
    """The steps that can be taken now, in the order they are offered."""
    return [step for step in STEPS if _why_not(appointment, step) is None]


def can_be_taken_back(appointment: Appointment) -> bool:
    """Whether the last step can be undone: only on the clinic's day of the visit."""
    return appointment.status in BACK and _day(appointment) == clock.today(appointment.clinic.zone)


def check_in(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The patient is here. Raises Conflict when the visit is not confirmed or lies on a later day."""
    return _take(actor, appointment_id, "check_in", "appointment.checked_in")


def start(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The doctor sees the patient now. Raises Conflict unless the patient is checked in."""
    return _take(actor, appointment_id, "start", "appointment.started")


def complete(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The visit is over; its time stays used. Raises Conflict unless it has started."""
    return _take(actor, appointment_id, "complete", "appointment.completed")


def mark_no_show(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The patient did not come; the time stays used. Raises Conflict before the visit's time or once it began."""
    return _take(actor, appointment_id, "mark_no_show", "appointment.no_show")


def take_back(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """Undo the last step, on the day of the visit: a wrong click. Raises Conflict on any other day or state."""
    appointment = _locked(actor, appointment_id)
    if appointment.status not in BACK:
        raise Conflict(_PRESENT[appointment.status], code="wrong_state", state=appointment.status)
    if not can_be_taken_back(appointment):
        raise Conflict(_("A step can be taken back on the day of the visit only."), code="too_late")
    before, appointment.status = appointment.status, BACK[appointment.status]
    if before in {COMPLETED, NO_SHOW}:
        appointment.ended_at = appointment.ended_by = None
    return _kept(actor, appointment, "appointment.step_taken_back", before)


def _take(actor: Actor, appointment_id: UUID | str, step: str, event: str) -> Appointment:
    appointment = _locked(actor, appointment_id)
    if (why_not := _why_not(appointment, step)) is not None:
        raise why_not
    before, appointment.status = appointment.status, STEPS[step][1]
    if appointment.status in {COMPLETED, NO_SHOW}:
        appointment.ended_at, appointment.ended_by = clock.now(), _who(actor, appointment)
    return _kept(actor, appointment, event, before)


def _locked(actor: Actor, appointment_id: UUID | str) -> Appointment:
    place, doctor = joinedload(Appointment.clinic), joinedload(Appointment.doctor)
    appointment = find(actor, Appointment, appointment_id, place, doctor, lock=True)
    allow(policy.may_manage(actor, appointment))
    return appointment


def _kept(actor: Actor, appointment: Appointment, event: str, before: str) -> Appointment:
    record(actor, event, appointment, before=before)
    session().flush()
    live.nudge([appointment.doctor.user_id], "schedule")
    return appointment


def _why_not(appointment: Appointment, step: str) -> Conflict | None:
    if appointment.status not in STEPS[step][0]:
        return Conflict(_PRESENT[appointment.status], code="wrong_state", state=appointment.status)
    if step == "check_in" and _day(appointment) > clock.today(appointment.clinic.zone):
        return Conflict(_("This visit is on a later day. Check the patient in when they come."), code="too_early")
    if step == "mark_no_show" and appointment.starts_at > clock.now():
        return Conflict(_("The time of this visit has not come yet. Wait for its start."), code="too_early")
    return None


def _day(appointment: Appointment) -> Any:
    return appointment.starts_at.astimezone(appointment.clinic.zone).date()


def _who(actor: Actor, appointment: Appointment) -> str:
    if actor.is_system:
        return "system"
    return "doctor" if actor.doctor_id == appointment.doctor_id else "staff"

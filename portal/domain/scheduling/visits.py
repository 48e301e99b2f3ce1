"""The day of a visit: check in, call, start, complete, did not come, and taking back a wrong click."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from portal.core import clock, live
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid
from portal.core.events import record
from portal.core.policy import allow, find
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic, Membership
from portal.domain.scheduling import policy, taking
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
    Occupancy,
)

NEAR = timedelta(minutes=60)  # around its start: when patients may say themselves that they are here

# step -> the states it may be taken from; the state it leads to
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "check_in": ((CONFIRMED, NO_SHOW), CHECKED_IN),
    "call": ((CHECKED_IN,), CHECKED_IN),
    "start": ((CHECKED_IN,), IN_PROGRESS),
    "complete": ((IN_PROGRESS,), COMPLETED),
    "mark_no_show": ((CONFIRMED, CHECKED_IN), NO_SHOW),
    "send_back": ((CHECKED_IN, IN_PROGRESS), CHECKED_IN),
    "move_to_front": ((CHECKED_IN,), CHECKED_IN),
    "move_from_front": ((CHECKED_IN,), CHECKED_IN),
}
MAIN = ("check_in", "start", "complete", "mark_no_show")  # the way from a booking to its end
CAN_BE_TAKEN_BACK = (CHECKED_IN, IN_PROGRESS, COMPLETED, NO_SHOW)
FRONT_CODES = {  # why somebody goes first; never what they have
    "cannot_wait": _("Cannot wait"),
    "our_mistake": _("Waited because of our mistake"),
    "short_matter": _("Only a short matter"),
    "other": _("Another reason"),
}

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


class AskTheDesk(Conflict):
    """Only the desk can still check this patient in."""

    code = "ask_desk"
    sentence = _("You were expected earlier. Please go to the front desk.")


class NotInPerson(Conflict):
    """Nobody comes to a visit by video or phone."""

    code = "not_in_person"
    sentence = _("This visit is not at the clinic. There is nothing to check in for.")


class TooLateToday(Conflict):
    """The day of the visit is over."""

    code = "too_late"
    sentence = _("This visit was on an earlier day. Book a new one.")


class TooEarly(Conflict):
    """The time for this step has not come."""

    code = "too_early"
    sentence = _("The time of this visit has not come yet. Wait for its start.")


def next_steps(appointment: Appointment) -> list[str]:
    """The steps on the way to its end that can be taken now, in the order they are offered."""
    return [step for step in MAIN if _why_not(appointment, step) is None]


def can_be_taken_back(appointment: Appointment) -> bool:
    """Whether the last step can be undone: only on the clinic's day of the visit."""
    return appointment.status in CAN_BE_TAKEN_BACK and _day(appointment) == clock.today(appointment.clinic.zone)


def check_in(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The patient is here: they get the next number of the clinic's day; also one who was thought not to come.

    Raises Conflict when the visit is not confirmed, lies on a later day, or was missed on an earlier one.
    """
    appointment = _taken(actor, _locked(actor, appointment_id), "check_in")
    return _checked_in(actor, appointment)


def arrive(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The patient, or whoever books for them, says that they are here. A second time it changes nothing.

    Raises NotFound, Forbidden, or Conflict: not confirmed, no visit at the clinic, or not within NEAR of its start.
    """
    appointment = _found(actor, appointment_id)
    allow(policy.is_own(actor, appointment))
    if appointment.status == CHECKED_IN:
        return appointment
    if (why_not := why_not_arrive(appointment)) is not None:
        raise why_not
    return _checked_in(actor, appointment)


def why_not_arrive(appointment: Appointment) -> Conflict | None:
    """What keeps the patient from checking in alone now; None when nothing does."""
    if appointment.mode != "in_person":
        return NotInPerson()
    if appointment.status == NO_SHOW:
        return AskTheDesk()
    if appointment.status != CONFIRMED:
        return Conflict(_PRESENT[appointment.status], code="wrong_state", state=appointment.status)
    if clock.now() < appointment.starts_at - NEAR:
        return TooEarly(_("It is too early. You can check in from one hour before your visit."))
    if clock.now() > appointment.starts_at + NEAR:
        return AskTheDesk()
    return None


def call(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """Ask the patient in, on the board and on their own page; once more when they did not hear it.

    Raises Conflict unless the patient is checked in.
    """
    appointment = _taken(actor, _locked(actor, appointment_id), "call")
    appointment.called_at = clock.now()
    return _kept(actor, appointment, "appointment.called", appointment.status, number=appointment.queue_number)


def start(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The doctor sees the patient now. Raises Conflict unless the patient is checked in."""
    appointment = _taken(actor, _locked(actor, appointment_id), "start")
    before, appointment.status = appointment.status, IN_PROGRESS
    appointment.started_at = clock.now()
    return _kept(actor, appointment, "appointment.started", before)


def complete(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The visit is over; its time stays used. Raises Conflict unless it has started."""
    return _over(actor, appointment_id, "complete", "appointment.completed")


def mark_no_show(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The patient did not come; the time stays used. Raises Conflict before the visit's time or once it began."""
    return _over(actor, appointment_id, "mark_no_show", "appointment.no_show")


def send_back(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """Let a patient who was called or seen wait again, at their place. Raises Conflict when they wait already."""
    appointment = _taken(actor, _locked(actor, appointment_id), "send_back")
    before, appointment.status = appointment.status, CHECKED_IN
    appointment.called_at = appointment.started_at = None
    return _kept(actor, appointment, "appointment.sent_back", before)


def move_to_front(actor: Actor, appointment_id: UUID | str, *, code: str = "other") -> Appointment:
    """Let a waiting patient go first; `code` is one of FRONT_CODES. Raises Invalid, or Conflict unless they wait."""
    allow(code in FRONT_CODES, Invalid, _("Please say why they go first."))
    appointment = _taken(actor, _locked(actor, appointment_id), "move_to_front")
    appointment.is_urgent = True
    return _kept(actor, appointment, "appointment.moved_to_front", appointment.status, code=code)


def move_from_front(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """Let a waiting patient go when it is their turn again. Raises Conflict unless they wait."""
    appointment = _taken(actor, _locked(actor, appointment_id), "move_from_front")
    appointment.is_urgent = False
    return _kept(actor, appointment, "appointment.moved_from_front", appointment.status)


def take_back(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """Undo the last step, on the day of the visit: a wrong click, and everything it wrote.

    A walk-in that was added by mistake is called off. Raises Conflict on any other day or state.
    """
    appointment = _locked(actor, appointment_id)
    if appointment.status not in CAN_BE_TAKEN_BACK:
        raise Conflict(_PRESENT[appointment.status], code="wrong_state", state=appointment.status)
    if not can_be_taken_back(appointment):
        raise TooLateToday(_("A step can be taken back on the day of the visit only."))
    before = appointment.status
    _undo(actor, appointment)
    return _kept(actor, appointment, "appointment.step_taken_back", before)


def number_for(clinic: Clinic, day: date) -> int:
    """The next number of the clinic's day. Until this transaction ends nobody else is given one."""
    taking.one_at_a_time(f"queue:{day}", clinic.id)
    begins = datetime.combine(day, time(), clinic.zone)
    given = select(func.max(Appointment.queue_number)).where(
        Appointment.clinic_id == clinic.id,
        Appointment.starts_at >= begins,
        Appointment.starts_at < datetime.combine(day + timedelta(days=1), time(), clinic.zone),
    )
    return (session().scalar(given) or 0) + 1


def tell_the_clinic(appointment: Appointment) -> None:
    """Have the open pages of the doctor and of the clinic's desk look at the day again."""
    desk = select(Membership.user_id).where(
        Membership.clinic_id == appointment.clinic_id,
        Membership.role.in_((STAFF, ADMIN)),
        Membership.ended_at.is_(None),
    )
    live.nudge({appointment.doctor.user_id, *session().scalars(desk)}, "schedule")


def _undo(actor: Actor, appointment: Appointment) -> None:
    if appointment.status == COMPLETED:
        appointment.status = IN_PROGRESS
        appointment.ended_at = appointment.ended_by = None
    elif appointment.status == NO_SHOW:
        appointment.status = CHECKED_IN if appointment.checked_in_at else CONFIRMED
        appointment.ended_at = appointment.ended_by = None
    elif appointment.status == IN_PROGRESS:
        appointment.status, appointment.started_at = CHECKED_IN, None
    elif appointment.called_at:
        appointment.called_at = None
    elif appointment.is_walk_in:
        appointment.status, appointment.version = CANCELLED, appointment.version + 1
        appointment.end_code, appointment.ended_at, appointment.ended_by = "mistake", clock.now(), "staff"
        session().execute(delete(Occupancy).where(Occupancy.appointment_id == appointment.id))
    else:
        appointment.status, appointment.is_urgent = CONFIRMED, False
        appointment.checked_in_at = appointment.queue_number = None


def _checked_in(actor: Actor, appointment: Appointment) -> Appointment:
    before, appointment.status = appointment.status, CHECKED_IN
    appointment.ended_at = appointment.ended_by = appointment.called_at = None
    appointment.checked_in_at = clock.now()
    if appointment.queue_number is None:
        appointment.queue_number = number_for(appointment.clinic, _day(appointment))
    return _kept(actor, appointment, "appointment.checked_in", before, number=appointment.queue_number)


def _over(actor: Actor, appointment_id: UUID | str, step: str, event: str) -> Appointment:
    appointment = _taken(actor, _locked(actor, appointment_id), step)
    before, appointment.status = appointment.status, STEPS[step][1]
    appointment.ended_at, appointment.ended_by = clock.now(), _who(actor, appointment)
    return _kept(actor, appointment, event, before)


def _taken(actor: Actor, appointment: Appointment, step: str) -> Appointment:
    """The appointment if this step can be taken with it now; raises what forbids it."""
    if (why_not := _why_not(appointment, step)) is not None:
        raise why_not
    return appointment


def _locked(actor: Actor, appointment_id: UUID | str) -> Appointment:
    appointment = _found(actor, appointment_id)
    allow(policy.may_manage(actor, appointment))
    return appointment


def _found(actor: Actor, appointment_id: UUID | str) -> Appointment:
    place, doctor = joinedload(Appointment.clinic), joinedload(Appointment.doctor)
    return find(actor, Appointment, appointment_id, place, doctor, lock=True)


def _kept(actor: Actor, appointment: Appointment, event: str, before: str, **facts: Any) -> Appointment:
    record(actor, event, appointment, before=before, **facts)
    session().flush()
    tell_the_clinic(appointment)
    return appointment


def _why_not(appointment: Appointment, step: str) -> Conflict | None:
    today, day = clock.today(appointment.clinic.zone), _day(appointment)
    if appointment.status not in STEPS[step][0]:
        return Conflict(_PRESENT[appointment.status], code="wrong_state", state=appointment.status)
    if step == "check_in" and day > today:
        return TooEarly(_("This visit is on a later day. Check the patient in when they come."))
    if step == "check_in" and appointment.status == NO_SHOW and day < today:
        return TooLateToday()
    if step == "mark_no_show" and appointment.starts_at > clock.now():
        return TooEarly()
    if step == "send_back" and appointment.status == CHECKED_IN and appointment.called_at is None:
        return Conflict(_("The patient is waiting already."), code="wrong_state", state=appointment.status)
    return None


def _day(appointment: Appointment) -> date:
    return appointment.starts_at.astimezone(appointment.clinic.zone).date()  # type: ignore[no-any-return]


def _who(actor: Actor, appointment: Appointment) -> str:
    if actor.is_system:
        return "system"
    return "doctor" if actor.doctor_id == appointment.doctor_id else "staff"

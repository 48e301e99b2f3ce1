"""Booking: a time becomes an appointment, is confirmed or declined, moved or cancelled.

Nothing here looks whether a time is free and then takes it: the row is inserted, and the database's exclusion
constraint grants or refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from portal.core import clock, secrets
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.domain.scheduling import caps, first_free, granting, invitations, moving, policy, taking
from portal.domain.scheduling.models import (
    CANCELLED,
    CONFIRMED,
    DECLINED,
    PENDING,
    UPCOMING,
    Appointment,
    Hold,
    Occupancy,
    VisitType,
)
from portal.domain.scheduling.refusals import (
    HoldExpired,
    NoPatientProfile,
    NotGiven,
    NotInThisState,
    StaleVersion,
    TooLate,
    TooManyMoves,
    TooManyUpcoming,
)
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import OVERBOOKED_FROM, Offer


def book(
    actor: Actor,
    *,
    practice_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    patient_id: UUID | None = None,
    reason: str = "",
    hold_token: str | None = None,
    hold_id: UUID | None = None,
    overbook: str = "",
    series_id: UUID | None = None,
) -> Appointment:
    """Give the patient (the actor when none is named) this time with the doctor.

    starts_at is aware. A hold's token makes its time count as free and can be used once: sent again it returns the
    same appointment; `hold_id` is a time the portal keeps for this patient. With `overbook`, the reason why, the
    clinic's people book over every rule but the past and the patient's own time. Raises NotFound, Forbidden,
    EmailNotVerified, NotSelfBookable, TooManyUpcoming, TooManyAhead, HoldExpired, NotOffered (outside the rules) or
    TimeTaken, the last two with the next free times.
    """
    patient_id = patient_id or actor.patient_id or refuse(NoPatientProfile)
    hold = granting.hold_kept_for(patient_id, hold_id) if hold_id else None
    if hold_token:
        hold = granting.hold_by_token(hold_token)
        if hold is None and (made := granting.already_made(actor, hold_token)):
            return made
    if hold and (hold.practice_id, hold.visit_type_id, hold.starts_at) != (practice_id, visit_type_id, starts_at):
        hold = None
    spare = hold.id if hold else None
    counted = patient_id in actor.cares_somewhere("book")
    book_, kind = granting.rules(
        practice_id, visit_type_id, starts_at, patient_id, one_by_one=counted, booker_id=actor.user_id, hold_id=spare
    )
    if hold and not granting.still_held(hold):
        if hold_token and (made := granting.already_made(actor, hold_token)):
            return made
        allow(hold_id is None, HoldExpired)
        hold = None
    for_desk, invitation = granting.who_books(actor, patient_id, book_, kind)
    allow(for_desk or not overbook)
    allow(for_desk or book_.upcoming < kind.most_upcoming, TooManyUpcoming)
    if not for_desk:
        caps.check_ahead(book_.booked)
    offer = granting.offer(book_, kind, starts_at, for_desk=for_desk, overbook=overbook)
    appointment = granting.draft(actor, book_, kind, offer, patient_id, reason)
    appointment["series_id"] = series_id
    appointment["overbooked"] = overbook if offer.free_lanes[0] >= OVERBOOKED_FROM else None
    if hold_token:
        appointment["hold_fingerprint"] = secrets.fingerprint(hold_token)
    taking.take(book_, kind, offer, appointment, hold)
    made = granting.as_row(appointment)
    if invitation:
        invitations.use(invitation, made.id)
    over = True if made.overbooked else None
    record(actor, "appointment.booked", made, version=1, status=made.status, by_desk=for_desk or None, overbooked=over)
    return made


def confirm(actor: Actor, appointment_id: UUID, *, version: int | None = None) -> Appointment:
    """The doctor or the desk accepts a request, in the `version` that was seen.

    Raises NotFound, Forbidden, StaleVersion or NotInThisState.
    """
    appointment = _to_decide(actor, appointment_id, version)
    appointment.status, appointment.confirmed_at = CONFIRMED, clock.now()
    record(actor, "appointment.confirmed", appointment, version=appointment.version)
    return appointment


def decline(
    actor: Actor, appointment_id: UUID, *, code: str = "other", text: str = "", version: int | None = None
) -> Appointment:
    """The doctor or the desk refuses a request; its time is free again. Raises as confirm does."""
    appointment = _to_decide(actor, appointment_id, version)
    _end(actor, appointment, DECLINED, code, text)
    record(actor, "appointment.declined", appointment, code=code, version=appointment.version)
    return appointment


def cancel(
    actor: Actor, appointment_id: UUID, *, code: str = "other", text: str = "", version: int | None = None
) -> Appointment:
    """Call an upcoming visit off; its time is free again.

    Patients until the clinic's cut-off, the clinic's people at any time. `version` is the one that was seen. Raises
    NotFound, Forbidden, NotInThisState, StaleVersion or TooLate.
    """
    appointment = authority.find(actor, Appointment, appointment_id, lock=True)
    _may_change(actor, appointment, version)
    _end(actor, appointment, CANCELLED, code, text)
    record(actor, "appointment.cancelled", appointment, code=code, by=appointment.ended_by, version=appointment.version)
    return appointment


def reschedule(
    actor: Actor,
    appointment_id: UUID,
    *,
    starts_at: datetime,
    version: int | None = None,
    practice_id: UUID | None = None,
    hold_id: UUID | None = None,
    overbook: str = "",
) -> Appointment:
    """Move an upcoming visit: the old time is given up only if the new is won.

    `practice_id` is another doctor's practice at the same clinic; `hold_id` a time the portal keeps for the patient: to
    take it is the clinic's offer and bound by neither cut-off nor the number of moves. A move by the patient counts
    against the clinic's limit and asks the doctor again where the doctor confirms. `overbook` is as in `book`. Raises
    as cancel does, and TooManyMoves, NotGiven, HoldExpired, NotOffered or TimeTaken.
    """
    appointment = authority.find(actor, Appointment, appointment_id, lock=True)
    hold = granting.hold_kept_for(appointment.patient_id, hold_id) if hold_id else None
    kind_row = _may_change(actor, appointment, version, offered=hold is not None)
    for_desk = policy.may_manage(actor, appointment)
    allow(for_desk or (appointment.moves < kind_row.most_moves or hold is not None), TooManyMoves)
    allow(for_desk or not (overbook or (practice_id and hold is None and practice_id != appointment.practice_id)))
    book_, kind, offer = _new_time(
        appointment, practice_id, starts_at, hold, for_desk=for_desk or hold is not None, overbook=overbook
    )
    allow(hold is None or granting.still_held(hold), HoldExpired)
    was, before = appointment.starts_at, appointment.doctor_id
    if (moment(offer.starts), book_.practice_id) == (was, appointment.practice_id):
        return appointment
    moving.move(book_, kind, appointment, offer, hold)
    appointment.starts_at, appointment.ends_at = moment(offer.starts), moment(offer.ends)
    appointment.practice_id, appointment.doctor_id = book_.practice_id, book_.doctor_id
    appointment.overbooked = overbook if offer.free_lanes[0] >= OVERBOOKED_FROM else None
    appointment.version, appointment.promised_at = appointment.version + 1, None
    if not for_desk and hold is None:
        appointment.moves += 1
        if kind.confirms == "by_doctor":
            appointment.status, appointment.confirmed_at = PENDING, None
    session().flush()
    first_free.lower(before, was, clinic_id=appointment.clinic_id if kind.needs else None)
    other = before if before != book_.doctor_id else None
    facts: dict[str, Any] = {
        "version": appointment.version,
        "was": was,
        "was_doctor": other,
        "by_desk": for_desk or None,
    }
    record(actor, "appointment.moved", appointment, **facts)
    return appointment


@contextmanager
def says_why(appointment: Appointment, practice_id: UUID | None) -> Iterator[None]:
    """Who sees a visit is told that it cannot be moved where it is, instead of that nothing is there: NotGiven."""
    try:
        yield
    except NotFound:
        if practice_id in {None, appointment.practice_id}:
            raise NotGiven from None
        raise


def _new_time(
    appointment: Appointment,
    practice_id: UUID | None,
    starts_at: datetime,
    hold: Hold | None,
    *,
    for_desk: bool,
    overbook: str,
) -> tuple[Rulebook, TypeRules, Offer]:
    """The rules of where it moves to and the time they give; another practice is one of the same clinic."""
    with says_why(appointment, practice_id):
        book_, kind = granting.rules(
            practice_id or appointment.practice_id,
            appointment.visit_type_id,
            starts_at,
            appointment.patient_id,
            moving_id=appointment.id,
            hold_id=hold.id if hold else None,
        )
    allow(book_.clinic_id == appointment.clinic_id, NotFound)
    return book_, kind, granting.offer(book_, kind, starts_at, for_desk=for_desk, overbook=overbook)


def _to_decide(actor: Actor, appointment_id: UUID, version: int | None) -> Appointment:
    """The request, locked, if the actor may confirm or decline it now; raises what forbids it."""
    appointment = authority.find(actor, Appointment, appointment_id, lock=True)
    allow(policy.may_manage(actor, appointment))
    _same(appointment, version)
    allow(appointment.status == PENDING, NotInThisState)
    return appointment


def _same(appointment: Appointment, version: int | None) -> None:
    if version is not None and version != appointment.version:
        raise StaleVersion(version=appointment.version)


def _may_change(actor: Actor, appointment: Appointment, version: int | None, *, offered: bool = False) -> VisitType:
    """Whether the actor may cancel or move it now; raises what forbids it. Returns its visit type.

    What the clinic `offered` can be taken after the cut-off, too.
    """
    for_desk = policy.may_manage(actor, appointment)
    allow(for_desk or policy.is_own(actor, appointment))
    allow(appointment.status in UPCOMING, NotInThisState)
    _same(appointment, version)
    kind = session().get(VisitType, appointment.visit_type_id) or refuse(NotFound)
    late = clock.now() > policy.changes_until(appointment, kind) and not offered
    if not for_desk and (late or appointment.starts_at <= clock.now()):
        raise TooLate
    return kind


def _end(actor: Actor, appointment: Appointment, status: str, code: str, why: str) -> None:
    appointment.status, appointment.version = status, appointment.version + 1
    appointment.end_code, appointment.end_text, appointment.ended_at = code, why, clock.now()
    appointment.ended_by = _side(actor, appointment)
    freed = delete(Occupancy).where(Occupancy.appointment_id == appointment.id).returning(Occupancy.kind)
    had_room = "room" in session().scalars(freed).all()
    clinic_id = appointment.clinic_id if had_room else None
    first_free.lower(appointment.doctor_id, appointment.starts_at, clinic_id=clinic_id)
    session().flush()


def _side(actor: Actor, appointment: Appointment) -> str:
    if actor.is_system:
        return "system"
    if policy.is_own(actor, appointment):
        return "patient"
    return "doctor" if actor.doctor_id == appointment.doctor_id else "staff"

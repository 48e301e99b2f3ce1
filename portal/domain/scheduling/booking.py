"""Booking: a time becomes an appointment, is confirmed or declined, moved or cancelled.

Nothing here looks whether a time is free and then takes it: the row is inserted, and the database's exclusion
constraint grants or refuses it.
"""

from __future__ import annotations

import secrets as dice
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import make_transient_to_detached

from portal.core import clock, secrets
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.domain.patients.models import Patient
from portal.domain.scheduling import availability, policy, rulebook, taking, timetable
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
    EmailNotVerified,
    NoPatientProfile,
    NotInThisState,
    NotOffered,
    NotSelfBookable,
    StaleVersion,
    TimeTaken,
    TooLate,
    TooManyMoves,
    TooManyUpcoming,
)
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Reason

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is misheard on the phone or misread on paper


def book(
    actor: Actor,
    *,
    practice_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    patient_id: UUID | None = None,
    reason: str = "",
    hold_token: str | None = None,
) -> Appointment:
    """Give the patient (the actor when none is named) this time with the doctor.

    starts_at is aware. A hold's token makes its time count as free and can be used once: sent again it returns the
    same appointment. Raises NotFound, Forbidden, EmailNotVerified, NotSelfBookable, TooManyUpcoming, NotOffered
    (outside the rules) or TimeTaken, the last two with the next free times.
    """
    patient_id = patient_id or actor.patient_id or refuse(NoPatientProfile)
    hold = _take_hold(hold_token) if hold_token else None
    if hold_token and hold is None and (made := _already_made(actor, hold_token)):
        return made
    if hold and (hold.practice_id, hold.visit_type_id, hold.starts_at) != (practice_id, visit_type_id, starts_at):
        hold = None
    book_, kind = _rules(practice_id, visit_type_id, starts_at, patient_id, hold_id=hold.id if hold else None)
    for_desk = _who_books(actor, patient_id, book_, kind)
    _not_too_many(book_, kind, patient_id, for_desk=for_desk)
    offer = _offer(book_, kind, starts_at, for_desk=for_desk)
    appointment = _draft(actor, book_, kind, offer, patient_id, reason)
    if hold_token:
        appointment["hold_fingerprint"] = secrets.fingerprint(hold_token)
    taking.take(book_, kind, offer, appointment, hold)
    made = _as_row(appointment)
    record(actor, "appointment.booked", made, version=1, status=made.status, by_desk=for_desk or None)
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


def reschedule(actor: Actor, appointment_id: UUID, *, starts_at: datetime, version: int | None = None) -> Appointment:
    """Move an upcoming visit to another time of the same practice: the old time is given up only if the new is won.

    A move by the patient counts against the clinic's limit and asks the doctor again where the doctor confirms.
    Raises as cancel does, and TooManyMoves, NotOffered or TimeTaken.
    """
    appointment = authority.find(actor, Appointment, appointment_id, lock=True)
    kind_row = _may_change(actor, appointment, version)
    for_desk = policy.may_manage(actor, appointment)
    if not for_desk and appointment.moves >= kind_row.most_moves:
        raise TooManyMoves
    book_, kind = _rules(
        appointment.practice_id, appointment.visit_type_id, starts_at, appointment.patient_id, moving_id=appointment.id
    )
    offer = _offer(book_, kind, starts_at, for_desk=for_desk)
    was = appointment.starts_at
    if moment(offer.starts) == was:
        return appointment
    taking.move(book_, kind, appointment, offer)
    appointment.starts_at, appointment.ends_at = moment(offer.starts), moment(offer.ends)
    appointment.version += 1
    if not for_desk:
        appointment.moves += 1
        if kind.confirms == "by_doctor":
            appointment.status, appointment.confirmed_at = PENDING, None
    session().flush()
    record(actor, "appointment.moved", appointment, version=appointment.version, was=was, by_desk=for_desk or None)
    return appointment


def _rules(
    practice_id: UUID, visit_type_id: UUID, starts_at: datetime, patient_id: UUID, **spare: UUID | None
) -> tuple[Rulebook, TypeRules]:
    begins, until = starts_at - availability.MARGIN, starts_at + availability.MARGIN
    found = rulebook.read_one(practice_id, begins, until, visit_type_id=visit_type_id, patient_id=patient_id, **spare)
    book_ = found or refuse(NotFound)
    return book_, book_.type(visit_type_id) or refuse(NotFound)


def _who_books(actor: Actor, patient_id: UUID, book_: Rulebook, kind: TypeRules) -> bool:
    """Whether the clinic books (True) or the patient; raises what forbids it."""
    if patient_id == actor.patient_id and not actor.works_at(book_.clinic_id):
        allow(actor.email_verified, EmailNotVerified)
        allow(kind.bookable_by == "anyone", NotSelfBookable)
        return False
    authority.find(actor, Patient, patient_id)
    allow(policy.may_book_for(actor, patient_id, book_.clinic_id))
    return True


def _not_too_many(book_: Rulebook, kind: TypeRules, patient_id: UUID, *, for_desk: bool) -> None:
    """The patient's limit of upcoming visits; near it, bookings of one patient go one after the other."""
    if for_desk or book_.upcoming < kind.most_upcoming - 1:
        return
    taking.one_at_a_time("patient", patient_id)
    upcoming = session().scalar(
        select(func.count()).where(
            Appointment.patient_id == patient_id,
            Appointment.visit_type_id == UUID(kind.id),
            Appointment.status.in_(UPCOMING),
            Appointment.starts_at > clock.now(),
        )
    )
    allow((upcoming or 0) < kind.most_upcoming, TooManyUpcoming)


def _offer(book_: Rulebook, kind: TypeRules, starts_at: datetime, *, for_desk: bool) -> Offer:
    now, policy_ = int(clock.now().timestamp()), kind.policy(for_desk=for_desk)
    offer = timetable.offer_at(book_.timetable, kind.rule, int(starts_at.timestamp()), now, policy_)
    if isinstance(offer, Reason):
        refusal = TimeTaken if offer is Reason.TAKEN else None
        found = availability.alternatives(book_, kind, starts_at)
        raise refusal(found) if refusal else NotOffered(offer, found)
    return offer


def _draft(
    actor: Actor, book_: Rulebook, kind: TypeRules, offer: Offer, patient_id: UUID, reason: str
) -> dict[str, Any]:
    now = clock.now()
    at_once = kind.confirms == "at_once"
    return {
        "id": new_id(),
        "created_at": now,
        "updated_at": now,
        "reference": "".join(dice.choice(LETTERS) for _ in range(9)),
        "practice_id": book_.practice_id,
        "clinic_id": book_.clinic_id,
        "doctor_id": book_.doctor_id,
        "patient_id": patient_id,
        "visit_type_id": UUID(kind.id),
        "starts_at": moment(offer.starts),
        "ends_at": moment(offer.ends),
        "status": CONFIRMED if at_once else PENDING,
        "confirmed_at": now if at_once else None,
        "mode": kind.mode,
        "reason": reason,
        "version": 1,
        "moves": 0,
        "booked_by": actor.user_id,
        "price_minor": policy.price_of(kind, book_),
        "currency": book_.currency,
        "end_text": "",
        "ended_by": None,
        "end_code": None,
        "ended_at": None,
        "hold_fingerprint": None,
        "is_walk_in": False,
        "is_urgent": False,
    }


def _as_row(appointment: dict[str, Any]) -> Appointment:
    """The appointment that was just written, as a row of this session, without reading it back."""
    made = Appointment(**appointment)
    make_transient_to_detached(made)
    session().add(made)
    return made


def _take_hold(token: str) -> Hold | None:
    """The hold, locked for this transaction, if it is still alive; a second click waits here for the first."""
    found = (
        session()
        .scalars(select(Hold).where(Hold.fingerprint == secrets.fingerprint(token)).with_for_update())
        .one_or_none()
    )
    return found if found and not found.is_over else None


def _already_made(actor: Actor, token: str) -> Appointment | None:
    return (
        session()
        .scalars(
            select(Appointment).where(
                Appointment.hold_fingerprint == secrets.fingerprint(token), Appointment.visible(actor)
            )
        )
        .one_or_none()
    )


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


def _may_change(actor: Actor, appointment: Appointment, version: int | None) -> VisitType:
    """Whether the actor may cancel or move it now; raises what forbids it. Returns its visit type."""
    for_desk = policy.may_manage(actor, appointment)
    allow(for_desk or policy.is_own(actor, appointment))
    allow(appointment.status in UPCOMING, NotInThisState)
    _same(appointment, version)
    kind = session().get(VisitType, appointment.visit_type_id) or refuse(NotFound)
    late = clock.now() > policy.changes_until(appointment, kind)
    if not for_desk and (late or appointment.starts_at <= clock.now()):
        raise TooLate
    return kind


def _end(actor: Actor, appointment: Appointment, status: str, code: str, why: str) -> None:
    appointment.status, appointment.version = status, appointment.version + 1
    appointment.end_code, appointment.end_text, appointment.ended_at = code, why, clock.now()
    appointment.ended_by = _side(actor, appointment)
    session().execute(delete(Occupancy).where(Occupancy.appointment_id == appointment.id))
    session().flush()


def _side(actor: Actor, appointment: Appointment) -> str:
    if actor.is_system:
        return "system"
    if policy.is_own(actor, appointment):
        return "patient"
    return "doctor" if actor.doctor_id == appointment.doctor_id else "staff"

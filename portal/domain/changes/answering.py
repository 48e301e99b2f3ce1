"""What a patient answers when the clinic has to change a visit: accept the proposed time, choose another, call it off.

Nothing is ever called off in silence: who does not answer is called by the desk, and the visit stands.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, and_, cast, literal, select, update
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import STAFF, Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.events import Event, record
from portal.core.policy import allow
from portal.core.tasks import task
from portal.domain.changes import keeping, kinds, planning, proposing
from portal.domain.changes.models import Change, Proposal
from portal.domain.changes.planning import Choice
from portal.domain.changes.refusals import Answered, TimeNotKept
from portal.domain.patients.reach import reaches
from portal.domain.scheduling import booking, calls, policy
from portal.domain.scheduling.models import UPCOMING, Appointment, Hold
from portal.domain.scheduling.planning import CallItem
from portal.domain.scheduling.refusals import HoldExpired, TooLate

_BY_PATIENT = {"appointment.moved": "chosen", "appointment.cancelled": "cancelled"}


def is_open() -> ColumnElement[bool]:
    """In SQL: proposals whose patients have been asked and have not answered."""
    asked = Proposal.change_id.in_(select(Change.id).where(Change.state == "applied"))
    return and_(asked, Proposal.decision.in_(("move", "choose")), Proposal.answer.is_(None))


def accept(actor: Actor, proposal_id: UUID) -> Proposal:
    """The visit moves to the proposed time; bound by no cut-off and counted as no move of the patient.

    By the patient, who books for them, or the clinic's people on the phone. Sent again it changes nothing. Raises
    NotFound, Answered, TooLate or TimeNotKept.
    """
    proposal = _asked(actor, proposal_id)
    if proposal.answer == "accepted":
        return proposal
    _still_open(proposal)
    hold = session().get(Hold, proposal.hold_id) if proposal.hold_id else None
    if hold is None or hold.is_over or proposal.starts_at is None:
        raise TimeNotKept
    try:
        booking.reschedule(
            actor, proposal.appointment_id, starts_at=hold.starts_at, practice_id=hold.practice_id, hold_id=hold.id
        )
    except HoldExpired:
        raise TimeNotKept from None
    return _answered(actor, proposal, "accepted")


def choose(actor: Actor, proposal_id: UUID, *, starts_at: datetime, practice_id: UUID | None = None) -> Proposal:
    """The visit moves to another time, with its doctor or one of the practices `choices` named.

    As free of limits as accepting; raises as it does, and NotOffered or TimeTaken.
    """
    proposal = _asked(actor, proposal_id)
    _still_open(proposal)
    visit = proposal.appointment
    where = practice_id or visit.practice_id
    allow(where in {place.id for place in proposing.places(visit)}, NotFound)
    keeping.give_back([proposal.hold_id] if proposal.hold_id else [])
    session().expire(proposal, ["hold_id"])
    booking.reschedule(_for_the_clinic(actor, visit), visit.id, starts_at=starts_at, practice_id=where)
    return _answered(actor, proposal, "chosen")


def call_off(actor: Actor, proposal_id: UUID) -> Proposal:
    """The visit is cancelled because of the change. Raises NotFound, Answered, TooLate."""
    proposal = _asked(actor, proposal_id)
    _still_open(proposal)
    visit = proposal.appointment
    code = kinds.get(proposal.change.kind).code
    booking.cancel(_for_the_clinic(actor, visit), visit.id, code=code)
    return _answered(actor, proposal, "cancelled")


def choices(actor: Actor, proposal_id: UUID, near: date | None = None, practice_id: UUID | None = None) -> Choice:
    """The free times of a week for a visit that has to change. Raises NotFound, Answered."""
    proposal = _asked(actor, proposal_id, lock=False)
    _still_open(proposal)
    visit = proposal.appointment
    return planning.choice(actor, visit, near or proposal.starts_at or visit.starts_at, practice_id)


@task
def unanswered(proposal_id: str) -> None:
    """The time to answer is over: the desk is asked to call. The visit stands, and a held time still waits a while."""
    wanted = Proposal.id == UUID(proposal_id)
    _lock_visit(select(Proposal.appointment_id).where(wanted))
    statement = select(Proposal).where(wanted, is_open()).with_for_update(of=Proposal)
    proposal = session().scalars(statement.options(joinedload(Proposal.appointment))).one_or_none()
    if proposal is None or proposal.appointment.status not in UPCOMING:
        return
    visit = proposal.appointment
    calls.ask(
        clinic_id=visit.clinic_id,
        patient_id=visit.patient_id,
        appointment_id=visit.id,
        code="change_unanswered",
        key=call_key(proposal),
    )


@task
def settle(event_id: str, appointment_id: str) -> None:
    """A visit was moved, cancelled or has begun in another way than by answering: nobody asks about it any more."""
    event = session().get(Event, UUID(event_id))
    if event is None:
        return
    by_clinic = event.facts.get("by_desk") or event.facts.get("by") in {"staff", "doctor"}
    answer = "called" if by_clinic else _BY_PATIENT.get(event.name, "called")
    _lock_visit(select(literal(UUID(appointment_id))))
    statement = (
        select(Proposal)
        .join(Proposal.change)
        .where(Proposal.appointment_id == UUID(appointment_id), is_open(), Change.applied_at <= event.created_at)
        .with_for_update(of=Proposal)
    )
    for proposal in session().scalars(statement):
        _close(proposal, answer)


def call_key(proposal: Proposal) -> str:
    """What tells this call on the desk's list from others."""
    return f"change:{proposal.id}:unanswered"


def call_key_in_sql() -> ColumnElement[str]:
    """The same, in SQL."""
    return literal("change:") + cast(Proposal.id, String) + literal(":unanswered")


def _asked(actor: Actor, proposal_id: UUID, *, lock: bool = True) -> Proposal:
    """A proposal of a saved change, if the actor may answer it; raises NotFound otherwise."""
    statement = (
        select(Proposal)
        .join(Proposal.change)
        .join(Proposal.appointment)
        .where(Proposal.id == proposal_id, Change.state == "applied", _answerable(actor))
        .options(
            joinedload(Proposal.change),
            joinedload(Proposal.appointment).joinedload(Appointment.clinic),
            joinedload(Proposal.appointment).joinedload(Appointment.visit_type),
        )
        .execution_options(populate_existing=True)
    )
    found = session().scalars(statement).one_or_none() or refuse(NotFound)
    if lock:
        _lock_visit(select(literal(found.appointment_id)))
        found = session().scalars(statement.with_for_update(of=Proposal)).one_or_none() or refuse(NotFound)
    return found


def _lock_visit(which: Select[Any]) -> None:
    """Wait for the visit; always before its proposal, as whoever saves a change does, so that none wait in a circle."""
    visit = select(Appointment.id).where(Appointment.id.in_(which))
    session().execute(visit.with_for_update(of=Appointment, key_share=True))


def _answerable(actor: Actor) -> ColumnElement[bool]:
    return reaches(actor, "book", Appointment.patient_id, Appointment.clinic_id) | Change.visible(actor)


def _still_open(proposal: Proposal) -> None:
    visit = proposal.appointment
    is_asked = proposal.decision in {"move", "choose"} and proposal.answer is None
    allow(is_asked and visit.status in UPCOMING, Answered)
    allow(visit.starts_at > clock.now(), TooLate)


def _for_the_clinic(actor: Actor, visit: Appointment) -> Actor:
    """The same actor with the clinic's leave to change this visit: the clinic is who wants it changed."""
    if policy.may_manage(actor, visit):
        return actor
    here = actor.clinics.get(STAFF, frozenset()) | {visit.clinic_id}
    return replace(actor, clinics={**actor.clinics, STAFF: here})


def _answered(actor: Actor, proposal: Proposal, answer: str) -> Proposal:
    _close(proposal, answer if policy.is_own(actor, proposal.appointment) else "called")
    patient_id, clinic_id = proposal.appointment.patient_id, proposal.appointment.clinic_id
    record(actor, "change.answered", proposal, patient_id=patient_id, clinic_id=clinic_id, answer=answer)
    return proposal


def _close(proposal: Proposal, answer: str) -> None:
    """Answered: what was held goes back, and nobody needs to call."""
    if proposal.hold_id:
        keeping.give_back([proposal.hold_id])
        proposal.hold_id = None
    proposal.answer, proposal.answered_at = answer, clock.now()
    session().flush()
    done = {"done_at": clock.now(), "outcome": "not_needed"}
    session().execute(
        update(CallItem).where(CallItem.key == call_key(proposal), CallItem.done_at.is_(None)).values(done)
    )

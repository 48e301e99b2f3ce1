"""Invitations to book: a doctor asks a patient to book a given type of visit, often as a follow-up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import SYSTEM, Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.tasks import task
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.patients import care
from portal.domain.patients.models import Patient
from portal.domain.patients.reach import reaches
from portal.domain.scheduling import availability
from portal.domain.scheduling.models import RELEASED, Appointment
from portal.domain.scheduling.planning import BookingInvitation
from portal.domain.scheduling.shapes import InviteToBook

SPANS = {"1w": 7, "2w": 14, "1m": 30, "3m": 91, "6m": 182, "1y": 365}  # days until a follow-up
FARTHEST = timedelta(days=730)
WHOLE = (
    joinedload(BookingInvitation.practice).joinedload(Practice.doctor),
    joinedload(BookingInvitation.clinic),
    joinedload(BookingInvitation.patient),
    joinedload(BookingInvitation.visit_type),
)


class InvitationOver(Conflict):
    code = "invitation_over"
    sentence = _("This invitation was used or has ended. Please call the clinic if you still need this visit.")


class AlreadyInvited(Conflict):
    """The patient has an open invitation for this; `invitation_id` is that one."""

    code = "already_invited"
    sentence = _("This patient is invited to this type of visit already. Withdraw that invitation to make another.")


def invite(actor: Actor, **about: Any) -> BookingInvitation:
    """Ask a patient to book a type of visit with a doctor between two dates; `about` is an InviteToBook's values.

    By the doctor and the people of the clinic, for patients they may see; who is invited may also book a type that is
    for invited patients only. Raises NotFound, Forbidden, AlreadyInvited or Invalid.
    """
    wish = InviteToBook.parse(about)
    practice = authority.find(actor, Practice, wish.practice_id, joinedload(Practice.clinic))
    allow(may_invite(actor, practice))
    patient = care.of_clinic(actor, wish.patient_id, practice.clinic_id)
    kinds = availability.bookable_types(practice.id, for_desk=True)
    allow(any(kind.id == wish.visit_type_id for kind in kinds), NotFound)
    _in_time(wish, clock.today(practice.clinic.zone))
    if wish.follow_up_of:
        before = authority.find(actor, Appointment, wish.follow_up_of)
        allow(before.patient_id == patient.id, NotFound)
    session().execute(select(Patient.id).where(Patient.id == patient.id).with_for_update())  # one after the other
    if known := open_for(patient.id, practice.id, wish.visit_type_id):
        raise AlreadyInvited(invitation_id=known.id)
    made = BookingInvitation(clinic_id=practice.clinic_id, invited_by=actor.user_id, **wish.values())
    made.clinic = practice.clinic
    session().add(made)
    session().flush()
    record(actor, "booking_invitation.sent", made, follow_up_of=made.follow_up_of)
    return made


def withdraw(actor: Actor, invitation_id: UUID | str) -> BookingInvitation:
    """The clinic takes an open invitation back. Raises NotFound, Forbidden or InvitationOver."""
    found = authority.find(actor, BookingInvitation, invitation_id, joinedload(BookingInvitation.practice), lock=True)
    allow(may_invite(actor, found.practice))
    return _end(actor, found, "booking_invitation.withdrawn")


def decline(actor: Actor, invitation_id: UUID | str) -> BookingInvitation:
    """The patient does not want this visit; the doctor is told. Raises NotFound, Forbidden or InvitationOver."""
    found = authority.find(actor, BookingInvitation, invitation_id, lock=True)
    allow(may_answer(actor, found))
    return _end(actor, found, "booking_invitation.declined")


def may_answer(actor: Actor, invitation: BookingInvitation) -> bool:
    """The patient, and whoever books for them there."""
    return invitation.patient_id in actor.cares_for("book", at=invitation.clinic_id)


def may_invite(actor: Actor, practice: Practice) -> bool:
    """The doctor of the practice and those who work for its clinic."""
    return actor.works_at(practice.clinic_id) or (actor.doctor_id is not None and actor.doctor_id == practice.doctor_id)


def find(actor: Actor, invitation_id: UUID | str) -> BookingInvitation:
    """One invitation with everybody and everything about it; raises NotFound when it is not the actor's."""
    return authority.find(actor, BookingInvitation, invitation_id, *WHOLE)


def mine(actor: Actor) -> list[BookingInvitation]:
    """The open invitations of the actor and of those they look after, the most pressing first."""
    ours = reaches(actor, "view", BookingInvitation.patient_id, BookingInvitation.clinic_id)
    statement = select(BookingInvitation).where(ours, still_open()).options(*WHOLE)
    return list(session().scalars(statement.order_by(BookingInvitation.last, BookingInvitation.id)))


def of_patient(actor: Actor, patient_id: UUID, practice_id: UUID | None = None) -> list[BookingInvitation]:
    """The open invitations of one patient that the actor may see, to one practice or to all."""
    which = [BookingInvitation.patient_id == patient_id, BookingInvitation.visible(actor), still_open()]
    if practice_id:
        which.append(BookingInvitation.practice_id == practice_id)
    statement = select(BookingInvitation).where(*which).options(*WHOLE)
    return list(session().scalars(statement.order_by(BookingInvitation.created_at.desc())))


def types_for(actor: Actor, practice_id: UUID) -> Collection[UUID]:
    """The visit types of this practice that the actor, or somebody they book for, was invited to book."""
    if not actor.cares_somewhere("book"):
        return ()
    ours = reaches(actor, "book", BookingInvitation.patient_id, BookingInvitation.clinic_id)
    wanted = BookingInvitation.practice_id == practice_id, ours, still_open()
    return set(session().scalars(select(BookingInvitation.visit_type_id).where(*wanted)))


def proposed(span: str, from_day: date) -> tuple[date, date]:
    """The first and last day for a follow-up after one of SPANS: a sixth of it, at least two days, to either side."""
    days = SPANS[span]
    room = timedelta(days=max(2, days // 6))
    middle = from_day + timedelta(days=days)
    return middle - room, middle + room


def opens_on(invitation: BookingInvitation) -> date:
    """From which day on its dates can be booked, as far ahead as the clinic lets patients book; needs the type."""
    return invitation.first - timedelta(days=invitation.visit_type.horizon_days)


def open_for(patient_id: UUID, practice_id: UUID, visit_type_id: UUID) -> BookingInvitation | None:
    """The patient's open invitation to book this type with this practice, if there is one."""
    return (
        session()
        .scalars(
            select(BookingInvitation)
            .where(
                BookingInvitation.patient_id == patient_id,
                BookingInvitation.practice_id == practice_id,
                BookingInvitation.visit_type_id == visit_type_id,
                still_open(),
            )
            .order_by(BookingInvitation.last, BookingInvitation.id)
            .limit(1)
        )
        .one_or_none()
    )


def use(invitation: BookingInvitation, appointment_id: UUID) -> None:
    """Mark it as used by this appointment; raises InvitationOver when another booking was faster."""
    session().flush()
    used = session().scalar(
        update(BookingInvitation)
        .where(
            BookingInvitation.id == invitation.id,
            BookingInvitation.appointment_id.is_(None),
            BookingInvitation.ended_at.is_(None),
        )
        .values(appointment_id=appointment_id, updated_at=clock.now())
        .returning(BookingInvitation.id)
    )
    if used is None:
        raise InvitationOver


@task
def after_visit_is_off(event_id: str, appointment_id: str) -> None:
    """Who calls off the visit they were invited to can book it again."""
    visit = session().get(Appointment, UUID(appointment_id))
    if visit is None or visit.status not in RELEASED:
        return
    used = select(BookingInvitation).where(BookingInvitation.appointment_id == visit.id)
    for invitation in session().scalars(used.with_for_update()):
        invitation.appointment_id = None
        record(SYSTEM, "booking_invitation.open_again", invitation, appointment_id=visit.id)


@task
def after_death(event_id: str, patient_id: str) -> None:
    """Nobody is invited any more who has died."""
    theirs = select(BookingInvitation).where(BookingInvitation.patient_id == UUID(patient_id), still_open())
    for invitation in session().scalars(theirs.with_for_update()):
        _end(SYSTEM, invitation, "booking_invitation.withdrawn")


def still_open() -> ColumnElement[bool]:
    """In SQL: not used, not ended, and its last date has not passed where the clinic is."""
    zone = select(Clinic.time_zone).where(Clinic.id == BookingInvitation.clinic_id).scalar_subquery()
    return (
        BookingInvitation.appointment_id.is_(None)
        & BookingInvitation.ended_at.is_(None)
        & (BookingInvitation.last >= func.date(func.timezone(zone, clock.now())))
    )


def _end(actor: Actor, invitation: BookingInvitation, event: str) -> BookingInvitation:
    clinic = session().get(Clinic, invitation.clinic_id) or refuse(NotFound)
    over = invitation.appointment_id or invitation.ended_at or invitation.last < clock.today(clinic.zone)
    allow(not over, InvitationOver)
    invitation.ended_at = clock.now()
    session().flush()
    record(actor, event, invitation)
    return invitation


def _in_time(wish: InviteToBook, today: date) -> None:
    if wish.last < today:
        raise Invalid(fields={"last": _("This day is over.")})
    if wish.last > today + FARTHEST:
        raise Invalid(fields={"last": _("Please choose a day within the next two years.")})

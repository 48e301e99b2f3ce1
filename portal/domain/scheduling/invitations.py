"""Invitations to book: a doctor asks a patient to book a given type of visit, often as a follow-up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling.planning import BookingInvitation


class InvitationOver(Conflict):
    code = "invitation_over"
    sentence = _("This invitation was used or has ended. Please call the clinic if you still need this visit.")


def open_for(patient_id: UUID, practice_id: UUID, visit_type_id: UUID) -> BookingInvitation | None:
    """The patient's oldest open invitation to book this type with this practice, if there is one."""
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


def still_open() -> ColumnElement[bool]:
    """In SQL: not used, not ended, and its last date has not passed where the clinic is."""
    zone = select(Clinic.time_zone).where(Clinic.id == BookingInvitation.clinic_id).scalar_subquery()
    return (
        BookingInvitation.appointment_id.is_(None)
        & BookingInvitation.ended_at.is_(None)
        & (BookingInvitation.last >= func.date(func.timezone(zone, clock.now())))
    )

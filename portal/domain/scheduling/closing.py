"""The lock under which what visits stand on is changed: bookings wait for it and it waits for them (taking.closing).

A verb takes it once it knows who acts, and before it locks a row or looks for booked visits. It holds until the
transaction ends, or until a savepoint that was begun before is undone.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, select

from portal.core.db import session
from portal.domain.clinics.models import Resource, ResourceGroup
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import taking


def practice(practice_id: UUID) -> None:
    """Let nobody book at this practice."""
    taking.closing([practice_id])


def doctor(doctor_id: UUID) -> None:
    """Let nobody book with this doctor, wherever."""
    _all(Practice.doctor_id == doctor_id)


def clinic(clinic_id: UUID) -> None:
    """Let nobody book at this clinic."""
    _all(Practice.clinic_id == clinic_id)


def group(group_id: UUID) -> None:
    """Let nobody book at the clinic of these rooms or devices."""
    _all(Practice.clinic_id.in_(select(ResourceGroup.clinic_id).where(ResourceGroup.id == group_id)))


def resource(resource_id: UUID) -> None:
    """Let nobody book at the clinic of this room or device."""
    groups = select(Resource.group_id).where(Resource.id == resource_id)
    _all(Practice.clinic_id.in_(select(ResourceGroup.clinic_id).where(ResourceGroup.id.in_(groups))))


def _all(which: ColumnElement[bool]) -> None:
    """Practices that have ended too: visits may still stand there."""
    taking.closing(session().scalars(select(Practice.id).where(which)))

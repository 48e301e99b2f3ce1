"""Which rooms and devices appointments have, for showing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from portal.core.db import session
from portal.core.names import as_listed
from portal.domain.clinics.models import Resource
from portal.domain.scheduling.models import Occupancy


def of_appointments(appointment_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The names of the rooms and devices of these appointments, in one statement; without any there is no entry."""
    statement = (
        select(Occupancy.appointment_id, Resource.name)
        .join(Resource, Resource.id == Occupancy.resource_id)
        .where(Occupancy.appointment_id.in_(list(appointment_ids)), Occupancy.kind == "room")
        .order_by(*as_listed(Resource.name))
    )
    found: dict[UUID, list[str]] = {}
    for appointment_id, name in session().execute(statement):
        if appointment_id:
            found.setdefault(appointment_id, []).append(name)
    return found

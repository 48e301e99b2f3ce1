"""Rooms and devices that go out of use: the visits booked into them are named first, none is orphaned in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.events import record
from portal.core.text import lazy as _
from portal.core.text import listed
from portal.domain.clinics import resources
from portal.domain.clinics.models import Resource
from portal.domain.clinics.shapes import ResourceShape
from portal.domain.scheduling import closing, impact, visit_types
from portal.domain.scheduling.models import Appointment, Occupancy
from portal.domain.scheduling.timetable import OVERBOOKED_FROM


class GroupNeeded(Conflict):
    """Visit types still need one of this group; `visit_types` are their ids."""

    code = "group_needed"


def close(actor: Actor, resource_id: UUID | str, *, keep_visits: bool = False) -> Resource:
    """No visit takes this room or device any more; raises VisitsAffected when some are booked, unless kept."""
    found = resources.resource(actor, resource_id)
    closing.clinic(found.group.clinic_id)
    impact.unless_kept(visits_in([found.id]), keep_visits)
    if found.is_active:
        found.is_active = False
        record(actor, "resource.closed", found, clinic_id=found.group.clinic_id)
        session().flush()
    return found


def end_group(actor: Actor, group_id: UUID | str, *, keep_visits: bool = False) -> UUID:
    """Take a group away with all in it; answers its clinic.

    Raises GroupNeeded while visit types need it, VisitsAffected when visits are booked into it, unless kept.
    """
    closing.clinic(resources.group(actor, group_id).clinic_id)
    found = resources.group(actor, group_id, lock=True)
    needing = visit_types.needing(actor, found.clinic_id).get(found.id, [])
    if needing:
        names = listed(kind.name for kind in needing)
        sentence = _("These visit types need one of them: %(names)s. Change those first.", names=names)
        raise GroupNeeded(sentence, visit_types=[kind.id for kind in needing])
    impact.unless_kept(visits_in([one.id for one in found.resources]), keep_visits)
    record(actor, "resource_group.ended", found, clinic_id=found.clinic_id)
    session().delete(found)
    session().flush()
    return found.clinic_id


def take(actor: Actor, resource_id: UUID | str) -> Resource:
    """The room or device, for who changes it: nobody books at its clinic and nobody else changes it meanwhile."""
    found = resources.resource(actor, resource_id)
    closing.clinic(found.group.clinic_id)
    resources.group(actor, found.group_id, lock=True)
    session().refresh(found, ["name", "places", "is_active"])
    return found


def change(actor: Actor, resource_id: UUID | str, *, keep_visits: bool = False, **about: Any) -> Resource:
    """Give a room or device another name or number of places; `about` is a ResourceShape's values.

    Raises Invalid for a name in use, VisitsAffected when it takes fewer than are booked at once, unless kept.
    """
    wanted = ResourceShape.parse(about)
    found = take(actor, resource_id)
    resources.name_is_free(found.group_id, wanted.name, but=found.id)
    if wanted.places < found.places:
        impact.unless_kept(_too_many(found.id, wanted.places), keep_visits)
    return resources.change(actor, found.id, **wanted.values())


def visits_in(resource_ids: Sequence[UUID]) -> list[Appointment]:
    """The visits still to come that are booked into these rooms or devices, soonest first."""
    taken = select(Occupancy.appointment_id).where(Occupancy.resource_id.in_(list(resource_ids)))
    return impact.ahead(Appointment.id.in_(taken))


def _too_many(resource_id: UUID, places: int) -> list[Appointment]:
    """The visits there that overlap with so many others in lower lanes that they have no place left."""
    one, other = aliased(Occupancy), aliased(Occupancy)
    others = select(func.count()).where(
        other.resource_id == one.resource_id, other.during.op("&&")(one.during), other.lane < one.lane
    )
    taken = select(one.appointment_id).where(
        one.resource_id == resource_id, one.lane < OVERBOOKED_FROM, others.scalar_subquery() >= places
    )
    return impact.ahead(Appointment.id.in_(taken))

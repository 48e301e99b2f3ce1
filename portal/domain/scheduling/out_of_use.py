"""Rooms and devices that go out of use: the visits booked into them are named first, none is orphaned in silence."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.events import record
from portal.core.text import lazy as _
from portal.core.text import listed
from portal.domain.clinics import resources
from portal.domain.clinics.models import Resource
from portal.domain.scheduling import closures, impact, visit_types
from portal.domain.scheduling.models import Appointment, Occupancy


class GroupNeeded(Conflict):
    """Visit types still need one of this group; `visit_types` are their ids."""

    code = "group_needed"


def close(actor: Actor, resource_id: UUID | str, *, keep_visits: bool = False) -> Resource:
    """No visit takes this room or device any more; raises VisitsAffected when some are booked, unless kept."""
    found = resources.resource(actor, resource_id)
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


def visits_in(resource_ids: Sequence[UUID]) -> list[Appointment]:
    """The visits still to come that are booked into these rooms or devices, soonest first."""
    taken = select(Occupancy.appointment_id).where(Occupancy.resource_id.in_(list(resource_ids)))
    return impact.during(Appointment.id.in_(taken), clock.now(), closures.LAST)

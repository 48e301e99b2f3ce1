"""Rooms and devices that a clinic's doctors share, in groups: a visit that needs a group takes any one of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.names import as_listed
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Resource, ResourceGroup
from portal.domain.clinics.shapes import GroupShape, ResourceShape


def of_clinic(actor: Actor, clinic_id: UUID) -> list[ResourceGroup]:
    """The groups of a clinic with their rooms or devices, by kind and name; for its admins."""
    managing.get(actor, clinic_id)
    statement = select(ResourceGroup).where(ResourceGroup.clinic_id == clinic_id)
    statement = statement.options(selectinload(ResourceGroup.resources))
    return list(session().scalars(statement.order_by(ResourceGroup.kind.desc(), *as_listed(ResourceGroup.name))))


def group(actor: Actor, group_id: UUID | str, *, lock: bool = False) -> ResourceGroup:
    """One group with its clinic and resources, if the actor runs that clinic; raises NotFound."""
    statement = (
        select(ResourceGroup)
        .where(ResourceGroup.id == as_id(group_id))
        .options(joinedload(ResourceGroup.clinic), selectinload(ResourceGroup.resources))
    )
    if lock:
        statement = statement.with_for_update(of=ResourceGroup, key_share=True).execution_options(
            populate_existing=True
        )
    found = session().scalars(statement).one_or_none() or refuse(NotFound)
    allow(actor.administers(found.clinic_id), NotFound)
    return found


def resource(actor: Actor, resource_id: UUID | str) -> Resource:
    """One room or device with its group and clinic, if the actor runs that clinic; raises NotFound."""
    statement = (
        select(Resource)
        .where(Resource.id == as_id(resource_id))
        .options(joinedload(Resource.group).joinedload(ResourceGroup.clinic))
    )
    found = session().scalars(statement).one_or_none() or refuse(NotFound)
    allow(actor.administers(found.group.clinic_id), NotFound)
    return found


def add_group(actor: Actor, clinic_id: UUID | str, **about: Any) -> ResourceGroup:
    """A new group, with nothing in it yet; `about` is a GroupShape's values. Raises Invalid for a name in use."""
    wanted = GroupShape.parse(about)
    clinic = managing.get(actor, clinic_id, lock=True)
    _group_is_free(clinic.id, wanted.name)
    made = ResourceGroup(clinic_id=clinic.id, resources=[], **wanted.values())
    session().add(made)
    session().flush()
    record(actor, "resource_group.added", made, clinic_id=clinic.id, kind=made.kind)
    return made


def change_group(actor: Actor, group_id: UUID | str, **about: Any) -> ResourceGroup:
    """Give a group another name or kind; raises as add_group does."""
    wanted = GroupShape.parse(about)
    found = group(actor, group_id, lock=True)
    _group_is_free(found.clinic_id, wanted.name, but=found.id)
    if (found.kind, found.name) != (wanted.kind, wanted.name):
        found.kind, found.name = wanted.kind, wanted.name
        record(actor, "resource_group.changed", found, clinic_id=found.clinic_id)
        session().flush()
    return found


def add(actor: Actor, group_id: UUID | str, **about: Any) -> Resource:
    """One more room or device of a group; `about` is a ResourceShape's values. Raises Invalid for a name in use."""
    wanted = ResourceShape.parse(about)
    found = group(actor, group_id, lock=True)
    name_is_free(found.id, wanted.name)
    made = Resource(group_id=found.id, **wanted.values())
    found.resources.append(made)
    session().flush()
    record(actor, "resource.added", made, clinic_id=found.clinic_id, group_id=found.id)
    return made


def change(actor: Actor, resource_id: UUID | str, **about: Any) -> Resource:
    """Give a room or device another name or number of places. Raises as `add` does.

    Whoever calls this has looked at the visits booked into it (out_of_use.change).
    """
    wanted = ResourceShape.parse(about)
    found = resource(actor, resource_id)
    session().execute(
        select(ResourceGroup.id).where(ResourceGroup.id == found.group_id).with_for_update(key_share=True)
    )
    name_is_free(found.group_id, wanted.name, but=found.id)
    if (found.name, found.places) != (wanted.name, wanted.places):
        found.name, found.places = wanted.name, wanted.places
        record(actor, "resource.changed", found, clinic_id=found.group.clinic_id)
        session().flush()
    return found


def reopen(actor: Actor, resource_id: UUID | str) -> Resource:
    """Use a room or device again that was out of use."""
    found = resource(actor, resource_id)
    if not found.is_active:
        found.is_active = True
        record(actor, "resource.reopened", found, clinic_id=found.group.clinic_id)
        session().flush()
    return found


def _group_is_free(clinic_id: UUID, name: str, but: UUID | None = None) -> None:
    same = select(ResourceGroup.id).where(
        ResourceGroup.clinic_id == clinic_id, func.lower(ResourceGroup.name) == name.lower(), ResourceGroup.id != but
    )
    if session().scalar(same):
        raise Invalid(fields={"name": _("This clinic has rooms or devices of this name already.")})


def name_is_free(group_id: UUID, name: str, but: UUID | None = None) -> None:
    """Go on if no other room or device of the group has this name; raises Invalid."""
    same = select(Resource.id).where(
        Resource.group_id == group_id, func.lower(Resource.name) == name.lower(), Resource.id != but
    )
    if session().scalar(same):
        raise Invalid(fields={"name": _("There is one of this name already.")})

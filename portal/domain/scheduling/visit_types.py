"""What can be booked at a clinic and the policy of booking it; kept by the clinic's admins."""

from __future__ import annotations

from collections.abc import Iterable
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
from portal.domain.clinics.models import ResourceGroup
from portal.domain.scheduling import closing, impact, policy
from portal.domain.scheduling.models import Appointment, VisitType
from portal.domain.scheduling.shapes import VisitTypeShape


def of_clinic(actor: Actor, clinic_id: UUID) -> list[VisitType]:
    """All visit types of a clinic, active ones first; for its admins."""
    managing.get(actor, clinic_id)
    return list(
        session().scalars(
            select(VisitType)
            .where(VisitType.clinic_id == clinic_id)
            .order_by(VisitType.is_active.desc(), *as_listed(VisitType.name))
        )
    )


def whole_of_clinic(actor: Actor, clinic_id: UUID) -> list[VisitType]:
    """The same, each with what it needs."""
    managing.get(actor, clinic_id)
    statement = select(VisitType).where(VisitType.clinic_id == clinic_id).options(selectinload(VisitType.needs))
    return list(session().scalars(statement.order_by(VisitType.is_active.desc(), *as_listed(VisitType.name))))


def active_at(clinic_ids: list[UUID]) -> list[VisitType]:
    """The visit types given at these clinics, by name."""
    statement = select(VisitType).where(VisitType.clinic_id.in_(clinic_ids), VisitType.is_active)
    return list(session().scalars(statement.order_by(*as_listed(VisitType.name))))


def get(actor: Actor, visit_type_id: UUID | str) -> VisitType:
    """One visit type with its clinic and what it needs, if the actor runs that clinic; raises NotFound."""
    statement = (
        select(VisitType)
        .where(VisitType.id == as_id(visit_type_id))
        .options(joinedload(VisitType.clinic), selectinload(VisitType.needs))
    )
    kind = session().scalars(statement).one_or_none() or refuse(NotFound)
    allow(actor.administers(kind.clinic_id), NotFound)
    return kind


def take(actor: Actor, visit_type_id: UUID | str) -> VisitType:
    """The same, for who changes it: nobody books at its clinic and nobody else changes it meanwhile."""
    kind = get(actor, visit_type_id)
    closing.clinic(kind.clinic_id)
    managing.get(actor, kind.clinic_id, lock=True)
    session().refresh(kind, [column.key for column in VisitType.__mapper__.column_attrs])
    return kind


def add(actor: Actor, clinic_id: UUID | str, **about: Any) -> VisitType:
    """A new visit type with its policy; `about` is a VisitTypeShape's values.

    Raises Invalid for a name in use and for rooms or devices of another clinic.
    """
    wanted = VisitTypeShape.parse(about)
    clinic = managing.get(actor, clinic_id, lock=True)
    _name_is_free(clinic.id, wanted.name)
    kind = VisitType(clinic_id=clinic.id, needs=_needs(clinic.id, wanted.needs), **_columns(wanted))
    session().add(kind)
    session().flush()
    record(actor, "visit_type.added", kind)
    return kind


def change(actor: Actor, visit_type_id: UUID | str, *, keep_visits: bool = False, **about: Any) -> VisitType:
    """Change a visit type; visits booked already keep their length, how they happen, price and rooms.

    Raises as `add` does, and VisitsAffected when it is switched off while visits are booked, unless they are kept:
    they could not be moved any more.
    """
    wanted = VisitTypeShape.parse(about)
    kind = take(actor, visit_type_id)
    _name_is_free(kind.clinic_id, wanted.name, but=kind.id)
    values = {**_columns(wanted), "needs": _needs(kind.clinic_id, wanted.needs)}
    if kind.is_active and not wanted.is_active:
        impact.unless_kept(impact.ahead(Appointment.visit_type_id == kind.id), keep_visits)
    now = {name: getattr(kind, name) for name in values} | {"needs": sorted(kind.needs, key=lambda one: one.name)}
    changed = sorted(name for name, value in values.items() if now[name] != value)
    for name in changed:
        setattr(kind, name, values[name])
    if changed:
        record(actor, "visit_type.changed", kind, fields=changed)
        session().flush()
    return kind


def in_words(wanted: VisitTypeShape) -> list[str]:
    """The policy of a visit type that is not saved yet, as a patient would read it before booking."""
    return policy.in_words(VisitType(**_columns(wanted)))


def needing(actor: Actor, clinic_id: UUID) -> dict[UUID, list[VisitType]]:
    """Which visit types need each group of rooms or devices, by name; for the clinic's admins."""
    managing.get(actor, clinic_id)
    statement = select(VisitType).where(VisitType.clinic_id == clinic_id, VisitType.needs.any())
    found: dict[UUID, list[VisitType]] = {}
    for kind in session().scalars(
        statement.options(selectinload(VisitType.needs)).order_by(*as_listed(VisitType.name))
    ):
        for group in kind.needs:
            found.setdefault(group.id, []).append(kind)
    return found


def _columns(wanted: VisitTypeShape) -> dict[str, Any]:
    values = wanted.values()
    del values["needs"]
    values["name_fr"], values["name_ar"] = values["name_fr"] or "", values["name_ar"] or ""
    return values


def _needs(clinic_id: UUID, wanted: Iterable[UUID]) -> list[ResourceGroup]:
    ids = set(wanted)
    statement = select(ResourceGroup).where(ResourceGroup.clinic_id == clinic_id, ResourceGroup.id.in_(ids))
    found = list(session().scalars(statement.order_by(*as_listed(ResourceGroup.name)))) if ids else []
    if len(found) != len(ids):
        raise Invalid(fields={"needs": _("Please choose among the rooms and devices of this clinic.")})
    return found


def _name_is_free(clinic_id: UUID, name: str, but: UUID | None = None) -> None:
    same = select(VisitType.id).where(
        VisitType.clinic_id == clinic_id, func.lower(VisitType.name) == name.lower(), VisitType.id != but
    )
    if session().scalar(same):
        raise Invalid(fields={"name": _("This clinic has a visit type of this name already.")})

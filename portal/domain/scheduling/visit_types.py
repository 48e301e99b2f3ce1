"""What can be booked at a clinic and the policy of booking it; kept by the clinic's admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.shapes import VisitTypeShape


def of_clinic(actor: Actor, clinic_id: UUID) -> list[VisitType]:
    """All visit types of a clinic, active ones first; for its admins."""
    managing.get(actor, clinic_id)
    return list(
        session().scalars(
            select(VisitType)
            .where(VisitType.clinic_id == clinic_id)
            .order_by(VisitType.is_active.desc(), VisitType.name)
        )
    )


def active_at(clinic_ids: list[UUID]) -> list[VisitType]:
    """The visit types given at these clinics, by name."""
    statement = select(VisitType).where(VisitType.clinic_id.in_(clinic_ids), VisitType.is_active)
    return list(session().scalars(statement.order_by(VisitType.name)))


def get(actor: Actor, visit_type_id: UUID | str) -> VisitType:
    """One visit type with its clinic, if the actor runs that clinic; raises NotFound."""
    statement = select(VisitType).where(VisitType.id == as_id(visit_type_id)).options(joinedload(VisitType.clinic))
    kind = session().scalars(statement).one_or_none() or refuse(NotFound)
    allow(actor.administers(kind.clinic_id), NotFound)
    return kind


def add(actor: Actor, clinic_id: UUID | str, **about: Any) -> VisitType:
    """A new visit type with its policy; `about` is a VisitTypeShape's values. Raises Invalid for a name in use."""
    wanted = VisitTypeShape.parse(about)
    clinic = managing.get(actor, clinic_id, lock=True)
    _name_is_free(clinic.id, wanted.name)
    kind = VisitType(clinic_id=clinic.id, **_columns(wanted))
    session().add(kind)
    session().flush()
    record(actor, "visit_type.added", kind)
    return kind


def change(actor: Actor, visit_type_id: UUID | str, **about: Any) -> VisitType:
    """Change a visit type; visits booked already keep their length and price. Raises as `add` does."""
    wanted = VisitTypeShape.parse(about)
    kind = get(actor, visit_type_id)
    managing.get(actor, kind.clinic_id, lock=True)
    _name_is_free(kind.clinic_id, wanted.name, but=kind.id)
    values = _columns(wanted)
    changed = sorted(name for name, value in values.items() if getattr(kind, name) != value)
    for name in changed:
        setattr(kind, name, values[name])
    if changed:
        record(actor, "visit_type.changed", kind, fields=changed)
        session().flush()
    return kind


def _columns(wanted: VisitTypeShape) -> dict[str, Any]:
    values = wanted.values()
    values["name_fr"], values["name_ar"] = values["name_fr"] or "", values["name_ar"] or ""
    return values


def _name_is_free(clinic_id: UUID, name: str, but: UUID | None = None) -> None:
    same = select(VisitType.id).where(
        VisitType.clinic_id == clinic_id, func.lower(VisitType.name) == name.lower(), VisitType.id != but
    )
    if session().scalar(same):
        raise Invalid(fields={"name": _("This clinic has a visit type of this name already.")})

"""How far care reaches: the whole record, or what belongs to one clinic. The rule in SQL, for every reader."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from portal.core import clock
from portal.core.actor import Actor
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Delegation


def reaches(actor: Actor, what: str, patient: Any, clinic: Any) -> ColumnElement[bool]:
    """In SQL: the actor may do this for this patient with what belongs to this clinic; both are columns of one row."""
    whole: ColumnElement[bool] = patient.in_(actor.cares_for(what))
    parts = actor.parts(what)
    return or_(whole, tuple_(patient, clinic).in_(sorted(parts))) if parts else whole


def is_current() -> ColumnElement[bool]:
    """In SQL: the delegation counts today, as actors are read: by the clinic's date where it reaches that clinic's part
    alone, by the portal's where it reaches the whole record."""
    clinic = aliased(Clinic)
    there = select(clinic.time_zone).where(clinic.id == Delegation.clinic_id).correlate(Delegation).scalar_subquery()
    day = func.date(func.timezone(func.coalesce(there, clock.home().key), clock.now()))
    lasts = or_(Delegation.ends_on.is_(None), Delegation.ends_on >= day)
    return and_(Delegation.ended_at.is_(None), Delegation.starts_on <= day, lasts)


def covers(clinic: Any) -> ColumnElement[bool]:
    """In SQL: the delegation reaches what belongs to this clinic, an id or a column; None is what belongs to none."""
    if clinic is None:
        return Delegation.clinic_id.is_(None)
    return or_(Delegation.clinic_id.is_(None), Delegation.clinic_id == clinic)

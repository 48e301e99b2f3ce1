"""Lists of appointments for those who arrange them: a clinic's or a doctor's, filtered and in pages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.paging import Page, page
from portal.core.policy import allow, find
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import closures
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.models import Appointment


def of_clinic(
    actor: Actor,
    clinic_id: UUID,
    *,
    first: date | None = None,
    last: date | None = None,
    doctor_id: UUID | None = None,
    patient_id: UUID | None = None,
    status: Collection[str] = (),
    latest_first: bool = False,
    after: str | None = None,
    limit: int = 25,
) -> Page[Appointment]:
    """The visits of a clinic whose desk the actor runs, on its dates first to last, by their time.

    `status` are the states to show, none is all of them. Raises NotFound for a clinic the actor does not work at.
    """
    clinic = find(actor, Clinic, clinic_id)
    allow(actor.works_at(clinic.id), NotFound)
    which = [Appointment.clinic_id == clinic.id]
    if doctor_id:
        which.append(Appointment.doctor_id == doctor_id)
    return _listed(actor, which, clinic.zone, first, last, patient_id, status, latest_first, after, limit)


def of_doctor(
    actor: Actor,
    doctor_id: UUID,
    *,
    first: date | None = None,
    last: date | None = None,
    patient_id: UUID | None = None,
    status: Collection[str] = (),
    latest_first: bool = False,
    after: str | None = None,
    limit: int = 25,
) -> Page[Appointment]:
    """A doctor's visits for the doctor and the desks of their clinics, as `of_clinic`; each desk sees its own.

    Dates are those of the first practice, without one the portal's. Raises NotFound to everybody else.
    """
    practices = closures.practices_of(actor, doctor_id)
    allow(actor.doctor_id == doctor_id or bool(practices), NotFound)
    zone = practices[0].clinic.zone if practices else clock.home()
    which = [Appointment.doctor_id == doctor_id]
    return _listed(actor, which, zone, first, last, patient_id, status, latest_first, after, limit)


def _listed(
    actor: Actor,
    which: list[ColumnElement[bool]],
    zone: ZoneInfo,
    first: date | None,
    last: date | None,
    patient_id: UUID | None,
    status: Collection[str],
    latest_first: bool,
    after: str | None,
    limit: int,
) -> Page[Appointment]:
    if first:
        which.append(Appointment.starts_at >= datetime.combine(first, time(), zone))
    if last:
        which.append(Appointment.starts_at < datetime.combine(last + timedelta(days=1), time(), zone))
    if patient_id:
        which.append(Appointment.patient_id == patient_id)
    if status:
        which.append(Appointment.status.in_(status))
    statement = select(Appointment).where(Appointment.visible(actor), *which).options(*WHOLE)
    keys = [Appointment.starts_at, Appointment.id]
    return page(statement, keys, after=after, limit=limit, descending=latest_first)

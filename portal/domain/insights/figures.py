"""Figures for a doctor and for those who run a clinic: how well time is used, how soon patients come, how they wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound
from portal.core.names import as_listed
from portal.core.policy import allow
from portal.domain.clinics import managing
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.insights import access, reading
from portal.domain.insights.measures import WEEKS, Access, Figures, Period
from portal.domain.insights.reading import Key

__all__ = ["WEEKS", "Access", "Figures", "Period", "Report", "Row", "of_clinic", "of_doctor"]


@dataclass(frozen=True)
class Row:
    """The figures of one practice."""

    practice: Practice
    figures: Figures


@dataclass(frozen=True)
class Report:
    """Everything of one period: in all, the period before, week by week, practice by practice, and access as of now."""

    period: Period
    zone: ZoneInfo
    read_at: datetime
    total: Figures
    before: Figures
    weeks: list[tuple[date, Figures]]
    rows: list[Row]
    access: list[Access]

    @property
    def is_empty(self) -> bool:
        return not (self.total.booked or self.total.late_cancels or self.total.open_minutes)


def of_doctor(actor: Actor, weeks: int) -> Report:
    """The actor's own figures over all of their clinics; raises NotFound for someone who is no doctor."""
    allow(actor.doctor_id is not None and weeks in WEEKS, NotFound)
    return _report(_practices(Practice.doctor_id == actor.doctor_id), weeks)


def of_clinic(actor: Actor, clinic_id: UUID | str, weeks: int) -> Report:
    """The figures of a clinic the actor runs, with those of each doctor; raises NotFound for another's."""
    allow(weeks in WEEKS, NotFound)
    clinic = managing.get(actor, clinic_id)
    return _report(_practices(Practice.clinic_id == clinic.id), weeks, clinic.zone)


def _practices(scope: object) -> list[Practice]:
    """Ended practices too: what happened there still counts."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .where(scope)  # type: ignore[arg-type]
        .options(joinedload(Practice.doctor), joinedload(Practice.clinic))
        .order_by(*as_listed(Doctor.family_name, Doctor.given_name), Practice.created_at)
    )
    return list(session().scalars(statement))


def _report(practices: list[Practice], weeks: int, zone: ZoneInfo | None = None) -> Report:
    zone = zone or (practices[0].clinic.zone if practices else clock.home())
    period = Period.until(clock.today(zone), weeks)
    found = reading.figures([practice.id for practice in practices], period)
    rows = [Row(practice, found.get(Key(True, practice.id, None), Figures())) for practice in practices]
    return Report(
        period=period,
        zone=zone,
        read_at=clock.now(),
        total=found.get(Key(True, None, None), Figures()),
        before=found.get(Key(False, None, None), Figures()),
        weeks=[(period.week(number), found.get(Key(True, None, number), Figures())) for number in range(period.weeks)],
        rows=[row for row in rows if row.practice.is_active or row.figures.booked],
        access=access.third_next([practice.id for practice in practices if practice.is_active]),
    )

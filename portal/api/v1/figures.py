"""Figures of the last weeks: how well time is used, how soon patients come, how they wait."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field

from portal.api.v1 import endpoint
from portal.api.v1.answers import Out, Person, Zone
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.policy import allow
from portal.core.shapes import Shape, fault
from portal.core.text import language
from portal.core.text import lazy as _
from portal.domain.insights import figures
from portal.domain.insights.figures import WEEKS, Access, Report, Row
from portal.domain.insights.figures import Figures as Measured

TAG = "Figures"
READ = "schedule:read"
Share = Annotated[float | None, Field(description="0.25 is a quarter; null where there is nothing to count")]


def _offered(weeks: int) -> int:
    if weeks not in WEEKS:
        raise fault("weeks", _("This is not one of the choices."))
    return weeks


class FiguresQuery(Shape):
    """Over how many weeks, ending yesterday."""

    weeks: Annotated[int, AfterValidator(_offered), Field(json_schema_extra={"enum": list(WEEKS)})] = WEEKS[0]


class FiguresOut(Out):
    """Spans in minutes, lead times in days; `_most` is what nine in ten stay below."""

    open_minutes: float
    booked_minutes: float
    booked: Annotated[int, Field(description="Visits that were neither cancelled nor declined")]
    attended: int
    no_shows: int
    late_cancels: int
    unrecorded: Annotated[int, Field(description="Over, but nobody said whether the patient came")]
    lead_days: float | None
    lead_days_most: float | None
    wait: float | None
    wait_most: float | None
    length: float | None
    planned_length: float | None
    utilisation: Share
    no_show_rate: Share
    late_cancel_rate: Share

    @classmethod
    def of(cls, one: Measured) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class WeekOut(Out):
    first: date
    figures: FiguresOut


class RowOut(Out):
    """The figures of one doctor at one clinic."""

    practice_id: UUID
    doctor: Person
    clinic: Person
    figures: FiguresOut

    @classmethod
    def of(cls, row: Row) -> Self:
        one = row.practice
        return cls(
            practice_id=one.id,
            doctor=Person(id=one.doctor.id, name=one.doctor.name),
            clinic=Person(id=one.clinic.id, name=one.clinic.name),
            figures=FiguresOut.of(row.figures),
        )


class AccessOut(Out):
    """How soon one type of visit can be had now: the third next free time is the standard measure."""

    visit_type_id: UUID
    name: str
    soonest: datetime | None
    third_next: datetime | None
    days: Annotated[float | None, Field(description="To the third next free time, on average over the doctors")]
    doctors: int
    doctors_without: Annotated[int, Field(description="Who have fewer than three free times")]

    @classmethod
    def of(cls, one: Access, report: Report) -> Self:
        plain = ("visit_type_id", "days", "doctors", "doctors_without")
        return cls(
            **{name: getattr(one, name) for name in plain},
            name=one.name_in(language()),
            soonest=one.soonest.astimezone(report.zone) if one.soonest else None,
            third_next=one.third_next.astimezone(report.zone) if one.third_next else None,
        )


class ReportOut(Out):
    """In all, the period before it, week by week, doctor by doctor, and how soon visits can be had now."""

    first: date
    last: date
    time_zone: Zone
    read_at: datetime
    total: FiguresOut
    before: Annotated[FiguresOut, Field(description="As many weeks before")]
    weeks: list[WeekOut]
    rows: list[RowOut]
    access: list[AccessOut]

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            first=report.period.first,
            last=report.period.last,
            time_zone=report.zone.key,
            read_at=report.read_at.astimezone(UTC),
            total=FiguresOut.of(report.total),
            before=FiguresOut.of(report.before),
            weeks=[WeekOut(first=first, figures=FiguresOut.of(one)) for first, one in report.weeks],
            rows=[RowOut.of(row) for row in report.rows],
            access=[AccessOut.of(one, report) for one in report.access],
        )


@endpoint("GET", "/doctors/{doctor_id}/figures", tag=TAG, query=FiguresQuery, answer=ReportOut, scope=READ)
def get_doctor_figures(actor: Actor, doctor_id: UUID, query: FiguresQuery) -> ReportOut:
    """A doctor's own figures over all of their clinics; nobody else's"""
    allow(actor.doctor_id == doctor_id, NotFound)
    return ReportOut.of(figures.of_doctor(actor, query.weeks))


@endpoint("GET", "/clinics/{clinic_id}/figures", tag=TAG, query=FiguresQuery, answer=ReportOut, scope=READ)
def get_clinic_figures(actor: Actor, clinic_id: UUID, query: FiguresQuery) -> ReportOut:
    """A clinic's figures with those of each of its doctors, for its admins"""
    return ReportOut.of(figures.of_clinic(actor, clinic_id, query.weeks))

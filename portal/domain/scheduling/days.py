"""A doctor's day and week as they are read: visits, kept times, open hours and time off, in the clinics' own time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound
from portal.core.policy import allow
from portal.domain.clinics.models import Holiday
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.scheduling import appointments, closures, hours, impact, timetable
from portal.domain.scheduling.closures import TimeOff
from portal.domain.scheduling.models import (
    CHECKED_IN,
    COMPLETED,
    IN_PROGRESS,
    NO_SHOW,
    PENDING,
    UPCOMING,
    Appointment,
    Hold,
)
from portal.domain.scheduling.rulebook import moment

MOST_REQUESTS = 50


@dataclass(frozen=True)
class Frame:
    """Where a doctor receives now, and the zone in which their days begin: that of the first practice."""

    doctor_id: UUID
    practices: list[Practice]

    @property
    def zone(self) -> ZoneInfo:
        return self.practices[0].clinic.zone if self.practices else clock.home()

    @property
    def today(self) -> date:
        return clock.today(self.zone)


@dataclass(frozen=True)
class Day:
    """One date: its visits in order, how many stand where, and what keeps the doctor from receiving."""

    date: date
    visits: list[Appointment]
    off: list[TimeOff] = field(default_factory=list)
    holidays: list[Holiday] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Visits in all, still to come, waiting, with the doctor, done, and those who did not come."""
        states = Counter(visit.status for visit in self.visits)
        return {
            "all": len(self.visits),
            "ahead": sum(states[state] for state in UPCOMING),
            "waiting": states[CHECKED_IN],
            "inside": states[IN_PROGRESS],
            "done": states[COMPLETED],
            "no_show": states[NO_SHOW],
        }


@dataclass(frozen=True)
class Hours:
    """Open hours of one practice on one date, as instants; `step` are the minutes between starts, if they have any."""

    practice: Practice
    starts_at: datetime
    ends_at: datetime
    step: int | None = None


@dataclass(frozen=True)
class Kept:
    """A time that is kept for somebody until `expires_at`; `patient` is whose, where the reader may know it."""

    practice_id: UUID
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    patient: str


@dataclass(frozen=True)
class WeekDay(Day):
    """A day of a week with its open hours and the times that are kept for somebody."""

    hours: list[Hours] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


def frame(actor: Actor) -> Frame:
    """The actor's own practices; raises NotFound for someone who is no doctor."""
    allow(actor.doctor_id is not None, NotFound)
    doctor_id: UUID = actor.doctor_id  # type: ignore[assignment]
    return Frame(doctor_id, closures.practices_of(actor, doctor_id))


def day(actor: Actor, of: Frame, on: date) -> Day:
    """One date of the doctor, cancelled and declined visits left out."""
    begins, until = bounds(on, on, of.zone)
    return Day(
        date=on,
        visits=appointments.of_doctor(actor, of.doctor_id, on, on, of.zone),
        off=closures.during(of.practices, begins, until),
        holidays=closures.holidays_during(of.practices, on, on),
    )


def week(actor: Actor, of: Frame, first: date) -> list[WeekDay]:
    """Seven dates from `first` on with visits, kept times, open hours and time off."""
    last = first + timedelta(days=6)
    visits = appointments.of_doctor(actor, of.doctor_id, first, last, of.zone)
    off = closures.during(of.practices, *bounds(first, last, of.zone))
    holidays = closures.holidays_during(of.practices, first, last)
    opened = open_hours(of.practices, first, last)
    held = kept(actor, [practice.id for practice in of.practices], *bounds(first, last, of.zone))
    days = []
    for on in (first + timedelta(days=ahead) for ahead in range(7)):
        begins, until = bounds(on, on, of.zone)
        days.append(
            WeekDay(
                date=on,
                visits=[visit for visit in visits if begins <= visit.starts_at < until],
                off=[one for one in off if one.closure.starts_at < until and one.closure.ends_at > begins],
                holidays=[one for one in holidays if one.day == on],
                hours=[_cut(one, begins, until) for one in opened if one.starts_at < until and one.ends_at > begins],
                kept=[one for one in held if begins <= one.starts_at < until],
            )
        )
    return days


def _cut(hours: Hours, begins: datetime, until: datetime) -> Hours:
    """What of these hours lies between two moments."""
    return replace(hours, starts_at=max(hours.starts_at, begins), ends_at=min(hours.ends_at, until))


def requests(actor: Actor, of: Frame) -> list[Appointment]:
    """The requests that wait for the doctor's answer, the soonest visit first."""
    statement = (
        select(Appointment)
        .where(
            Appointment.doctor_id == of.doctor_id,
            Appointment.status == PENDING,
            Appointment.starts_at > clock.now(),
            Appointment.visible(actor),
        )
        .options(*appointments.WHOLE)
        .order_by(Appointment.starts_at)
        .limit(MOST_REQUESTS)
    )
    return list(session().scalars(statement))


def earlier(actor: Actor, appointment: Appointment, limit: int = 5) -> list[Appointment]:
    """The latest earlier visits of this patient with this doctor, the latest first."""
    statement = (
        select(Appointment)
        .where(
            Appointment.patient_id == appointment.patient_id,
            Appointment.doctor_id == appointment.doctor_id,
            Appointment.starts_at < appointment.starts_at,
            Appointment.visible(actor),
        )
        .options(joinedload(Appointment.visit_type), joinedload(Appointment.clinic))
        .order_by(Appointment.starts_at.desc())
        .limit(limit)
    )
    return list(session().scalars(statement))


def kept(actor: Actor, practice_ids: Sequence[UUID], begins: datetime, until: datetime) -> list[Kept]:
    """The times of these practices that are kept for somebody now, in order of time."""
    whose = and_(Patient.id == Hold.patient_id, Patient.visible(actor))
    statement = (
        select(Hold.practice_id, Hold.starts_at, Hold.ends_at, Hold.expires_at, Patient.given_name, Patient.family_name)
        .outerjoin(Patient, whose)
        .where(
            Hold.practice_id.in_(practice_ids),
            Hold.starts_at < until,
            Hold.ends_at > begins,
            Hold.expires_at > clock.now(),
        )
        .order_by(Hold.starts_at)
    )
    return [
        Kept(row.practice_id, row.starts_at, row.ends_at, row.expires_at, f"{row.given_name} {row.family_name}")
        if row.given_name
        else Kept(row.practice_id, row.starts_at, row.ends_at, row.expires_at, "")
        for row in session().execute(statement)
    ]


def bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first moment of the first date to the end of the last."""
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def open_hours(practices: Sequence[Practice], first: date, last: date) -> list[Hours]:
    """The open hours of these practices on these local dates by the rules alone: nothing that closes is taken off.

    Hours that pass midnight are cut at the first and after the last of them.
    """
    openings = hours.of_practices([practice.id for practice in practices])
    found = []
    for practice in practices:
        own = impact.rules(opening for opening in openings if opening.practice_id == practice.id)
        for window in timetable.open_on(own, practice.clinic.zone, first, last):
            found.append(Hours(practice, moment(window.starts), moment(window.ends), window.opening.step))
    return sorted(found, key=lambda one: one.starts_at)

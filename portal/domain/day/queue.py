"""Who goes next with each doctor of a clinic: booked, late and walk-in patients in one line.

The rule, as the pages say it (see in_words): urgent patients go first. Whoever checks in until the clinic's late
minutes after the booked time keeps the booked time; whoever comes later than that, or without a booking, counts from
when they arrived. Whoever's time is earliest goes next; of two with the same time, the one with the lower number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import session
from portal.core.names import fold
from portal.core.text import ngettext
from portal.domain.clinics.models import Clinic
from portal.domain.day import waiting
from portal.domain.day.waiting import Span, Step, Typical
from portal.domain.doctors.models import Doctor
from portal.domain.scheduling.models import (
    CHECKED_IN,
    COMPLETED,
    CONFIRMED,
    IN_PROGRESS,
    NO_SHOW,
    PENDING,
    RELEASED,
    Appointment,
)

ALL = (
    joinedload(Appointment.doctor),
    joinedload(Appointment.clinic),
    joinedload(Appointment.patient),
    joinedload(Appointment.visit_type),
)
NUMBERS_ONLY = (joinedload(Appointment.doctor), joinedload(Appointment.clinic), joinedload(Appointment.visit_type))


def is_late(visit: Any, late: timedelta) -> bool:
    """Whether the patient came, or has let the clinic wait, longer after the booked time than still counts as on time.

    `visit` is an appointment or looks like one; a walk-in is never late.
    """
    if visit.is_walk_in:
        return False
    return bool((visit.checked_in_at or clock.now()) > visit.starts_at + late)


def is_missing(visit: Appointment) -> bool:
    """Whether a confirmed visit's patient is later than still counts as on time; needs its clinic."""
    return visit.status == CONFIRMED and is_late(visit, timedelta(minutes=visit.clinic.late_minutes))


def counts_from(visit: Any, late: timedelta) -> datetime:
    """The time that decides when a checked-in patient goes: the booked one, or that of their arrival."""
    booked = not visit.is_walk_in and not is_late(visit, late)
    return visit.starts_at if booked or visit.checked_in_at is None else visit.checked_in_at  # type: ignore[no-any-return]


def in_turn(visits: Iterable[Any], late: timedelta) -> list[Any]:
    """Checked-in visits in the order in which they go; see the module's rule."""
    return sorted(
        visits, key=lambda one: (not one.is_urgent, counts_from(one, late), one.queue_number or 0, str(one.id))
    )


def in_words(clinic: Clinic) -> str:
    """The rule as the pages say it."""
    return ngettext(
        "Urgent patients go first. Whoever checks in on time keeps the booked time; whoever comes more than %(n)s "
        "minute late, or without a booking, counts from when they arrived. The earliest goes next.",
        "Urgent patients go first. Whoever checks in on time keeps the booked time; whoever comes more than %(n)s "
        "minutes late, or without a booking, counts from when they arrived. The earliest goes next.",
        clinic.late_minutes,
    )


@dataclass(frozen=True)
class Place:
    """Somebody who waits: how many go before them and how long it may take."""

    visit: Appointment
    before: int
    wait: Span
    is_late: bool = False


@dataclass(frozen=True)
class Queue:
    """One doctor's day at one clinic, each visit in exactly one of these lists."""

    clinic: Clinic
    doctor: Doctor
    waiting: list[Place] = field(default_factory=list)  # in turn, not called
    called: list[Appointment] = field(default_factory=list)  # asked in, not started; the latest call first
    inside: list[Appointment] = field(default_factory=list)
    expected: list[Appointment] = field(default_factory=list)  # confirmed and not here, by booked time
    requests: list[Appointment] = field(default_factory=list)  # not confirmed yet
    done: list[Appointment] = field(default_factory=list)
    missed: list[Appointment] = field(default_factory=list)

    @property
    def late(self) -> timedelta:
        return timedelta(minutes=self.clinic.late_minutes)

    @property
    def next(self) -> Appointment | None:
        """Who is called next; those who were called already are not called again by that."""
        return self.waiting[0].visit if self.waiting else None

    @property
    def here(self) -> list[Appointment]:
        """Everybody who is checked in and not with the doctor yet."""
        return [*self.called, *(place.visit for place in self.waiting)]

    @property
    def is_over(self) -> bool:
        """Whether nobody is here and nobody is expected any more."""
        return not (self.here or self.inside or self.expected or self.requests)

    @property
    def all(self) -> list[Appointment]:
        """Every visit of the day, wherever it stands, by its time."""
        found = [*self.here, *self.inside, *self.expected, *self.requests, *self.done, *self.missed]
        return sorted(found, key=lambda visit: (visit.starts_at, str(visit.id)))

    def is_late(self, visit: Appointment) -> bool:
        return is_late(visit, self.late)

    def place_of(self, appointment_id: UUID) -> Place | None:
        return next((place for place in self.waiting if place.visit.id == appointment_id), None)


def bounds(clinic: Clinic, on: date) -> tuple[datetime, datetime]:
    """The instants between which a clinic's date lies."""
    zone = clinic.zone
    return datetime.combine(on, time(), zone), datetime.combine(on + timedelta(days=1), time(), zone)


def read(
    clinic: Clinic, on: date, *which: Any, doctor_id: UUID | None = None, options: Sequence[Any] = ALL
) -> list[Queue]:
    """The queues of a clinic's date, by doctor's name, for verbs and pages that know who asks; two statements.

    `which` are further conditions, such as what the actor may see.
    """
    begins, until = bounds(clinic, on)
    statement = (
        select(Appointment)
        .where(
            Appointment.clinic_id == clinic.id,
            Appointment.starts_at >= begins,
            Appointment.starts_at < until,
            Appointment.status.not_in(RELEASED),
            *which,
        )
        .options(*options)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    if doctor_id:
        statement = statement.where(Appointment.doctor_id == doctor_id)
    by_doctor: defaultdict[UUID, list[Appointment]] = defaultdict(list)
    for visit in session().scalars(statement):
        by_doctor[visit.doctor_id].append(visit)
    took = waiting.typical(by_doctor) if by_doctor else {}
    queues = [arranged(clinic, visits, took[doctor]) for doctor, visits in by_doctor.items()]
    return sorted(queues, key=lambda one: (fold(one.doctor.family_name, one.doctor.given_name), str(one.doctor.id)))


def arranged(clinic: Clinic, visits: Sequence[Appointment], took: Typical) -> Queue:
    """One doctor's visits of a day, each where it stands."""
    by_state: defaultdict[str, list[Appointment]] = defaultdict(list)
    for visit in visits:
        by_state["called" if visit.status == CHECKED_IN and visit.called_at else visit.status].append(visit)
    late = timedelta(minutes=clinic.late_minutes)
    line = in_turn(by_state[CHECKED_IN], late)
    called = sorted(by_state["called"], key=lambda one: one.called_at or one.starts_at, reverse=True)
    waits = _waits(line, called, by_state[IN_PROGRESS], by_state[CONFIRMED], late, took)
    return Queue(
        clinic=clinic,
        doctor=visits[0].doctor,
        waiting=[
            Place(visit, len(called) + before, wait, is_late(visit, late))
            for before, (visit, wait) in enumerate(zip(line, waits, strict=True))
        ],
        called=called,
        inside=by_state[IN_PROGRESS],
        expected=by_state[CONFIRMED],
        requests=by_state[PENDING],
        done=by_state[COMPLETED],
        missed=by_state[NO_SHOW],
    )


def _waits(
    line: Sequence[Appointment],
    called: Sequence[Appointment],
    inside: Sequence[Appointment],
    expected: Sequence[Appointment],
    late: timedelta,
    took: Typical,
) -> list[Span]:
    """How long each of the line waits; those who were called go before all of them."""
    now = clock.now()

    def takes(visit: Appointment) -> Span:
        return took.of(visit.visit_type_id, visit.length.total_seconds() / 60)

    def step(visit: Appointment) -> Step:
        counts, is_first = counts_from(visit, late), visit.is_urgent or visit.called_at is not None
        to_come = [] if is_first else [one for one in expected if now - late <= one.starts_at < counts]
        keeps = not is_first and counts == visit.starts_at and not visit.is_walk_in
        return Step(
            takes=takes(visit),
            booked_in=waiting.minutes_between(now, visit.starts_at) if keeps else 0,
            may_come_before=sum({_group(one): takes(one).high for one in to_come}.values()),
            group=_group(visit),
        )

    under_way = [
        takes(visit).left_after(waiting.minutes_between(visit.started_at or visit.starts_at, now)) for visit in inside
    ]
    return waiting.along([step(visit) for visit in [*called, *line]], under_way)[len(called) :]


def _group(visit: Appointment) -> tuple[object, ...]:
    """What visits share that are seen together: a group visit's time and type."""
    alone = visit.is_walk_in or visit.overbooked
    return (visit.id,) if alone else (visit.starts_at, visit.visit_type_id)

"""The calendar of a clinic as its desk sees it: every doctor side by side, and moving a visit on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from math import gcd
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, true
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import session
from portal.core.errors import Invalid, NotFound, refuse
from portal.core.names import as_listed
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.scheduling import appointments, booking, closures, days, wall_time
from portal.domain.scheduling.days import Hours, Kept
from portal.domain.scheduling.models import RELEASED, Appointment, Closure

MOST_DAYS = 42  # of one answer
FINEST, COARSEST = 5, 30  # minutes a dragged visit snaps to


@dataclass(frozen=True)
class Board:
    """Some dates of a clinic: a column for each practice, and what stands in them, in order of time."""

    clinic: Clinic
    practices: list[Practice]
    first: date
    last: date
    visits: list[Appointment]
    hours: list[Hours]
    off: list[Closure]
    holidays: list[Holiday]
    kept: list[Kept]

    @property
    def zone(self) -> ZoneInfo:
        return self.clinic.zone

    @property
    def present(self) -> list[Practice]:
        """The practices that receive or have something on these dates; all of them when none does."""
        busy = {visit.practice_id for visit in self.visits} | {one.practice_id for one in self.kept}
        busy |= {one.practice.id for one in self.hours}
        return [practice for practice in self.practices if practice.id in busy] or self.practices

    @property
    def spans(self) -> list[tuple[datetime, datetime]]:
        """From when to when something is open or booked."""
        return [
            *((one.starts_at, one.ends_at) for one in self.hours),
            *((one.starts_at, one.ends_at) for one in self.visits),
        ]

    def only(self, practice_id: UUID) -> Board:
        """The same dates for one practice."""
        practices = [one for one in self.practices if one.id == practice_id]
        return replace(
            self,
            practices=practices,
            visits=[one for one in self.visits if one.practice_id == practice_id],
            hours=[one for one in self.hours if one.practice.id == practice_id],
            off=[one for one in self.off if any(concerns(one, practice) for practice in practices)],
            kept=[one for one in self.kept if one.practice_id == practice_id],
        )


@dataclass(frozen=True)
class Moved:
    """A visit that was moved and where it had been; `can_go_back` when its old time has not passed."""

    visit: Appointment
    was: datetime
    was_practice_id: UUID
    can_go_back: bool


def clinics_of(actor: Actor) -> list[Clinic]:
    """The clinics whose desk the actor may sit at, by name."""
    mine = true() if actor.is_superadmin else Clinic.id.in_(actor.clinics_as(STAFF, ADMIN))
    return list(
        session().scalars(select(Clinic).where(mine, Clinic.is_active).order_by(*as_listed(Clinic.name), Clinic.id))
    )


def practices_of(actor: Actor, clinic: Clinic) -> list[Practice]:
    """The practices of a clinic that receive, by the doctor's name; raises NotFound as `board` does."""
    allow(actor.works_at(clinic.id), NotFound)
    return _practices(clinic, set(), None)


def board(actor: Actor, clinic: Clinic, first: date, last: date, practice_id: UUID | None = None) -> Board:
    """The dates first to last (at most six weeks) of a clinic, of one of its practices when named.

    Raises NotFound for a clinic the actor does not work at and for a practice of another.
    """
    allow(actor.works_at(clinic.id), NotFound)
    last = min(last, first + timedelta(days=MOST_DAYS - 1))
    begins, until = days.bounds(first, last, clinic.zone)
    visits = _visits(actor, clinic, begins, until, practice_id)
    practices = _practices(clinic, {visit.practice_id for visit in visits}, practice_id)
    allow(practice_id is None or bool(practices), NotFound)
    active = [practice for practice in practices if practice.is_active]
    return Board(
        clinic=clinic,
        practices=practices,
        first=first,
        last=last,
        visits=visits,
        hours=days.open_hours(active, first, last),
        off=_off(clinic, practices, begins, until),
        holidays=closures.holidays_during(practices[:1], first, last),
        kept=days.kept(actor, [practice.id for practice in practices], begins, until),
    )


def concerns(closure: Closure, practice: Practice) -> bool:
    """Whether this closure keeps this practice from receiving."""
    return (
        closure.practice_id == practice.id
        or closure.doctor_id == practice.doctor_id
        or closure.clinic_id == practice.clinic_id
    )


def snap(hours: Sequence[Hours], zone: ZoneInfo, lengths: Sequence[int] = ()) -> int:
    """Minutes between the times at which visits begin: what a dragged visit is put on, 5 to 30.

    `lengths` are the minutes of the visits themselves, for hours without steps of their own.
    """
    minutes = [at.hour * 60 + at.minute for at in (one.starts_at.astimezone(zone) for one in hours)]
    found = reduce(gcd, [*minutes, *(one.step for one in hours if one.step), *lengths], 0)
    return max(FINEST, min(found or COARSEST, COARSEST))


def instant_of(zone: ZoneInfo, wall: datetime) -> datetime:
    """The instant of a wall time in the clinic's zone; the first of two, and Invalid for one that does not exist."""
    at, exists = wall_time.instant(zone, wall.date(), wall_time.seconds_of(wall.time()))
    if not exists:
        raise Invalid(_("This time does not exist on this day, because the clocks are changed."), code="no_such_time")
    return datetime.fromtimestamp(at, UTC)


def wanted(zone: ZoneInfo, at: datetime | None, starts_at: datetime | None) -> datetime:
    """The instant that was asked for, as one or as a wall time of the zone; raises Invalid for neither."""
    return starts_at or (instant_of(zone, at) if at else None) or refuse(Invalid)


def move(
    actor: Actor,
    appointment_id: UUID,
    *,
    zone: ZoneInfo | None = None,
    at: datetime | None = None,
    starts_at: datetime | None = None,
    practice_id: UUID | None = None,
    version: int | None = None,
) -> Moved:
    """Move a visit to `at`, a wall time of `zone` (its clinic's when left out), or to `starts_at`, an instant.

    `practice_id` is the doctor it goes to. Raises as booking.reschedule does, and Invalid for a time that is none.
    """
    visit = appointments.find(actor, appointment_id)
    new = wanted(zone or visit.clinic.zone, at, starts_at)
    was, was_practice_id, was_overbooked = visit.starts_at, visit.practice_id, visit.overbooked is not None
    other = practice_id if practice_id != was_practice_id else None
    moved = booking.reschedule(actor, appointment_id, starts_at=new, version=version, practice_id=other)
    return Moved(moved, was, was_practice_id, can_go_back=was > clock.now() and not was_overbooked)


def _visits(
    actor: Actor, clinic: Clinic, begins: datetime, until: datetime, practice_id: UUID | None
) -> list[Appointment]:
    statement = (
        select(Appointment)
        .where(
            Appointment.clinic_id == clinic.id,
            Appointment.starts_at >= begins,
            Appointment.starts_at < until,
            Appointment.status.not_in(RELEASED),
            Appointment.visible(actor),
        )
        .options(*appointments.WHOLE)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    if practice_id:
        statement = statement.where(Appointment.practice_id == practice_id)
    return list(session().scalars(statement))


def _practices(clinic: Clinic, also: set[UUID], only: UUID | None) -> list[Practice]:
    """The clinic's practices by the doctor's name; ended ones too while they still have visits."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .where(Practice.clinic_id == clinic.id, or_(Practice.is_active, Practice.id.in_(also)))
        .options(joinedload(Practice.doctor), joinedload(Practice.clinic))
        .order_by(*as_listed(Doctor.family_name, Doctor.given_name), Practice.id)
    )
    if only:
        statement = statement.where(Practice.id == only)
    return list(session().scalars(statement))


def _off(clinic: Clinic, practices: Sequence[Practice], begins: datetime, until: datetime) -> list[Closure]:
    statement = select(Closure).where(
        or_(
            Closure.clinic_id == clinic.id,
            Closure.practice_id.in_([practice.id for practice in practices]),
            Closure.doctor_id.in_([practice.doctor_id for practice in practices]),
        ),
        Closure.starts_at < until,
        Closure.ends_at > begins,
    )
    return list(session().scalars(statement.order_by(Closure.starts_at)))

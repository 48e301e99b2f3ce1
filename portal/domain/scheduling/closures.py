"""Time off: a doctor's leave everywhere, a block at one practice, a clinic's holiday. Booked visits never vanish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import closing, hours, impact
from portal.domain.scheduling.models import Appointment, Closure
from portal.domain.scheduling.shapes import ClosureShape

MOST_LISTED = 100
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)


class HolidayExists(Conflict):
    """The clinic is closed on that day already."""

    code = "holiday_exists"
    sentence = _("This day is a holiday already.")


@dataclass(frozen=True)
class TimeOff:
    """One time off as a doctor sees it: where it counts, the zone it is shown in, whether it is theirs to remove."""

    closure: Closure
    place: str  # a clinic's name; empty is everywhere
    zone: ZoneInfo
    is_own: bool


def practices_of(actor: Actor, doctor_id: UUID) -> list[Practice]:
    """The active practices of a doctor with their clinics, for those who keep the doctor's hours; raises NotFound."""
    statement = (
        select(Practice)
        .join(Practice.clinic)
        .where(Practice.doctor_id == doctor_id, Practice.is_active, Practice.visible(actor))
        .options(joinedload(Practice.clinic), joinedload(Practice.doctor))
        .order_by(Practice.created_at)
    )
    return [practice for practice in session().scalars(statement) if hours.may_set_hours(actor, practice)]


def of_doctor(actor: Actor, doctor_id: UUID, *, past: bool = False) -> list[TimeOff]:
    """What keeps a doctor from receiving from now on (or, with `past`, kept), soonest first."""
    now = clock.now()
    found = during(practices_of(actor, doctor_id), FIRST if past else now, now if past else LAST)
    if past:
        return [off for off in reversed(found) if off.closure.ends_at <= now][:MOST_LISTED]
    return found[:MOST_LISTED]


def during(practices: Sequence[Practice], begins: datetime, until: datetime) -> list[TimeOff]:
    """What keeps the doctor of these practices from receiving in this time, soonest first."""
    if not practices:
        return []
    by_practice = {practice.id: practice.clinic for practice in practices}
    by_clinic = {practice.clinic_id: practice.clinic for practice in practices}
    statement = select(Closure).where(
        or_(
            Closure.doctor_id == practices[0].doctor_id,
            Closure.practice_id.in_(by_practice),
            Closure.clinic_id.in_(by_clinic),
        ),
        Closure.starts_at < until,
        Closure.ends_at > begins,
    )
    found = session().scalars(statement.order_by(Closure.starts_at))
    return [_as_seen(closure, by_practice, by_clinic, practices[0].clinic) for closure in found]


def holidays_during(practices: Sequence[Practice], first: date, last: date) -> list[Holiday]:
    """The holidays of the clinics of these practices on these dates."""
    clinics = [practice.clinic_id for practice in practices]
    statement = select(Holiday).where(Holiday.clinic_id.in_(clinics), Holiday.day.between(first, last))
    return list(session().scalars(statement.order_by(Holiday.day)))


def close_doctor(actor: Actor, doctor_id: UUID | str, **about: Any) -> Closure:
    """A doctor is away from every clinic; by the doctor, or by someone who works at all of their clinics.

    `about` is a ClosureShape's values, meant in the zone of the first practice. Raises VisitsAffected when visits are
    booked then, unless `keep_visits`; Invalid for a time that is over.
    """
    doctor_id = as_id(doctor_id)
    practices = practices_of(actor, doctor_id)
    allow(bool(practices), NotFound)
    allow(actor.doctor_id == doctor_id or _all_practices(doctor_id, practices))
    closing.doctor(doctor_id)
    scope = Appointment.doctor_id == doctor_id
    return _add(actor, practices[0].clinic, scope, ClosureShape.parse(about), doctor_id=doctor_id)


def close_practice(actor: Actor, practice_id: UUID | str, **about: Any) -> Closure:
    """Block time at one practice; the doctor can still receive at the others. Raises as `close_doctor` does."""
    practice = hours.practice_for(actor, practice_id)
    closing.practice(practice.id)
    scope = Appointment.practice_id == practice.id
    return _add(actor, practice.clinic, scope, ClosureShape.parse(about), practice_id=practice.id)


def close_clinic(actor: Actor, clinic_id: UUID | str, **about: Any) -> Closure:
    """Close a whole clinic for some hours or days; by its admins. Raises as `close_doctor` does."""
    clinic = managing.get(actor, clinic_id)
    closing.clinic(clinic.id)
    return _add(actor, clinic, Appointment.clinic_id == clinic.id, ClosureShape.parse(about), clinic_id=clinic.id)


def reopen(actor: Actor, closure_id: UUID | str) -> None:
    """Take a closure away, so that its time can be booked again; by whoever could have made it."""
    closure = session().get(Closure, as_id(closure_id)) or refuse(NotFound)
    clinic_id = _authorised(actor, closure)
    freed = {name: getattr(closure, name) for name in ("practice_id", "doctor_id", "starts_at", "ends_at")}
    record(actor, "closure.removed", closure, clinic_id=clinic_id, **freed)
    session().delete(closure)
    session().flush()


def add_holiday(actor: Actor, clinic_id: UUID | str, *, day: date, name: str, keep_visits: bool = False) -> Holiday:
    """A date on which the clinic is closed. Raises Conflict when it is one already, VisitsAffected as above."""
    closing.clinic(managing.get(actor, clinic_id).id)
    clinic = managing.get(actor, clinic_id, lock=True)
    if day < clock.today(clinic.zone):
        raise Invalid(fields={"day": _("This day is over.")})
    if session().scalar(select(Holiday.id).where(Holiday.clinic_id == clinic.id, Holiday.day == day)):
        raise HolidayExists
    starts, ends = _instants(ClosureShape(first=day, last=day), clinic.zone)
    impact.unless_kept(impact.during(Appointment.clinic_id == clinic.id, starts, ends), keep_visits)
    holiday = Holiday(clinic_id=clinic.id, day=day, name=name)
    session().add(holiday)
    session().flush()
    record(actor, "holiday.added", holiday, day=day.isoformat())
    return holiday


def remove_holiday(actor: Actor, holiday_id: UUID | str) -> Holiday:
    """The clinic works on this date after all."""
    holiday = session().get(Holiday, as_id(holiday_id)) or refuse(NotFound)
    allow(actor.administers(holiday.clinic_id), NotFound)
    record(actor, "holiday.removed", holiday, day=holiday.day.isoformat())
    session().delete(holiday)
    session().flush()
    return holiday


def _add(actor: Actor, clinic: Clinic, scope: Any, wanted: ClosureShape, **where: UUID) -> Closure:
    starts, ends = _instants(wanted, clinic.zone)
    if ends <= clock.now():
        raise Invalid(fields={"last": _("This time is over.")})
    impact.unless_kept(impact.during(scope, starts, ends), wanted.keep_visits)
    closure = Closure(kind=wanted.kind, starts_at=starts, ends_at=ends, note=wanted.note or "", **where)
    session().add(closure)
    session().flush()
    record(actor, "closure.added", closure, kind=wanted.kind, **{"clinic_id": clinic.id, **where})
    return closure


def _instants(wanted: ClosureShape, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first moment to the last in UTC; without times whole days, the last one included."""
    last = wanted.last if wanted.ends and wanted.ends != time() else wanted.last + timedelta(days=1)
    starts = datetime.combine(wanted.first, wanted.starts or time(), zone)
    ends = datetime.combine(last, wanted.ends or time(), zone)
    return starts.astimezone(UTC), ends.astimezone(UTC)


def _authorised(actor: Actor, closure: Closure) -> UUID:
    """The clinic a closure belongs to, if the actor could have made it; raises NotFound or Forbidden."""
    if closure.clinic_id:
        return managing.get(actor, closure.clinic_id).id
    if closure.practice_id:
        return hours.practice_for(actor, closure.practice_id).clinic_id
    doctor_id = closure.doctor_id or refuse(NotFound)
    practices = practices_of(actor, doctor_id)
    allow(bool(practices), NotFound)
    allow(actor.doctor_id == doctor_id or _all_practices(doctor_id, practices))
    return practices[0].clinic_id


def _all_practices(doctor_id: UUID, known: list[Practice]) -> bool:
    statement = select(Practice.id).where(Practice.doctor_id == doctor_id, Practice.is_active)
    return set(session().scalars(statement)) <= {practice.id for practice in known}


def _as_seen(closure: Closure, by_practice: dict[UUID, Clinic], by_clinic: dict[UUID, Clinic], home: Clinic) -> TimeOff:
    clinic = by_practice.get(closure.practice_id or UUID(int=0)) or by_clinic.get(closure.clinic_id or UUID(int=0))
    return TimeOff(closure, clinic.name if clinic else "", (clinic or home).zone, closure.clinic_id is None)

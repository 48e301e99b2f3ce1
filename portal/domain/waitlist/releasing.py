"""What frees time: each event of the schedule that does leads here, and from here to the waitlist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import session
from portal.core.events import Event
from portal.core.tasks import task
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import availability
from portal.domain.scheduling.models import RELEASED, Appointment, Opening
from portal.domain.waitlist.offering import Freed, look


@task
def after_visit(event_id: str, appointment_id: str) -> None:
    """A visit was called off, declined or moved: its time goes to those who wait."""
    event, visit = session().get(Event, UUID(event_id)), _visit(UUID(appointment_id))
    if event is None or visit is None:
        return
    if event.name != "appointment.moved":
        if visit.status in RELEASED:
            look(_around(visit, visit.practice_id, visit.starts_at))
        return
    practice_id = _practice_before(event, visit)
    if practice_id and "was" in event.facts:
        look(_around(visit, practice_id, datetime.fromisoformat(event.facts["was"])))


@task
def after_opening(event_id: str, opening_id: str) -> None:
    """A doctor receives at new hours."""
    statement = select(Opening).where(Opening.id == UUID(opening_id)).options(joinedload(Opening.practice))
    opening = session().scalars(statement).one_or_none()
    if opening is None:
        return
    now = clock.now()
    begins, until = now, now + availability.MOST
    if opening.on_date:
        begins, until = _day(opening.on_date, session().get_one(Clinic, opening.practice.clinic_id))
    look(Freed(opening.practice.clinic_id, opening.practice_id, begins, until, str(opening.id)))


@task
def after_closure(event_id: str, _subject_id: str) -> None:
    """Time off or a holiday was taken away; the event says which time and whose."""
    event = session().get(Event, UUID(event_id))
    if event is None:
        return
    for practice in _practices(event):
        if "day" in event.facts:
            begins, until = _day(date.fromisoformat(event.facts["day"]), practice.clinic)
        elif "starts_at" in event.facts and "ends_at" in event.facts:
            begins, until = (datetime.fromisoformat(event.facts[key]) for key in ("starts_at", "ends_at"))
        else:
            continue
        look(Freed(practice.clinic_id, practice.id, begins, until))


def _visit(appointment_id: UUID) -> Appointment | None:
    statement = select(Appointment).where(Appointment.id == appointment_id)
    return session().scalars(statement.options(joinedload(Appointment.visit_type))).one_or_none()


def _around(visit: Appointment, practice_id: UUID, starts_at: datetime) -> Freed:
    """The time a visit took of its doctor, its buffers included."""
    kind = visit.visit_type
    begins = starts_at - timedelta(minutes=kind.buffer_before)
    until = starts_at + visit.length + timedelta(minutes=kind.buffer_after)
    return Freed(visit.clinic_id, practice_id, begins, until)


def _practice_before(event: Event, visit: Appointment) -> UUID | None:
    """Where a visit was before it moved."""
    doctor_id = event.facts.get("was_doctor")
    if not doctor_id:
        return visit.practice_id
    before = Practice.doctor_id == UUID(doctor_id), Practice.clinic_id == visit.clinic_id
    return session().scalar(select(Practice.id).where(*before))


def _practices(event: Event) -> Iterator[Practice]:
    """The practices that can receive again."""
    statement = select(Practice).where(Practice.is_active).options(joinedload(Practice.clinic))
    facts = event.facts
    if practice_id := facts.get("practice_id"):
        statement = statement.where(Practice.id == UUID(practice_id))
    elif doctor_id := facts.get("doctor_id"):
        statement = statement.where(Practice.doctor_id == UUID(doctor_id))
    elif event.clinic_id:
        statement = statement.where(Practice.clinic_id == event.clinic_id)
    else:
        return iter(())
    return iter(session().scalars(statement.order_by(Practice.id)).all())


def _day(day: date, clinic: Clinic) -> tuple[datetime, datetime]:
    begins = datetime.combine(day, time(), clinic.zone)
    until = datetime.combine(day + timedelta(days=1), time(), clinic.zone)
    return begins.astimezone(UTC), until.astimezone(UTC)

"""Places on the waitlist end: left, over, or because the visit is booked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.db import session
from portal.core.events import record
from portal.core.tasks import task
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling.models import UPCOMING, Appointment
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer

MOST_AT_ONCE = 500


def end(actor: Actor, entry: WaitlistEntry, state: str, event: str, **facts: Any) -> None:
    """The entry waits no longer; a time that is being offered to it is taken back and goes on. Takes a locked entry."""
    entry.state = state
    open_ = select(WaitlistOffer).where(WaitlistOffer.entry_id == entry.id, WaitlistOffer.state == "open")
    for offer in session().scalars(open_.with_for_update()):
        offer.state, offer.answered_at = "void", clock.now()
        about = {"patient_id": entry.patient_id, "clinic_id": entry.clinic_id}
        record(actor, "waitlist.withdrawn", offer, **about, entry_id=entry.id)
    session().flush()
    record(actor, event, entry, **facts)


@task
def after_booking(event_id: str, appointment_id: str) -> None:
    """Whoever books themselves what they waited for waits no longer."""
    booked = session().get(Appointment, UUID(appointment_id))
    if booked is None or booked.status not in UPCOMING:
        return
    statement = select(WaitlistEntry).where(
        WaitlistEntry.patient_id == booked.patient_id,
        WaitlistEntry.visit_type_id == booked.visit_type_id,
        WaitlistEntry.clinic_id == booked.clinic_id,
        or_(WaitlistEntry.practice_id.is_(None), WaitlistEntry.practice_id == booked.practice_id),
        WaitlistEntry.moves_id.is_(None),
        WaitlistEntry.state == "waiting",
        WaitlistEntry.created_at <= booked.created_at,
    )
    for entry in session().scalars(statement.with_for_update()):
        entry.appointment_id = booked.id
        end(SYSTEM, entry, "booked", "waitlist.answered_otherwise", appointment_id=booked.id)


@task
def after_end_of_visit(event_id: str, appointment_id: str) -> None:
    """What was to come earlier is called off or has begun: there is nothing to move any more."""
    visit = session().get(Appointment, UUID(appointment_id))
    if visit is None or visit.status in UPCOMING:
        return
    waiting = WaitlistEntry.moves_id == visit.id, WaitlistEntry.state == "waiting"
    for entry in session().scalars(select(WaitlistEntry).where(*waiting).with_for_update()):
        end(SYSTEM, entry, "over", "waitlist.over")


@task
def after_death(event_id: str, patient_id: str) -> None:
    """Who has died waits no longer; a time that is held for them goes on to the next."""
    theirs = WaitlistEntry.patient_id == UUID(patient_id), WaitlistEntry.state == "waiting"
    for entry in session().scalars(select(WaitlistEntry).where(*theirs).with_for_update()):
        end(SYSTEM, entry, "over", "waitlist.over")


@task
def end_passed() -> int:
    """Places whose last day is over, or whose visit has come, end by themselves; returns how many."""
    now = clock.now()
    today = func.date(func.timezone(Clinic.time_zone, now))
    statement = (
        select(WaitlistEntry)
        .join(Clinic, Clinic.id == WaitlistEntry.clinic_id)
        .outerjoin(Appointment, Appointment.id == WaitlistEntry.moves_id)
        .where(
            WaitlistEntry.state == "waiting",
            or_(WaitlistEntry.last < today, and_(Appointment.id.is_not(None), Appointment.starts_at <= now)),
        )
        .limit(MOST_AT_ONCE)
    )
    found = list(session().scalars(statement.with_for_update(of=WaitlistEntry, skip_locked=True)))
    for entry in found:
        end(SYSTEM, entry, "over", "waitlist.over")
    return len(found)

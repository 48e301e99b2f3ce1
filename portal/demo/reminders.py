"""The demo's reminders: each clinic has three, what was due counts as sent, and the desk has a few calls to make."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from portal.core import clock
from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.reminders import queue, settings
from portal.domain.reminders.models import Reminder
from portal.domain.scheduling import calls
from portal.domain.scheduling.models import CONFIRMED, Appointment

CALLS = ("reminder_failed", "message_failed", "reminder_failed")  # at each clinic, about its next visits but a few


def remind() -> None:
    """Plan what lies ahead; the past is in the ledger as sent, so that the first minute does not mail all of it."""
    here, now = session(), clock.now()
    for clinic_id in here.scalars(select(Clinic.id)):
        settings.begin_with_defaults(clinic_id)
    queue.plan_all(now)
    past = (Reminder.state == "waiting", Reminder.planned_at <= now)
    here.execute(update(Reminder).where(*past).values(state="sent", sent_at=Reminder.planned_at))
    _promises()
    _calls()


def _promises() -> None:
    """Most of those who come within a day have said so."""
    soon = Appointment.starts_at.between(clock.now(), clock.now() + timedelta(hours=24))
    visits = session().scalars(select(Appointment).where(soon, Appointment.status == CONFIRMED))
    for number, visit in enumerate(visits):
        if number % 3:
            visit.promised_at = clock.now() - timedelta(hours=2)


def _calls() -> None:
    for clinic_id in session().scalars(select(Clinic.id)).all():
        ahead = (Appointment.clinic_id == clinic_id, Appointment.starts_at > clock.now() + timedelta(hours=3))
        next_ones = select(Appointment).where(
            *ahead, Appointment.status == CONFIRMED, Appointment.promised_at.is_(None)
        )
        visits = session().scalars(next_ones.order_by(Appointment.starts_at).offset(2).limit(len(CALLS)))
        for visit, code in zip(visits.all(), CALLS, strict=False):
            calls.ask(
                clinic_id=clinic_id,
                patient_id=visit.patient_id,
                code=code,
                key=f"reminder:{visit.id}:{visit.version}",
                appointment_id=visit.id,
            )

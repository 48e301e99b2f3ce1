"""Visits nobody came to, marked by the clock where the clinic wants it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import exists, func, select

from portal.core import clock, log
from portal.core.actor import SYSTEM
from portal.core.db import session
from portal.core.errors import Refused
from portal.core.events import Event
from portal.core.tasks import task
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import visits
from portal.domain.scheduling.models import CONFIRMED, Appointment

LOOK_BACK = timedelta(days=1)  # after a downtime; what is older is left to people
AT_MOST = 500


@task
def mark_missed() -> None:
    """Mark confirmed visits at the clinic whose patient is not checked in so long after the start that the clinic gives
    them up. A mark that somebody took back is not set again by the clock."""
    now = clock.now()
    grace = func.make_interval(0, 0, 0, 0, 0, Clinic.no_show_minutes)
    marked = exists().where(
        Event.subject_type == "appointment", Event.subject_id == Appointment.id, Event.name == "appointment.no_show"
    )
    missed = session().scalars(
        select(Appointment.id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .where(
            Appointment.status == CONFIRMED,
            Appointment.mode == "in_person",
            Clinic.no_show_minutes.is_not(None),
            Appointment.starts_at > now - LOOK_BACK,
            Appointment.starts_at <= now,
            Appointment.starts_at + grace <= now,
            ~marked,
        )
        .order_by(Appointment.starts_at)
        .limit(AT_MOST)
    )
    for appointment_id in missed.all():
        try:
            visits.mark_no_show(SYSTEM, appointment_id)
        except Refused as no:
            log.info("not marked as missed", appointment_id=str(appointment_id), code=no.code)

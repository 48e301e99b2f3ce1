"""Reading appointments: one, mine, a doctor's days; never without asking who may see them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import joinedload

from portal.core import events
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.events import Event
from portal.domain.scheduling.glance import Glance
from portal.domain.scheduling.models import RELEASED, Appointment

WHOLE = (
    joinedload(Appointment.doctor),
    joinedload(Appointment.clinic),
    joinedload(Appointment.patient),
    joinedload(Appointment.visit_type),
    joinedload(Appointment.practice),
)
VIDEO_OPENS = timedelta(minutes=15)


def find(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """The appointment with its doctor, clinic, patient and visit type; raises NotFound when it is not the actor's."""
    return authority.find(actor, Appointment, appointment_id, *WHOLE)


def take(appointment_ids: Iterable[UUID] | ScalarSelect[UUID]) -> None:
    """Let nobody else change these until this transaction ends; whoever takes several waits for them in this order.

    A visit's row is the first lock of whoever changes it: hours, account, patient, doctor, rooms and day follow.
    """
    wanted = appointment_ids if isinstance(appointment_ids, ScalarSelect) else list(appointment_ids)
    statement = select(Appointment.id).where(Appointment.id.in_(wanted)).order_by(Appointment.id)
    session().execute(statement.with_for_update(key_share=True))


def of_doctor(
    actor: Actor, doctor_id: UUID, first: date, last: date, zone: str | ZoneInfo, *, also_released: bool = False
) -> list[Appointment]:
    """A doctor's appointments on the local dates first to last that the actor may see, in order of time."""
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    begins = datetime.combine(first, time(), zone)
    until = datetime.combine(last + timedelta(days=1), time(), zone)
    statement = (
        select(Appointment)
        .where(
            Appointment.doctor_id == doctor_id,
            Appointment.starts_at >= begins,
            Appointment.starts_at < until,
            Appointment.visible(actor),
        )
        .options(*WHOLE)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    if not also_released:
        statement = statement.where(Appointment.status.not_in(RELEASED))
    return list(session().scalars(statement))


def history(actor: Actor, appointment: Appointment) -> list[Event]:
    """What happened to an appointment the actor may see, oldest first."""
    return list(reversed(events.history(appointment)))


def video_opens_at(appointment: Appointment | Glance) -> datetime:
    """From when the link to a video visit is shown."""
    return appointment.starts_at - VIDEO_OPENS

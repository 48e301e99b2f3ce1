"""One function per notice: who is told when something happened. Each is a task that reads everything afresh."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core.db import session
from portal.core.events import Event
from portal.core.tasks import task
from portal.domain.doctors.models import Doctor
from portal.domain.identity.models import User
from portal.domain.notifications import series_notices, words
from portal.domain.notifications.delivery import tell, tell_patient
from portal.domain.scheduling import visits
from portal.domain.scheduling.models import PENDING, RELEASED, Appointment


@task
def appointment_booked(event_id: str, appointment_id: str) -> None:
    """The patient has it in writing; the doctor sees it. A visit cancelled meanwhile is announced to nobody."""
    event, appointment = _read(event_id, appointment_id)
    if event is None or appointment is None or _has_moved_on(event, appointment):
        return
    if appointment.series_id is not None:
        return  # one message tells the whole series
    kind = "appointment.requested" if event.facts.get("status") == PENDING else "appointment.booked"
    _tell_patient(event, appointment, kind)
    _tell_doctor(event, appointment, "doctor.booked")


@task
def appointment_confirmed(event_id: str, appointment_id: str) -> None:
    """The patient learns that the doctor has accepted."""
    event, appointment = _read(event_id, appointment_id)
    if event and appointment and not _has_moved_on(event, appointment):
        _tell_patient(event, appointment, "appointment.confirmed")


@task
def appointment_declined(event_id: str, appointment_id: str) -> None:
    """The patient learns that the doctor cannot, and why."""
    event, appointment = _read(event_id, appointment_id)
    if event and appointment:
        _tell_patient(event, appointment, "appointment.declined")


@task
def appointment_moved(event_id: str, appointment_id: str) -> None:
    """Both learn the new time; a move that was moved again is not announced."""
    event, appointment = _read(event_id, appointment_id)
    if event is None or appointment is None or _has_moved_on(event, appointment):
        return
    _tell_patient(event, appointment, "appointment.moved")
    _tell_doctor(event, appointment, "doctor.moved")


@task
def appointment_cancelled(event_id: str, appointment_id: str) -> None:
    """Both learn that the visit is off."""
    event, appointment = _read(event_id, appointment_id)
    if event is None or appointment is None or series_notices.is_told_together(appointment):
        return
    _tell_patient(event, appointment, "appointment.cancelled")
    _tell_doctor(event, appointment, "doctor.cancelled")


def _read(event_id: str, appointment_id: str) -> tuple[Event | None, Appointment | None]:
    """What happened and the visit as it is now; the open pages of its doctor and its desk look at it again."""
    appointment = words.appointment(UUID(appointment_id))
    if appointment is not None:
        visits.tell_the_clinic(appointment)
    return session().get(Event, UUID(event_id)), appointment


def _has_moved_on(event: Event, appointment: Appointment) -> bool:
    """Whether the appointment has been changed since, so that what happened then is no news now."""
    return appointment.status in RELEASED or appointment.version != event.facts.get("version", appointment.version)


def _tell_patient(event: Event, appointment: Appointment, kind: str) -> None:
    about = {"clinic_id": appointment.clinic_id, **_facts(event, appointment)}
    tell_patient(appointment.patient_id, kind, appointment, str(event.id), **about)


def _tell_doctor(event: Event, appointment: Appointment, kind: str) -> None:
    """A doctor who did it hears nothing of it."""
    its_doctor = select(User).join(Doctor, Doctor.user_id == User.id).where(Doctor.id == appointment.doctor_id)
    doctor = session().scalars(its_doctor).one_or_none()
    if doctor is None:
        return
    if doctor.id != event.actor_id:
        tell(doctor, kind, appointment, str(event.id), **_facts(event, appointment))


def _facts(event: Event, appointment: Appointment) -> dict[str, Any]:
    facts: dict[str, Any] = {"version": appointment.version, "starts_at": appointment.starts_at.isoformat()}
    return facts | ({"was": event.facts["was"]} if "was" in event.facts else {})

"""Notices of series: all its times in one message instead of one for each visit; so too when several are called off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import live
from portal.core.db import session
from portal.core.events import Event
from portal.core.tasks import task
from portal.core.text import format_when, ngettext
from portal.core.text import lazy as _
from portal.domain.doctors.models import Doctor
from portal.domain.identity.models import User
from portal.domain.notifications import kinds, words
from portal.domain.notifications.delivery import tell, tell_patient
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.scheduling import calendars
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.models import PENDING, UPCOMING, Appointment
from portal.domain.scheduling.planning import Series
from portal.gateways.mail import Attachment


@dataclass(frozen=True)
class SeriesRead:
    """A series with its visits in order of time."""

    id: UUID
    visits: tuple[Appointment, ...]

    @property
    def first(self) -> Appointment:
        """The visit whose doctor, clinic and type stand for all."""
        return self.visits[0]

    def among(self, facts: Facts) -> list[Appointment]:
        """The visits a notice is about: those it names, else those that still take place."""
        named = facts.get("visits")
        return [one for one in self.visits if (str(one.id) in named if named else one.status in UPCOMING)]


def read(series_id: UUID) -> SeriesRead | None:
    """The series; None when there is none, or nothing in it."""
    statement = select(Appointment).where(Appointment.series_id == series_id).options(*WHOLE)
    visits = session().scalars(
        statement.order_by(Appointment.starts_at, Appointment.id).execution_options(populate_existing=True)
    )
    found = tuple(visits)
    return SeriesRead(series_id, found) if found else None


def is_told_together(appointment: Appointment) -> bool:
    """Whether the visit was called off with others of its series, so that one message says it."""
    if appointment.series_id is None:
        return False
    named = Event.facts["visits"].contains([str(appointment.id)])
    ended = Event.name == "series.cancelled", Event.subject_type == "series", Event.subject_id == appointment.series_id
    return session().scalar(select(Event.id).where(*ended, named).limit(1)) is not None


@task
def series_booked(event_id: str, series_id: str) -> None:
    """The patient has all times in writing; the doctor sees them."""
    _tell(event_id, series_id, "booked")


@task
def series_cancelled(event_id: str, series_id: str) -> None:
    """Both learn which visits are off."""
    _tell(event_id, series_id, "cancelled")


def _tell(event_id: str, series_id: str, what: str) -> None:
    event, found = session().get(Event, UUID(event_id)), read(UUID(series_id))
    series = session().get(Series, UUID(series_id))
    if event is None or found is None or series is None:
        return
    facts = {"visits": event.facts["visits"]} if "visits" in event.facts else {}
    if not found.among(facts):
        return
    tell_patient(found.first.patient_id, f"series.{what}", series, event_id, clinic_id=series.clinic_id, **facts)
    its_doctor = select(User).join(Doctor, Doctor.user_id == User.id).where(Doctor.id == found.first.doctor_id)
    doctor = session().scalars(its_doctor).one_or_none()
    if doctor is None:
        return
    live.nudge([doctor.id], "schedule")
    if doctor.id != event.actor_id:
        tell(doctor, f"doctor.series_{what}", series, event_id, **facts)


def _about(facts: Facts, series: SeriesRead, locale: str) -> dict[str, Any]:
    first = series.first
    return {
        "doctor": first.doctor.name,
        "patient": first.patient.name,
        "clinic": first.clinic.name,
        "city": first.clinic.city,
        "phone": first.clinic.phone,
        "zone": first.clinic.time_zone,
        "visit_type": first.visit_type.name_in(locale),
        "times": [one.starts_at for one in series.among(facts)],
        "pending": any(one.status == PENDING for one in series.among(facts)),
        "appointment_id": series.among(facts)[0].id,
    }


def _files(series: SeriesRead) -> list[Attachment]:
    kind = "text/calendar; method=PUBLISH; charset=utf-8"
    coming = [one for one in series.visits if one.status in UPCOMING]
    return [Attachment("appointments.ics", calendars.feed(coming), kind)] if coming else []


def _still(facts: Facts, series: SeriesRead) -> bool:
    return bool(series.among(facts))


def _numbers(facts: Facts, series: SeriesRead | None) -> dict[str, Any]:
    visits = series.among(facts) if series else []
    if not visits or series is None:
        return {"doctor": "", "patient": "", "clinic": "", "time": "", "n": 0}
    time = format_when(visits[0].starts_at, series.first.clinic.time_zone)
    who = {"doctor": series.first.doctor.name, "patient": series.first.patient.name, "clinic": series.first.clinic.name}
    return {**who, "time": time, "n": len(visits)}


def _booked(facts: Facts, series: SeriesRead | None) -> str:
    said = _numbers(facts, series)
    return ngettext(
        "Booked: %(doctor)s, %(time)s.",
        "Booked: %(n)s visits with %(doctor)s, the first on %(time)s.",
        said["n"],
        doctor=said["doctor"],
        time=said["time"],
    )


def _cancelled(facts: Facts, series: SeriesRead | None) -> str:
    said = _numbers(facts, series)
    return ngettext(
        "Your visit with %(doctor)s on %(time)s is cancelled.",
        "%(n)s visits with %(doctor)s are cancelled, the first of them on %(time)s.",
        said["n"],
        doctor=said["doctor"],
        time=said["time"],
    )


def _doctor_booked(facts: Facts, series: SeriesRead | None) -> str:
    said = _numbers(facts, series)
    return ngettext(
        "%(patient)s has booked %(time)s.",
        "%(patient)s has %(n)s new visits, the first on %(time)s.",
        said["n"],
        patient=said["patient"],
        time=said["time"],
    )


def _doctor_cancelled(facts: Facts, series: SeriesRead | None) -> str:
    said = _numbers(facts, series)
    return ngettext(
        "%(patient)s no longer comes on %(time)s.",
        "%(patient)s no longer comes to %(n)s visits, the first of them on %(time)s.",
        said["n"],
        patient=said["patient"],
        time=said["time"],
    )


def _short_booked(facts: Facts, series: SeriesRead) -> str:
    clinic, time, count = _short(facts, series)
    return ngettext(
        "%(clinic)s: %(n)s appointment, on %(time)s.",
        "%(clinic)s: %(n)s appointments, first %(time)s.",
        count,
        clinic=clinic,
        time=time,
    )


def _short_cancelled(facts: Facts, series: SeriesRead) -> str:
    clinic, time, count = _short(facts, series)
    return ngettext(
        "%(clinic)s: %(n)s appointment is cancelled, on %(time)s.",
        "%(clinic)s: %(n)s appointments are cancelled, first %(time)s.",
        count,
        clinic=clinic,
        time=time,
    )


def _short(facts: Facts, series: SeriesRead) -> tuple[str, str, int]:
    visits = series.among(facts)
    return series.first.clinic.name, words.short_time(visits[0].starts_at, visits[0]), len(visits)


def _page(door: str) -> Any:
    return lambda series: f"/{door}/appointments/{(series.among({}) or series.visits)[0].id}"


_common: dict[str, Any] = {"read": read, "about": _about, "stands": _still}
kinds.add(
    Kind(
        "series.booked",
        letter="series_booked",
        sentence=_booked,
        sms=_short_booked,
        attachments=_files,
        url=_page("patient"),
        icon="repeat",
        label=_("Series booked"),
        must_reach=False,  # whoever books it without an account stands at the desk or is on the phone
        **_common,
    ),
    Kind(
        "series.cancelled",
        letter="series_cancelled",
        sentence=_cancelled,
        sms=_short_cancelled,
        url=_page("patient"),
        icon="calendar-x",
        label=_("Series cancelled"),
        **_common,
    ),
    Kind(
        "doctor.series_booked",
        letter=None,
        sentence=_doctor_booked,
        url=_page("doctor"),
        icon="repeat",
        label=_("New series"),
        **_common,
    ),
    Kind(
        "doctor.series_cancelled",
        letter=None,
        sentence=_doctor_cancelled,
        url=_page("doctor"),
        icon="calendar-x",
        label=_("Cancelled series"),
        **_common,
    ),
)

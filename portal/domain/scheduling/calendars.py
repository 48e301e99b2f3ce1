"""Appointments for calendars: iCalendar (RFC 5545, 5546, 7986), neutral words only, since calendars are shared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from portal.core import clock
from portal.core.text import beside
from portal.core.text import gettext as say
from portal.domain.scheduling.models import PENDING, RELEASED, Appointment

REFRESH = timedelta(hours=1)  # how often a program may look again


def ics(appointment: Appointment, stamp: datetime | None = None) -> bytes:
    """The appointment as an .ics file; the UID stays, the SEQUENCE grows with each version.

    One that is called off or declined takes itself out of the calendar. Needs doctor and clinic loaded. Says neither
    why someone comes nor to which specialty. `stamp` is its DTSTAMP, now when left out.
    """
    calendar = _calendar(method(appointment))
    summary = say("Appointment with %(doctor)s", doctor=appointment.doctor.name)
    calendar.add_component(_event(appointment, summary, stamp or clock.now()))
    return bytes(calendar.to_ical())


def file_name(appointment: Appointment) -> str:
    """Under which name somebody saves it."""
    return f"visit-{appointment.reference}.ics"


def method(appointment: Appointment) -> str:
    """What a calendar shall do with it (RFC 5546)."""
    return "CANCEL" if appointment.status in RELEASED else "PUBLISH"


def feed(appointments: Iterable[Appointment]) -> bytes:
    """A calendar to subscribe to: every summary is the same neutral word, so that a shared screen tells nothing.

    Needs the clinic loaded.
    """
    calendar = _calendar("PUBLISH")
    name = say("Appointments")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", REFRESH)
    for appointment in appointments:
        calendar.add_component(_event(appointment, say("Appointment"), appointment.updated_at))
    return bytes(calendar.to_ical())


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Portal//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _event(appointment: Appointment, summary: str, stamp: datetime) -> Event:
    event = Event()
    clinic = appointment.clinic
    event.add("uid", f"{appointment.id}@portal")
    event.add("sequence", appointment.version - 1)
    event.add("dtstamp", stamp)
    event.add("dtstart", appointment.starts_at.astimezone(UTC))  # in UTC no zone has to be described beside it
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("last-modified", appointment.updated_at)
    event.add("summary", summary)
    place = clinic.name if appointment.mode != "in_person" else beside(clinic.name, clinic.address, clinic.city)
    event.add("location", place)
    event.add("description", say("Reference %(reference)s", reference=appointment.reference))
    event.add("status", _status(appointment))
    released = appointment.status in RELEASED
    event.add("transp", "TRANSPARENT" if released else "OPAQUE")
    event.add("class", "PRIVATE")
    if clinic.email:
        organizer = vCalAddress(f"mailto:{clinic.email}")
        organizer.params["cn"] = vText(clinic.name)
        event["organizer"] = organizer
    if not released:
        event.add_component(_alarm())
    return event


def _status(appointment: Appointment) -> str:
    if appointment.status in RELEASED:
        return "CANCELLED"
    return "TENTATIVE" if appointment.status == PENDING else "CONFIRMED"


def _alarm() -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", say("Appointment"))
    alarm.add("trigger", timedelta(hours=-2))
    return alarm

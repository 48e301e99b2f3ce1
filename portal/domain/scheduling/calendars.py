"""Appointments for calendars: iCalendar (RFC 5545, 5546), neutral words only, since calendars are shared."""

from __future__ import annotations

from datetime import timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from portal.core import clock
from portal.core.text import gettext as say
from portal.domain.scheduling.models import CANCELLED, DECLINED, PENDING, Appointment


def ics(appointment: Appointment, method: str = "REQUEST") -> bytes:
    """The appointment as an .ics file; the UID stays, the SEQUENCE grows with each version, CANCEL takes it away.

    Needs doctor and clinic loaded. Says neither why someone comes nor to which specialty.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Portal//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH" if method == "REQUEST" else method)
    calendar.add_component(_event(appointment))
    return bytes(calendar.to_ical())


def _event(appointment: Appointment) -> Event:
    event = Event()
    clinic = appointment.clinic
    event.add("uid", f"{appointment.id}@portal")
    event.add("sequence", appointment.version - 1)
    event.add("dtstamp", clock.now())
    event.add("dtstart", appointment.starts_at.astimezone(clinic.zone))
    event.add("dtend", appointment.ends_at.astimezone(clinic.zone))
    event.add("summary", say("Appointment with %(doctor)s", doctor=appointment.doctor.name))
    place = clinic.name if appointment.mode != "in_person" else f"{clinic.name}, {clinic.address}, {clinic.city}"
    event.add("location", place)
    event.add("description", say("Reference %(reference)s", reference=appointment.reference))
    event.add("status", _status(appointment))
    event.add("transp", "OPAQUE")
    if clinic.email:
        organizer = vCalAddress(f"mailto:{clinic.email}")
        organizer.params["cn"] = vText(clinic.name)
        event["organizer"] = organizer
    if appointment.status not in {CANCELLED, DECLINED}:
        event.add_component(_alarm())
    return event


def _status(appointment: Appointment) -> str:
    if appointment.status in {CANCELLED, DECLINED}:
        return "CANCELLED"
    return "TENTATIVE" if appointment.status == PENDING else "CONFIRMED"


def _alarm() -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", say("Appointment"))
    alarm.add("trigger", timedelta(hours=-2))
    return alarm

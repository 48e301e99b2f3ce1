"""What notices say: which letter a notification becomes, and its words in the app."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core.db import session
from portal.core.text import format_datetime, speaking
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.notifications.models import Notification
from portal.domain.scheduling import calendars
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.models import PENDING, RELEASED, Appointment
from portal.gateways.mail import Attachment

REASONS = {
    "better": _("The patient feels better."),
    "no_time": _("There is no time at this hour."),
    "elsewhere": _("The patient goes elsewhere."),
    "mistake": _("It was booked by mistake."),
    "doctor_away": _("The doctor is away."),
    "clinic_closed": _("The clinic is closed."),
    "not_my_field": _("Another kind of doctor can help better."),
    "needs_other_visit": _("Another type of visit is needed."),
}
STILL_STANDS = {
    "appointment.booked",
    "appointment.requested",
    "appointment.confirmed",
    "appointment.moved",
    "doctor.booked",
    "doctor.moved",
}
LETTERS = {
    "appointment.booked": "appointment_booked",
    "appointment.requested": "appointment_requested",
    "appointment.confirmed": "appointment_confirmed",
    "appointment.declined": "appointment_declined",
    "appointment.moved": "appointment_moved",
    "appointment.cancelled": "appointment_cancelled",
    "doctor.booked": "doctor_booked",
    "doctor.moved": "doctor_moved",
    "doctor.cancelled": "doctor_cancelled",
}


def appointment(appointment_id: UUID | None) -> Appointment | None:
    """The appointment a notice is about, read afresh with all that its words need."""
    statement = select(Appointment).where(Appointment.id == appointment_id).options(*WHOLE)
    return session().scalars(statement.execution_options(populate_existing=True)).one_or_none()


def template(notification: Notification, about: Appointment) -> str | None:
    """The letter this notification becomes; None when a later change has made it untrue."""
    if notification.kind in STILL_STANDS:
        if about.status in RELEASED or notification.facts.get("version", about.version) != about.version:
            return None
        if notification.kind == "appointment.requested" and about.status != PENDING:
            return None
    return LETTERS.get(notification.kind)


def letter(notification: Notification, about: Appointment, locale: str) -> tuple[dict[str, Any], list[Attachment]]:
    """The facts the letter's template is filled with and its attachments: never why somebody comes."""
    was = notification.facts.get("was")
    facts = {
        "doctor": about.doctor.name,
        "clinic": about.clinic.name,
        "address": about.clinic.address,
        "city": about.clinic.city,
        "phone": about.clinic.phone,
        "starts_at": about.starts_at,
        "zone": about.clinic.time_zone,
        "visit_type": about.visit_type.name_in(locale),
        "mode": about.mode,
        "reference": about.reference,
        "appointment_id": about.id,
        "moved_from": datetime.fromisoformat(was) if was else None,
        "reason_sentence": None,
    }
    with speaking(locale):
        if about.end_code in REASONS:
            facts["reason_sentence"] = str(REASONS[about.end_code])
        method = "CANCEL" if about.status in RELEASED else "REQUEST"
        content = calendars.ics(about, method)
    kind = f"text/calendar; method={'PUBLISH' if method == 'REQUEST' else method}; charset=utf-8"
    return facts, [Attachment("appointment.ics", content, kind)]


def sentence(notification: Notification, about: Appointment | None) -> str:
    """What the notification says in the app, in the language spoken now."""
    facts = notification.facts
    when = datetime.fromisoformat(facts["starts_at"]) if "starts_at" in facts else None
    zone = about.clinic.time_zone if about else None
    time = format_datetime(when, zone) if when else ""
    who = about.doctor.name if about else ""
    patient = about.patient.name if about else ""
    match notification.kind:
        case "appointment.booked":
            return say("Booked: %(doctor)s, %(time)s.", doctor=who, time=time)
        case "appointment.requested":
            return say("Requested: %(doctor)s, %(time)s. The doctor will answer.", doctor=who, time=time)
        case "appointment.confirmed":
            return say("%(doctor)s has confirmed your visit: %(time)s.", doctor=who, time=time)
        case "appointment.declined":
            return say("%(doctor)s cannot take your visit on %(time)s.", doctor=who, time=time)
        case "appointment.moved":
            return say("Your visit with %(doctor)s is now on %(time)s.", doctor=who, time=time)
        case "appointment.cancelled":
            return say("Your visit with %(doctor)s on %(time)s is cancelled.", doctor=who, time=time)
        case "doctor.booked":
            return say("%(patient)s has booked %(time)s.", patient=patient, time=time)
        case "doctor.moved":
            return say("%(patient)s has moved to %(time)s.", patient=patient, time=time)
        case "doctor.cancelled":
            return say("%(patient)s no longer comes on %(time)s.", patient=patient, time=time)
    return say("Something changed.")

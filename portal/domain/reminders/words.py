"""What a reminder says: when and where, never why; it asks “will you come?” where the clinic wants to know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.core import clock
from portal.core.text import format_when
from portal.core.text import gettext as say
from portal.domain.access import acting
from portal.domain.notifications.kinds import Facts
from portal.domain.notifications.words import answer_link, letter_about, short_time, still_so
from portal.domain.scheduling.models import Appointment
from portal.gateways import sms

DUE = "appointment.reminder"
ATTENDANCE = "attendance"  # the purpose of the link that answers “will you come?”
CHECK_IN = "check_in"  # the purpose of the link by which a patient says “I am here”
CHECK_IN_WITHIN = 4 * 60  # minutes before the visit: a reminder that comes so late carries the check-in link


def check_in_link(visit: Appointment) -> str:
    """The path at which the patient checks in near the time."""
    return acting.link(CHECK_IN, patient_id=visit.patient_id, subject_id=visit.id, version=visit.version)


def asks(facts: Facts, visit: Appointment) -> bool:
    """Whether this reminder asks: the clinic wants to know, and the patient has not said yet."""
    return bool(facts.get("asks")) and visit.promised_at is None


def stands(facts: Facts, visit: Appointment) -> bool:
    """Whether it may still be sent: the visit was not changed since and has not begun."""
    return still_so(facts, visit) and visit.starts_at > clock.now()


def about(facts: Facts, visit: Appointment, locale: str) -> dict[str, Any]:
    """What the letter is filled with: the visit's facts and the links that act."""
    is_near = int(facts.get("minutes_before", 0)) <= CHECK_IN_WITHIN and visit.mode == "in_person"
    return letter_about(facts, visit, locale) | {
        "asks": asks(facts, visit),
        "answer_link": answer_link(visit),
        "check_in_link": check_in_link(visit) if is_near else None,
    }


def sentence(facts: Facts, visit: Appointment | None) -> str:
    """The reminder in the app."""
    if visit is None:
        return say("A reminder of a visit.")
    time = format_when(datetime.fromisoformat(facts["starts_at"]), visit.clinic.time_zone)
    return say("Reminder: %(doctor)s, %(time)s.", doctor=visit.doctor.name, time=time)


def short(facts: Facts, visit: Appointment) -> str:
    """The reminder as an SMS: the clinic, the time and the link."""
    clinic, time = visit.clinic.name, short_time(visit.starts_at, visit)
    link = sms.address(answer_link(visit))
    if asks(facts, visit):
        return say("%(clinic)s: appointment %(time)s. Will you come? %(link)s", clinic=clinic, time=time, link=link)
    return say("%(clinic)s: appointment %(time)s. %(link)s", clinic=clinic, time=time, link=link)

"""The history of an appointment in words: who did what, when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import text
from portal.core.actor import Actor
from portal.core.events import Event
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.core.text import lazy_pgettext
from portal.domain.access import people
from portal.domain.patients import care
from portal.domain.scheduling.models import Appointment

# event -> (words, icon, colour); what is not named here is the clinic's own affair
WORDS = {
    "appointment.booked": (lazy_pgettext("event", "Booked"), "calendar-plus", "accent"),
    "appointment.walked_in": (_("Came without an appointment"), "walk", "info"),
    "appointment.confirmed": (_("Confirmed by the clinic"), "circle-check", "ok"),
    "appointment.declined": (_("Declined by the clinic"), "ban", "bad"),
    "appointment.moved": (lazy_pgettext("event", "Moved"), "calendar-event", "info"),
    "appointment.reason_changed": (_("The reason for coming was changed"), "message", "info"),
    "appointment.cancelled": (lazy_pgettext("event", "Cancelled"), "circle-x", "neutral"),
    "appointment.checked_in": (_("Arrived at the clinic"), "user-check", "info"),
    "appointment.started": (_("Visit began"), "stethoscope", "info"),
    "appointment.completed": (_("Visit completed"), "checks", "ok"),
    "appointment.no_show": (lazy_pgettext("event", "Did not come"), "user-off", "bad"),
}

BY_WHOM = {"appointment.booked", "appointment.moved", "appointment.cancelled", "appointment.reason_changed"}


def told(events: list[Event], visit: Appointment, reader: Actor) -> list[dict[str, Any]]:
    """The events as the timeline shows them, newest first; who acted for the patient is named."""
    whom = care.acted_for(events)
    names = people.names([event.actor_id for event in events if event.actor_id and event.id in whom])
    carers = {event.actor_id: names.get(event.actor_id, "") for event in events if event.actor_id and event.id in whom}
    shown = [event for event in reversed(events) if event.name in WORDS]
    return [_one(event, visit.clinic.zone, _by(event, visit, reader, carers)) for event in shown]


def _one(event: Event, zone: ZoneInfo, by: str) -> dict[str, Any]:
    words, icon, kind = WORDS[event.name]
    return {
        "title": str(words),
        "text": _more(event, zone, by),
        "when": text.format_datetime(event.created_at, zone),
        "iso": event.created_at.isoformat(),
        "icon": icon,
        "kind": kind,
    }


def _by(event: Event, visit: Appointment, reader: Actor, carers: Mapping[UUID, str]) -> str:
    """Who did it, as this reader says it: you, you for your child, your daughter for you, or the clinic."""
    own = visit.patient_id == reader.patient_id
    if event.actor_id is not None and event.actor_id == reader.user_id:
        return say("by you") if own else say("by you for %(name)s", name=visit.patient.name)
    if event.actor_id is not None and event.actor_id in carers:
        return say("by %(name)s for %(patient)s", name=carers[event.actor_id], patient=visit.patient.name)
    if event.actor_id is not None and event.actor_id == visit.patient.user_id:
        return say("by %(name)s", name=visit.patient.name)
    return say("by the clinic")


def _more(event: Event, zone: ZoneInfo, by: str) -> str:
    if event.name == "appointment.moved" and (was := event.facts.get("was")):
        return say("%(by)s; it was %(time)s", by=by, time=text.format_datetime(datetime.fromisoformat(was), zone))
    return by if event.name in BY_WHOM else ""

"""The history of an appointment in words: who did what, when."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal.core import text
from portal.core.actor import Actor
from portal.core.events import Event
from portal.core.text import gettext as say
from portal.core.text import lazy as _

# event -> (words, icon, colour); what is not named here is the clinic's own affair
WORDS = {
    "appointment.booked": (_("Booked"), "calendar-plus", "accent"),
    "appointment.confirmed": (_("Confirmed by the clinic"), "circle-check", "ok"),
    "appointment.declined": (_("Declined by the clinic"), "ban", "bad"),
    "appointment.moved": (_("Moved"), "calendar-event", "info"),
    "appointment.cancelled": (_("Cancelled"), "circle-x", "neutral"),
    "appointment.checked_in": (_("Arrived at the clinic"), "user-check", "info"),
    "appointment.started": (_("Visit began"), "stethoscope", "info"),
    "appointment.completed": (_("Visit completed"), "checks", "ok"),
    "appointment.no_show": (_("Did not come"), "user-off", "bad"),
}


def told(events: list[Event], zone: ZoneInfo, reader: Actor) -> list[dict[str, Any]]:
    """The events as the timeline shows them, newest first."""
    return [_one(event, zone, reader) for event in reversed(events) if event.name in WORDS]


def _one(event: Event, zone: ZoneInfo, reader: Actor) -> dict[str, Any]:
    words, icon, kind = WORDS[event.name]
    return {
        "title": str(words),
        "text": _more(event, zone, reader),
        "when": text.format_datetime(event.created_at, zone),
        "iso": event.created_at.isoformat(),
        "icon": icon,
        "kind": kind,
    }


def _more(event: Event, zone: ZoneInfo, reader: Actor) -> str:
    by = say("by you") if event.actor_id and event.actor_id == reader.user_id else say("by the clinic")
    if event.name == "appointment.moved" and (was := event.facts.get("was")):
        return say("%(by)s; it was %(time)s", by=by, time=text.format_datetime(datetime.fromisoformat(was), zone))
    return by if event.name in {"appointment.booked", "appointment.moved", "appointment.cancelled"} else ""

"""The words for codes: modes, roles, reasons, and what an event says happened. One place for every role's pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import text
from portal.core.events import Event
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.core.text import lazy_pgettext

MODES = {"in_person": _("At the clinic"), "video": _("By video"), "phone": _("By phone")}
MODE_ICONS = {"in_person": "building-hospital", "video": "video", "phone": "phone"}
SEVERITIES = {"mild": _("Mild"), "moderate": _("Moderate"), "severe": _("Severe")}  # of allergies
SEXES = {"female": _("female"), "male": _("male"), "other": _("other"), "unknown": _("not recorded")}
ROLES = {
    "patient": _("Patient"),
    "doctor": _("Doctor"),
    "staff": _("Front desk"),
    "pharmacist": _("Pharmacist"),
    "admin": _("Clinic admin"),
    "superadmin": _("Superadmin"),
}
CANCEL_CODES = {
    "doctor_away": _("I am away"),
    "clinic_closed": _("The clinic is closed"),
    "no_time": _("There is no time"),
    "mistake": _("It was booked by mistake"),
    "better": _("The patient feels better"),
    "elsewhere": _("The patient is seen elsewhere"),
    "other": _("Another reason"),
}
DECLINE_CODES = {
    "not_my_field": _("Another specialist is better placed"),
    "no_time": _("There is no time"),
    "needs_other_visit": _("Another type of visit is needed"),
    "other": _("Another reason"),
}
BOOKABLE_BY = {"anyone": _("Every patient"), "invited": _("Invited patients"), "desk": _("The front desk only")}
CONFIRMS = {"at_once": _("At once"), "by_doctor": _("By the doctor")}
RESOURCE_KINDS = {"room": _("Rooms"), "device": _("Devices")}
RESOURCE_ICONS = {"room": "door", "device": "device-heart-monitor"}
CLOSURE_KINDS = {"leave": lazy_pgettext("time off", "Leave"), "blocked": _("Blocked time"), "holiday": _("Holiday")}

# event -> what happened, icon, tone
_HAPPENED: dict[str, tuple[Any, str, str]] = {
    "appointment.booked": (lazy_pgettext("event", "Booked"), "calendar-plus", "accent"),
    "appointment.confirmed": (lazy_pgettext("event", "Confirmed"), "circle-check", "ok"),
    "appointment.declined": (lazy_pgettext("event", "Declined"), "ban", "bad"),
    "appointment.moved": (lazy_pgettext("event", "Moved"), "calendar-event", "info"),
    "appointment.cancelled": (lazy_pgettext("event", "Cancelled"), "circle-x", "bad"),
    "appointment.checked_in": (_("Checked in"), "user-check", "info"),
    "appointment.walked_in": (_("Came without a booking"), "walk", "info"),
    "appointment.called": (lazy_pgettext("event", "Called"), "speakerphone", "info"),
    "appointment.sent_back": (_("Back to waiting"), "armchair", "neutral"),
    "appointment.moved_to_front": (_("Goes first"), "arrow-bar-up", "warn"),
    "appointment.moved_from_front": (_("Back into line"), "list-numbers", "neutral"),
    "appointment.reason_changed": (_("The reason for coming was changed"), "message", "info"),
    "appointment.started": (_("Visit started"), "stethoscope", "info"),
    "appointment.completed": (_("Visit completed"), "checks", "ok"),
    "appointment.no_show": (lazy_pgettext("event", "Did not come"), "user-off", "bad"),
    "appointment.step_taken_back": (_("Last step taken back"), "arrow-back-up", "neutral"),
}


def born(who: Any) -> str:
    """When somebody was born; French agrees with the sex that is recorded."""
    if who.birth_date is None:
        return say("birth date not recorded")
    day = text.format_date(who.birth_date)
    if who.sex == "female":
        return text.pgettext("female", "born %(date)s", date=day)
    if who.sex == "male":
        return text.pgettext("male", "born %(date)s", date=day)
    return say("born %(date)s", date=day)


def fields_of(specialties: Iterable[Any]) -> str:
    """Fields of medicine in the reader's language and its order; no "and", which many of their names hold."""
    return text.beside(*text.in_order(one.name_in(text.language()) for one in specialties))


def choices(words: Mapping[str, Any], *first: tuple[str, Any]) -> list[tuple[str, str]]:
    """Code and word pairs for a select, `first` on top."""
    return [(code, str(word)) for code, word in (*first, *words.items())]


def kind_words(kind: Any) -> str:
    """A visit type's name and length."""
    return f"{kind.name_in(text.language())} · {text.format_minutes(kind.duration)}"


def story(
    events: Iterable[Event], names: Mapping[UUID, str], zone: ZoneInfo, for_whom: Mapping[UUID, str] | None = None
) -> list[dict[str, Any]]:
    """What happened as a timeline, the latest first; `names` are those of the people who did it, `for_whom` the
    patients' names by event where somebody acted for them."""
    told = []
    for event in sorted(events, key=lambda one: one.created_at, reverse=True):
        what, picture, tone = _HAPPENED.get(event.name, (event.name, "point", "neutral"))
        who = names.get(event.actor_id) if event.actor_id else None
        whom = (for_whom or {}).get(event.id)
        told.append(
            {
                "title": str(what),
                "text": _by(who, whom),
                "when": text.format_datetime(event.created_at, zone),
                "iso": event.created_at.isoformat(),
                "icon": picture,
                "kind": tone,
            }
        )
    return told


def _by(who: str | None, whom: str | None) -> str:
    if who is None:
        return say("by the portal")
    return say("by %(name)s for %(patient)s", name=who, patient=whom) if whom else say("by %(name)s", name=who)

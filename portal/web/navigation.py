"""The navigation of each role: one list, shown as a bar on wide screens and at the thumb on phones."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for

from portal.core.actor import ADMIN, DOCTOR, PATIENT, PHARMACIST, STAFF, SUPERADMIN, Actor
from portal.core.text import gettext, lazy_pgettext
from portal.core.text import lazy as _


@dataclass(frozen=True)
class Item:
    """One entry: where it leads, what it says, whether we are there."""

    label: str
    url: str
    icon: str
    is_current: bool
    badge: int = 0


# role -> (endpoint, words, icon); the first match of an endpoint's blueprint and noun is the current one
ITEMS: dict[str, tuple[tuple[str, object, str], ...]] = {
    PATIENT: (
        ("patient.home", _("Home"), "home"),
        ("public.directory", lazy_pgettext("navigation", "Find a doctor"), "search"),
        ("patient.appointments", _("Appointments"), "calendar"),
        ("patient.family", _("Family"), "users"),
        ("notifications.index", _("Notifications"), "bell"),
        ("account.profile", _("Profile"), "user"),
    ),
    DOCTOR: (
        ("doctor.today", _("Today"), "sun"),
        ("doctor.week", _("Week"), "calendar-week"),
        ("doctor.openings", _("Openings"), "clock"),
        ("doctor.time_off", _("Time off"), "beach"),
        ("doctor.reviews", _("Reviews"), "star"),
        ("notifications.index", _("Notifications"), "bell"),
        ("account.profile", _("Profile"), "user"),
    ),
    STAFF: (
        ("desk.day", _("Today"), "sun"),
        ("desk.patients", _("Patients"), "users"),
        ("desk.calendar", _("Calendar"), "calendar"),
        ("desk.waitlist", _("Waitlist"), "hourglass"),
        ("desk.calls", _("Calls"), "phone-call"),
        ("desk.practices", _("Hours"), "clock"),
        ("notifications.index", _("Notifications"), "bell"),
        ("account.profile", _("Profile"), "user"),
    ),
    PHARMACIST: (
        ("notifications.index", _("Notifications"), "bell"),
        ("account.profile", _("Profile"), "user"),
    ),
    SUPERADMIN: (
        ("admin.users", _("Users"), "users"),
        ("admin.clinics", _("Clinics"), "building-hospital"),
        ("admin.doctors", _("Doctors"), "stethoscope"),
        ("admin.figures", _("Figures"), "chart-bar"),
        ("desk.day", _("Front desk"), "door-enter"),
        ("admin.tasks", _("Tasks"), "checklist"),
        ("admin.reviews", _("Reviews"), "star"),
        ("admin.webhooks", _("Webhooks"), "webhook"),
        ("admin.audit", _("Audit"), "history"),
        ("account.profile", _("Profile"), "user"),
    ),
    ADMIN: (
        ("admin.users", _("Users"), "users"),
        ("admin.clinics", _("Clinics"), "building-hospital"),
        ("admin.doctors", _("Doctors"), "stethoscope"),
        ("admin.figures", _("Figures"), "chart-bar"),
        ("desk.day", _("Front desk"), "door-enter"),
        ("admin.reviews", _("Reviews"), "star"),
        ("admin.webhooks", _("Webhooks"), "webhook"),
        ("admin.audit", _("Audit"), "history"),
        ("notifications.index", _("Notifications"), "bell"),
        ("account.profile", _("Profile"), "user"),
    ),
}

# pages that belong to an entry without standing under its address
WITHIN = {"desk.requests": "desk.patients", "desk.request_to_patient": "desk.patients"}
BACK = ("admin.users", _("Administration"), "settings")  # for admins who stand in for the desk


def for_actor(actor: Actor) -> list[Item]:
    """The entries this actor sees: those of the role whose pages they are in, else of their first role."""
    role = _role(actor)
    if role is None:
        return []
    items = ITEMS[role]
    if role == STAFF and actor.has_role(ADMIN, SUPERADMIN):
        items = (*items, BACK)
    page = request.endpoint or ""
    where = url_for(WITHIN[page]) if page in WITHIN else request.path
    urls = [url_for(endpoint) for endpoint, _words, _icon in items]
    here = max((url for url in urls if f"{where}/".startswith(f"{url.rstrip('/')}/")), key=len, default=None)
    return [
        Item(gettext(str(words)) if isinstance(words, str) else str(words), url, icon, url == here)
        for (_endpoint, words, icon), url in zip(items, urls, strict=True)
    ]


def home_for(actor: Actor) -> str:
    """Where this actor starts."""
    role = _role(actor)
    return url_for(ITEMS[role][0][0]) if role else url_for("public.home")


def _role(actor: Actor) -> str | None:
    own = [role for role in (SUPERADMIN, DOCTOR, ADMIN, STAFF, PATIENT, PHARMACIST) if actor.has_role(role)]
    blueprint = request.blueprint or ""
    if blueprint == "desk" and actor.has_role(STAFF, ADMIN, SUPERADMIN):
        return STAFF  # admins who stand in for the desk see its pages
    for role in own:
        if blueprint == role or (blueprint == "admin" and role in {ADMIN, SUPERADMIN}):
            return role
    return own[0] if own else None

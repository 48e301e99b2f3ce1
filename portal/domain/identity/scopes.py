"""What a program may be given: one scope per resource and verb, each in words for the consent page.

A scope never gives more than the account itself may do; it only narrows (RFC 6749, section 3.3).
"""

from __future__ import annotations

from typing import Any

from portal.core.text import lazy as _

SCOPES: dict[str, Any] = {
    "profile:read": _("See your name, e-mail address, language and roles"),
    "profile:write": _("Change your name, language and patient details"),
    "appointments:read": _("See your appointments, waits and kept doctors"),
    "appointments:write": _("Book, move and cancel appointments, wait for earlier times and keep doctors"),
    "family:read": _("See whom you look after and who looks after you"),
    "family:write": _("Add people you look after and end care"),
    "reviews:write": _("Review visits, answer reviews and hide them"),
    "patients:read": _("See patients of your clinics"),
    "health:read": _("See allergies, conditions and emergency contacts of your patients"),
    "patients:write": _("Enter patients at your clinics"),
    "schedule:read": _("See opening hours, time off and figures of doctors"),
    "schedule:write": _("Change opening hours and time off of doctors"),
    "clinics:write": _("Change clinics, their rooms, visit types and doctors"),
    "users:read": _("See the accounts of your clinics"),
    "users:write": _("Invite people to your clinics, deactivate them and change their roles"),
    "webhooks:read": _("See webhooks and their deliveries"),
    "webhooks:write": _("Change webhooks and send again"),
    "notifications:read": _("Receive your notifications and changes of appointments as they happen"),
    "tasks:read": _("See background tasks"),
    "tasks:write": _("Try failed background tasks again"),
    "audit:read": _("Read the audit log"),
}

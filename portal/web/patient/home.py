"""A patient's start: the next visit on top, what is to do, what is new, and the way to a doctor."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, url_for

from portal.core import text
from portal.core.actor import Actor
from portal.core.text import gettext as say
from portal.domain.day import arriving
from portal.domain.doctors import cards, favourites
from portal.domain.notifications import inbox
from portal.domain.patients import profiles, requests
from portal.domain.scheduling import appointments, availability, glance, invitations, policy, video
from portal.domain.scheduling.availability import Slot
from portal.domain.waitlist import entries
from portal.web import htmx, times
from portal.web.gate import actor
from portal.web.patient import bp
from portal.web.public.forms import SearchForm

NEWS = 5
SOON = 3  # further visits named below the next one


@bp.get("/home")
def home() -> Response:
    who = actor()
    ahead = glance.mine(who, limit=1 + SOON).items
    return htmx.page(
        "patient/home.html",
        under_way=arriving.under_way(who),
        next_visit=ahead[0] if ahead else None,
        next_words=_what_can_be_done(who, ahead[0].id) if ahead else "",
        further=ahead[1:],
        video_link=video.link(ahead[0]) if ahead else None,
        todo=_todo(who),
        doctors=_doctors(who),
        news=inbox.mine(who, limit=NEWS).items,
        form=SearchForm.over(cards.facets(who)),
        times=times,
    )


def _what_can_be_done(who: Actor, visit_id: UUID) -> str:
    """The words of the button to a visit: what its page lets this person do."""
    found = appointments.find(who, visit_id)
    if policy.can_move(who, found):
        return say("Look at it, move or cancel")
    return say("Look at it or cancel") if policy.can_cancel(who, found) else say("Look at it")


def _doctors(who: Actor) -> list[dict[str, Any]]:
    """The doctors the patient keeps, each with the next free time over all their practices, in one look."""
    kept = favourites.mine(who)
    free = availability.next_free([place.id for card in kept for place in card.practices], limit=1) if kept else {}
    shown = []
    for card in kept:
        first = min((slot for place in card.practices for slot in free[place.id]), key=_start, default=None)
        zone = next((place.time_zone for place in card.practices if first and place.id == first.practice_id), "")
        shown.append({"card": card, "slot": first, "zone": zone})
    return shown


def _start(slot: Slot) -> datetime:
    return slot.starts_at


def _todo(who: Actor) -> list[dict[str, str]]:
    """What the patient can do now so that the next visit goes well."""
    todo = _asked_of(who)
    if not who.email_verified:
        todo.append({"title": say("Confirm your e-mail address"), "icon": "mail", "url": url_for("account.security"),
                     "note": say("You need it before your first booking.")})  # fmt: skip
    profile = profiles.mine(who)
    if profile and not (profile.birth_date and profile.phone):
        todo.append({"title": say("Complete your profile"), "icon": "user", "url": url_for("account.profile"),
                     "note": say("Birth date and phone number help the clinic to know and to reach you.")})  # fmt: skip
    return todo


def _asked_of(who: Actor) -> list[dict[str, str]]:
    """What waits for the patient's answer: times that are kept for them, and doctors' invitations to book."""
    asked = _asked_by_clinics(who)
    for offer in entries.offered(who):
        zone = offer.entry.clinic.zone
        title = say("A time is free: %(time)s", time=text.format_when(offer.starts_at, zone))
        note = say("Kept for you until %(time)s.", time=text.format_time(offer.expires_at, zone))
        url = url_for("patient.waitlist_offer", key=offer.id)
        asked.append({"title": title, "note": note, "icon": "bell-ringing", "url": url})
    for one in invitations.mine(who):
        title = say("%(doctor)s asks you to book a visit", doctor=one.practice.doctor.name)
        first, last = text.format_date(one.first), text.format_date(one.last)
        note = say("%(visit)s, between %(first)s and %(last)s",
                   visit=one.visit_type.name_in(text.language()), first=first, last=last)  # fmt: skip
        url = url_for("patient.invitation", key=one.id)
        asked.append({"title": title, "note": note, "icon": "calendar-heart", "url": url})
    return asked


def _asked_by_clinics(who: Actor) -> list[dict[str, str]]:
    """What clinics ask about the record, and what they did on a signed paper."""
    asked: list[dict[str, str]] = []
    waiting, unread = requests.for_patient(who)
    for one in waiting:
        title = say("%(clinic)s asks for your consent", clinic=one.clinic.name)
        note = say("It can be answered until %(day)s.", day=text.format_date(one.ends_on))
        url = url_for("patient.request_of_clinic", key=one.id)
        asked.append({"title": title, "note": note, "icon": "clipboard-check", "url": url})
    for one in unread:
        title = say("%(clinic)s has done something for you on paper", clinic=one.clinic.name)
        url = url_for("patient.request_of_clinic", key=one.id)
        asked.append({"title": title, "note": say("Please look whether it is right."), "icon": "signature", "url": url})
    return asked

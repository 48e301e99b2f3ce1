"""Changed hours or leave over booked visits, as every role's pages need them: save at once or decide visit by visit.

    try:
        return changes.save_or_plan("close_doctor", frame.doctor_id, form.clean.values(), url=…, said=say("Saved."))
    except Refused as no: …

The kinds are in portal.domain.changes.kinds; `of` is the id of the doctor, clinic, practice or opening that changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.changes import listing, planning
from portal.domain.changes.models import Change
from portal.domain.changes.planning import Choice
from portal.web import htmx, times
from portal.web.gate import actor

DECISIONS = {
    "move": _("Propose the held time"),
    "choose": _("Let the patient choose"),
    "keep": _("Keep it as it is"),
    "cancel": _("Cancel it"),
}
ALL = {
    "move": _("All: propose the held times"),
    "choose": _("All: let the patients choose"),
    "keep": _("All: keep as they are"),
    "cancel": _("All: cancel"),
}
# how a visit stands -> words, tone, icon
STANDINGS: dict[str, tuple[Any, str, str]] = {
    "open": (_("Waits for an answer"), "warn", "hourglass"),
    "calling": (_("On the call list"), "bad", "phone"),
    "accepted": (_("Accepted"), "ok", "circle-check"),
    "chosen": (_("Chose another time"), "ok", "calendar-check"),
    "called": (_("Arranged by the clinic"), "ok", "phone-check"),
    "cancelled": (_("Cancelled"), "neutral", "circle-x"),
    "kept": (_("Stays as it is"), "neutral", "lock"),
    "over": (_("Over"), "neutral", "clock-x"),
}


def save_or_plan(kind: str, of: UUID | str, about: Mapping[str, Any], *, url: str, said: Any) -> AnyResponse:
    """Save a change and go to `url` saying `said`; where it hits booked visits, go to the page that decides them.

    Raises Refused, for the caller's form to show.
    """
    about = {name: value for name, value in about.items() if name != "keep_visits"}
    change = planning.save_or_plan(actor(), kind, of, **about)
    if change is None:
        return htmx.done(url, said)
    return htmx.see_other(url_for("changes.change", key=change.id))


def when(change: Change) -> str:
    """From when to when a change counts, in words; empty for hours that change for good."""
    found = listing.when(change)
    if found is None:
        return ""
    first, last, starts, ends = found
    days = text.format_date(first, "full") if first == last else times.range_label(first, last)
    if not (starts or ends):
        return days
    hours = f"{text.format_time(starts) if starts else ''} – {text.format_time(ends) if ends else ''}"
    return text.beside(days, hours)


def tally(counts: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """How many visits stand how: words, tone, icon; those that need somebody first."""
    return [
        (text.labelled(STANDINGS[standing][0], text.format_number(counts[standing])), *STANDINGS[standing][1:])
        for standing in STANDINGS
        if counts.get(standing)
    ]


def visits(count: int) -> str:
    return ngettext("%(n)s visit", "%(n)s visits", count)


def picker(choice: Choice, at: Callable[..., str]) -> dict[str, Any]:
    """What the slot picker needs; `at(**query)` is the address of another week or place."""
    place = choice.place.id if choice.place else None
    context: dict[str, Any] = {
        "week": None,
        "place": choice.place,
        "places": [(one, at(place=one.id), one.id == place) for one in choice.places],
        "previous_url": None,
        "next_url": None,
        "next_free": None,
    }
    if choice.week is None:
        return context
    week = times.week_view(choice.week)

    def on(day: date) -> str:
        return at(place=place, **{"from": day})

    if week.next_free:
        label = text.format_datetime(week.next_free.starts_at, week.zone)
        context["next_free"] = {"label": label, "url": on(week.next_free.starts_at.astimezone(week.zone).date())}
    return context | {
        "week": week,
        "previous_url": on(week.previous) if week.previous else None,
        "next_url": on(week.next) if week.next else None,
    }


def asked_place() -> UUID | None:
    """The practice asked for in the address."""
    try:
        return UUID(request.args.get("place", ""))
    except ValueError:
        return None

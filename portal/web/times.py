"""Free times and zones as pages show them: labels in the reader's language, values as forms send them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates
from flask import current_app

from portal.core import clock, text
from portal.core.text import gettext as say
from portal.core.text import ngettext
from portal.domain.scheduling.availability import Slot
from portal.domain.scheduling.finding import Week


@dataclass(frozen=True, slots=True)
class Choice:
    """A free time in a picker: what the form sends and what the button says."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class WeekView:
    """A week of free times with the words and addresses of its picker."""

    days: list[tuple[date, list[Choice]]]
    label: str
    previous: date | None
    next: date | None
    next_free: Slot | None
    zone: ZoneInfo
    zone_note: str
    is_empty: bool


def week_view(week: Week, *, without: datetime | None = None, places: Mapping[str, int] | None = None) -> WeekView:
    """The week as the slot picker takes it; `without` is the time a visit has already, which is no new one.

    `places` are the openings that take several patients at once: their times say how many places are left.
    """
    return WeekView(
        days=[
            (day, [_slot(slot, week.zone, places or {}) for slot in slots if slot.starts_at != without])
            for day, slots in week.days
        ],
        label=range_label(week.first, week.last),
        previous=week.previous,
        next=week.next,
        next_free=week.next_free,
        zone=week.zone,
        zone_note=zone_note(week.zone),
        is_empty=week.is_empty,
    )


def _slot(slot: Slot, zone: ZoneInfo, places: Mapping[str, int]) -> Choice:
    plain = choice(slot.starts_at, zone)
    if slot.opening_id not in places:
        return plain
    return Choice(plain.value, plain.label, ngettext("%(n)s place left", "%(n)s places left", slot.places))


def choice(moment: datetime, zone: ZoneInfo, *, with_day: bool = False) -> Choice:
    """One time; with its day where times of several days stand together."""
    local = moment.astimezone(zone)
    return Choice(moment.isoformat(), f"{local:%H:%M}", day_words(text.language(), local.date()) if with_day else "")


def others(moments: Iterable[datetime], zone: ZoneInfo) -> list[Choice]:
    """Other free times after a refusal, each with its day."""
    return [choice(moment, zone, with_day=True) for moment in moments]


@lru_cache(maxsize=4096)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def day_words(language: str, day: date) -> str:
    """Weekday, day and month; kept because lists repeat the same few days."""
    with text.speaking(language):
        return text.format_day(day)


def short_day(moment: datetime, zone: str) -> str:
    """Weekday, day and month at the clinic."""
    return day_words(text.language(), moment.astimezone(zone_of(zone)).date())


def short_time(moment: datetime, zone: str) -> str:
    """Hours and minutes at the clinic."""
    return f"{moment.astimezone(zone_of(zone)):%H:%M}"


def other_zone(moment: datetime, zone: str) -> str:
    """Whose clock it is, where that shows another time than the portal's; else nothing."""
    return text.beside_zone("", moment, zone_of(zone)).strip(" ()")


def range_label(first: date, last: date) -> str:
    return text.format_days(first, last)


def zone_note(zone: ZoneInfo) -> str:
    """Whose clock the times are read from: we cannot know the reader's, so it is always said."""
    return say("Times are the clinic's own: %(zone)s.", zone=zone_words(zone))


def zone_words(zone: ZoneInfo) -> str:
    """The zone's name and its present offset, such as "Algeria Time (GMT+01:00)"."""
    here = clock.now().astimezone(zone)
    return f"{text.format_zone(zone)} ({dates.get_timezone_gmt(here, width='long', locale=text.locale())})"


def until(moment: datetime, zone: ZoneInfo) -> str:
    """How far away a moment is, in the words people use."""
    today, day = clock.today(zone), moment.astimezone(zone).date()
    ahead = (day - today).days
    left = moment - clock.now()
    if left <= timedelta(0):
        return say("Now")
    if left < timedelta(hours=2):
        return say("In %(span)s", span=text.format_span(left))
    if ahead == 0:
        return say("Today")
    if ahead == 1:
        return say("Tomorrow")
    return ngettext("In %(n)s day", "In %(n)s days", ahead)


def home_zone() -> str:
    """The zone for moments that belong to no clinic, such as when a message came."""
    return str(current_app.extensions["portal.settings"].default_time_zone)


def weekday_names() -> Mapping[int, str]:
    """The days of the week by number, 0 is Monday."""
    names: Any = text.locale().days["stand-alone"]["wide"]
    return dict(names)


def language_name(code: str) -> str:
    """The name of a language in the reader's own."""
    return str(text.locale().languages.get(code, code))

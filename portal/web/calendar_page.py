"""What every calendar page needs: the dates its address asks for, the widget's settings, and the plain list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from portal.core import clock, days, text
from portal.core.text import gettext as say
from portal.domain.scheduling.models import Appointment
from portal.web import calendar_feed, times

LOCALES = {"en": "en-GB", "fr": "fr-DZ", "ar": "ar-DZ"}


@dataclass(frozen=True)
class Spot:
    """The dates a calendar shows: the day that was asked for and, in the view of a week, the week around it."""

    day: date
    today: date
    view: str
    is_asked: bool  # the view was chosen, so a narrow screen shows it too

    @classmethod
    def asked(cls, name: str, today: date, views: Sequence[str]) -> Spot:
        """From the address: ?<name>= is any date to show, ?view= one of `views`, the first when none is chosen."""
        view = request.args.get("view", "")
        return cls(asked_date(name) or today, today, view if view in views else views[0], view in views)

    @property
    def is_week(self) -> bool:
        return self.view == "week"

    @property
    def first(self) -> date:
        return week_start(self.day) if self.is_week else self.day

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6) if self.is_week else self.day

    @property
    def step(self) -> timedelta:
        return timedelta(days=7 if self.is_week else 1)

    @property
    def previous(self) -> date:
        return self.day - self.step

    @property
    def next(self) -> date:
        return self.day + self.step

    @property
    def is_now(self) -> bool:
        return self.first <= self.today <= self.last

    @property
    def label(self) -> str:
        return times.range_label(self.first, self.last) if self.is_week else text.format_date(self.day, "full")


def asked_date(name: str) -> date | None:
    """A date from the address; None for anything that is none."""
    return days.read(request.values.get(name, "")[:10])


def asked_span(today: date) -> tuple[date, date]:
    """The dates a feed is asked for: ?start= and the day before ?end=."""
    first = asked_date("start") or today
    last = (asked_date("end") or first + timedelta(days=1)) - timedelta(days=1)
    return first, max(first, last)


def week_start(day: date) -> date:
    """The first day of the week as the reader's calendar has it."""
    return day - timedelta(days=(day.weekday() - text.locale().first_week_day) % 7)


def widget(
    spot: Spot,
    zone: ZoneInfo,
    *,
    view: str,
    feed: str,
    why: str,
    snap: int,
    spans: Iterable[tuple[datetime, datetime]],
    narrow: str = "",
    resources: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The settings static/js/calendar.js draws the calendar from."""
    first, last = calendar_feed.limits(zone, spans)
    return {
        "label": say("Calendar: %(dates)s", dates=spot.label),
        "view": view,
        "narrow": narrow,
        "date": spot.day,
        "feed": feed,
        "why": why,
        "offset": calendar_feed.offset(zone, clock.now()),
        "first_day": (text.locale().first_week_day + 1) % 7,
        "snap": snap,
        "min": first,
        "max": last,
        "locale": LOCALES[text.language()],
        "resources": list(resources),
        "legend": calendar_feed.STATES.values(),
        "icons": sorted({*calendar_feed.ICONS, "x"}),
    }


def tabs(spot: Spot, link: Callable[..., str], *entries: tuple[str, str, str]) -> list[dict[str, Any]]:
    """The views as tabs; an entry is a view, its word and its icon."""
    return [
        {"label": word, "url": link(view=view), "current": spot.view == view, "icon": picture}
        for view, word, picture in entries
    ]


def listed(
    zone: ZoneInfo,
    first: date,
    last: date,
    visits: Iterable[Appointment],
    notes: Mapping[date, str],
    *,
    url: Callable[[Appointment], str | None],
    move: Callable[[Appointment], str | None],
    doctor: Callable[[Appointment], str] = lambda visit: "",
) -> list[dict[str, Any]]:
    """The visits of each date as rows of the plain list."""
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    rows: dict[date, list[dict[str, Any]]] = {day: [] for day in days}
    for visit in visits:
        hours = f"{text.format_time(visit.starts_at, zone)} – {text.format_time(visit.ends_at, zone)}"
        rows.setdefault(visit.starts_at.astimezone(zone).date(), []).append(
            {
                "visit": visit,
                "time": hours,
                "doctor": doctor(visit),
                "marks": calendar_feed.marks(visit),
                "url": url(visit),
                "move": move(visit),
            }
        )
    return [{"day": day, "notes": [notes[day]] if day in notes else [], "rows": rows[day]} for day in days]

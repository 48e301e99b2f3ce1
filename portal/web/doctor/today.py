"""The doctor's day: requests to answer and the list of visits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Response, request, url_for

from portal.core import text
from portal.domain.scheduling import days, visits
from portal.web import htmx, terms, times
from portal.web.doctor import bp
from portal.web.doctor.forms import DeclineForm
from portal.web.gate import actor

PAGE = ("doctor/day/index.html", "doctor/day/_day.html")


@bp.get("/today")
def today() -> Response:
    """A day's visits; ?day= shows another date."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **day_context(asked("day")))


def day_context(on: date | None) -> dict[str, Any]:
    """What the page of a day shows."""
    frame = days.frame(actor())
    on = on or frame.today
    return {
        "frame": frame,
        "day": days.day(actor(), frame, on),
        "requests": days.requests(actor(), frame),
        "is_today": on == frame.today,
        "previous_url": url_for("doctor.today", day=on - timedelta(days=1)),
        "next_url": url_for("doctor.today", day=on + timedelta(days=1)),
        "next_steps": visits.next_steps,
        "can_be_taken_back": visits.can_be_taken_back,
        "decline_form": DeclineForm.fresh(),
        "terms": terms,
    }


def asked(name: str) -> date | None:
    """A date from the address or the form; None for anything that is none."""
    try:
        found = date.fromisoformat(request.values.get(name, ""))
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def arrows(week: times.WeekView, link: Callable[..., str]) -> dict[str, Any]:
    """Addresses of the weeks around a week of free times and of the next free one; `link` takes ?start=."""
    free = week.next_free.starts_at if week.next_free else None
    found: dict[str, Any] = {
        "previous_url": link(start=week.previous) if week.previous else None,
        "next_url": link(start=week.next) if week.next else None,
        "next_free": None,
    }
    if free:
        url = link(start=free.astimezone(week.zone).date())
        found["next_free"] = {"label": text.format_datetime(free, week.zone), "url": url}
    return found

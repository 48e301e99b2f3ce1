"""The doctor's day: who is here and goes next, requests to answer, and the list of visits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Response, url_for

from portal.core import text
from portal.domain.day import looking, queue
from portal.domain.scheduling import days, groups, visits
from portal.domain.scheduling.models import CHECKED_IN, IN_PROGRESS
from portal.web import asked, htmx, terms, times
from portal.web.doctor import bp
from portal.web.doctor.forms import DeclineForm
from portal.web.gate import actor

PAGE = ("doctor/day/index.html", "doctor/day/_day.html")


@bp.get("/today")
def today() -> Response:
    """A day's visits; ?day= shows another date."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **day_context(asked.day("day")))


def day_context(on: date | None, changed: UUID | None = None) -> dict[str, Any]:
    """What the page of a day shows; `changed` is the visit whose row is looked at next."""
    frame = days.frame(actor())
    on = on or frame.today
    day, is_today = days.day(actor(), frame, on), on == frame.today
    queues = looking.queues_of(day.visits) if is_today else []
    together = groups.of_visits(day.visits)
    listed = groups.together([one for one in day.visits if not is_today or one.status not in {CHECKED_IN, IN_PROGRESS}])
    return {
        "frame": frame,
        "day": day,
        "queues": [one for one in queues if one.here or one.inside],
        "visits": listed,
        "heads": groups.heads(listed, together),
        "left_open": looking.left_open(actor()) if is_today else [],
        "requests": days.requests(actor(), frame),
        "is_today": is_today,
        "rule": queue.in_words,
        "is_late": lambda visit: is_today and queue.is_missing(visit),
        "way": {**_way(on, changed, is_today=is_today), "groups": together},
        "previous_url": url_for("doctor.today", day=on - timedelta(days=1)),
        "next_url": url_for("doctor.today", day=on + timedelta(days=1)),
        "next_steps": visits.next_steps,
        "can_be_taken_back": visits.can_be_taken_back,
        "decline_form": DeclineForm.fresh(),
        "terms": terms,
    }


def _way(on: date, changed: UUID | None, *, is_today: bool) -> dict[str, Any]:
    """Where the buttons of the queue lead; see components/queue.html."""
    return {
        "step": lambda visit, step: url_for("doctor.step", key=visit.id, step=step),
        "next": url_for("doctor.call_next"),
        "target": "#day",
        "hidden": {"from": "day", "day": on},
        "person": lambda visit: url_for("doctor.appointment", key=visit.id),
        "front": visits.FRONT_CODES,
        "changed": changed,
        "is_today": is_today,
        "starts": True,
        "phones": False,
        "reasons": True,
    }


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

"""What the addresses of arranging pages ask for, and where their arrows lead."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from portal.core import text
from portal.core.errors import Invalid
from portal.domain.scheduling import desk
from portal.domain.scheduling.desk_shapes import OtherTime
from portal.web import times


def arrows(week: times.WeekView, link: Any) -> dict[str, Any]:
    """Addresses of the weeks around a week of free times and of the next free one; `link` takes ?from=."""
    free = week.next_free.starts_at if week.next_free else None
    soonest = None
    if free:
        url = link(**{"from": free.astimezone(week.zone).date()})
        soonest = {"label": text.format_datetime(free, week.zone), "url": url}
    return {
        "previous_url": link(**{"from": week.previous}) if week.previous else None,
        "next_url": link(**{"from": week.next}) if week.next else None,
        "next_free": soonest,
    }


def other_time(zone: ZoneInfo) -> datetime | None:
    """The time that was typed as ?day= and ?wall=, on the clinic's clock; None for what is no time there."""
    if not request.args.get("day"):
        return None
    try:
        asked = OtherTime.parse({key: request.args.get(key, "") for key in ("day", "wall")})
        return desk.moment_at(zone, asked.day, asked.wall)
    except Invalid:
        return None

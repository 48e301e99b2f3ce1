"""Which booked visits a change would leave without what they stand on; nothing is orphaned in silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.text import ngettext
from portal.domain.scheduling import timetable
from portal.domain.scheduling.models import UPCOMING, Appointment, Occupancy, Opening
from portal.domain.scheduling.timetable import OVERBOOKED_FROM

MOST_LISTED = 50


class VisitsAffected(Conflict):
    """Booked visits stand in the way of a change; `visits` are their ids, soonest first (at most 50), `count` all.

    `every` are the ids of all of them, for what decides about each.
    """

    code = "visits_affected"

    def __init__(self, visits: Sequence[Appointment]) -> None:
        sentence = ngettext(
            "%(n)s booked visit is affected. Decide first what becomes of it.",
            "%(n)s booked visits are affected. Decide first what becomes of each.",
            len(visits),
        )
        self.every = [visit.id for visit in visits]
        super().__init__(sentence, visits=self.every[:MOST_LISTED], count=len(visits))


def unless_kept(visits: Sequence[Appointment], keep_visits: bool) -> None:
    """Go on when nothing is hit or whoever acts said to keep the visits; raises VisitsAffected otherwise."""
    if visits and not keep_visits:
        raise VisitsAffected(visits)


def during(scope: ColumnElement[bool], starts: datetime, ends: datetime) -> list[Appointment]:
    """The visits still to come that overlap this time, soonest first; `scope` says whose."""
    statement = _upcoming(scope).where(Appointment.starts_at < ends, Appointment.ends_at > starts)
    return list(session().scalars(statement))


def ahead(scope: ColumnElement[bool]) -> list[Appointment]:
    """The visits still to come, soonest first; `scope` says whose."""
    return list(session().scalars(_upcoming(scope)))


def left_outside(
    practice_id: UUID, zone: ZoneInfo, before: Sequence[Opening], after: Sequence[Opening]
) -> list[Appointment]:
    """The visits still to come that the hours `before` admit and the hours `after` do not.

    Hours admit so many visits at once as their capacity says: of those that overlap, the ones in lower lanes first.
    """
    had, has = rules(before), rules(after)
    found = list(session().scalars(_upcoming(Appointment.practice_id == practice_id)))
    beside = _beside(found)
    return [
        visit
        for visit in found
        if _admitted(visit, had, zone, beside[visit.id]) and not _admitted(visit, has, zone, beside[visit.id])
    ]


def look(actor: Actor, visits: Iterable[UUID]) -> list[Appointment]:
    """These visits with patient and type, soonest first, as far as the actor may see them."""
    statement = (
        select(Appointment)
        .where(Appointment.id.in_(list(visits)), Appointment.visible(actor))
        .options(joinedload(Appointment.patient), joinedload(Appointment.visit_type), joinedload(Appointment.clinic))
        .order_by(Appointment.starts_at)
    )
    return list(session().scalars(statement))


def rules(openings: Iterable[Opening]) -> list[timetable.Opening]:
    """The same openings as the pure timetable knows them; their visit types must be loaded."""
    return [
        timetable.Opening(
            id=str(opening.id),
            weekday=opening.weekday,
            on_date=opening.on_date,
            starts=opening.starts,
            ends=opening.ends,
            step=opening.step,
            capacity=opening.capacity,
            visit_type_ids=frozenset(str(kind.id) for kind in opening.visit_types),
            valid_from=opening.valid_from,
            valid_until=opening.valid_until,
        )
        for opening in openings
    ]


def _upcoming(scope: ColumnElement[bool]) -> Any:
    return (
        select(Appointment)
        .where(scope, Appointment.status.in_(UPCOMING), Appointment.ends_at > clock.now())
        .order_by(Appointment.starts_at)
    )


def _beside(visits: Sequence[Appointment]) -> dict[UUID, int]:
    """How many of these visits, soonest first, each has beside it in lower lanes; none for what is over the rules."""
    wanted = Occupancy.appointment_id.in_([visit.id for visit in visits]), Occupancy.kind == "doctor"
    rows = session().execute(select(Occupancy.appointment_id, Occupancy.lane).where(*wanted))
    lanes: dict[UUID, int] = {row.appointment_id: row.lane for row in rows}
    beside = dict.fromkeys((visit.id for visit in visits), 0)
    for number, one in enumerate(visits):
        for other in visits[number + 1 :]:
            if other.starts_at >= one.ends_at:
                break
            higher = max(one.id, other.id, key=lambda key: lanes.get(key, 1))
            beside[higher] += lanes.get(higher, 1) < OVERBOOKED_FROM
    return beside


def _admitted(visit: Appointment, openings: Sequence[timetable.Opening], zone: ZoneInfo, beside: int) -> bool:
    """Whether one window holds the whole visit, takes its type and so many at once.

    Hours past midnight belong to the day before.
    """
    day = visit.starts_at.astimezone(zone).date()
    starts, ends = int(visit.starts_at.timestamp()), int(visit.ends_at.timestamp())
    return any(
        window.starts <= starts
        and ends <= window.ends
        and window.opening.admits(str(visit.visit_type_id))
        and beside < window.opening.capacity
        for window in timetable.windows(openings, zone, day - timedelta(days=1), day)
    )

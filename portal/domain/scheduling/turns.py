"""Whose turn it is when a patient takes any doctor of a clinic.

The rule: of the doctors who are free at the time that was chosen, the one with the fewest visits of this type in that
week (however they were booked; times held for somebody count, too), measured against the hours the doctor receives for
it in that week. Where that is equal, the one whose last visit of this type was booked longest ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal.core import clock
from portal.core.db import session
from portal.domain.scheduling import timetable
from portal.domain.scheduling.models import RELEASED, Appointment, Hold
from portal.domain.scheduling.rulebook import Rulebook

A_YEAR = timedelta(days=366)  # a visit longer ago is as good as none
NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose turn it may be: visits of the week, seconds of open hours in it, when the last was booked."""

    practice_id: UUID
    visits: int
    seconds: int
    last: datetime | None = None

    @property
    def place(self) -> tuple[Fraction, datetime, UUID]:
        """What they are ordered by; the id only makes the order the same for everybody."""
        return Fraction(self.visits, max(self.seconds, 1)), self.last or NEVER, self.practice_id


def in_turn(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Whose turn it is, the first first."""
    return sorted(candidates, key=lambda one: one.place)


def of_week(books: list[Rulebook], visit_type_id: UUID, monday: date, zone: ZoneInfo) -> list[UUID]:
    """These practices in turn for a visit of this type in the week of `monday`; two statements."""
    booked = _booked([book.practice_id for book in books], visit_type_id, monday, zone)
    candidates = []
    for book in books:
        visits, last = booked.get(book.practice_id, (0, None))
        candidates.append(Candidate(book.practice_id, visits, open_seconds(book, visit_type_id, monday), last))
    return [one.practice_id for one in in_turn(candidates)]


def monday_of(moment: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week around this time at the clinic."""
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def open_seconds(book: Rulebook, visit_type_id: UUID, monday: date) -> int:
    """How long a practice receives for this type in the week of `monday`, closures taken out."""
    hours = [opening for opening in book.timetable.openings if opening.admits(str(visit_type_id))]
    windows = timetable.open_on(hours, book.zone, monday, monday + timedelta(days=6))
    return sum(open_between(window.starts, window.ends, book) for window in windows)


def open_between(starts: int, ends: int, book: Rulebook) -> int:
    """How many seconds of these are not closed."""
    left, reached = ends - starts, float(starts)
    for begins, until in sorted((max(one.starts, starts), min(one.ends, ends)) for one in book.timetable.closures):
        begins = max(begins, reached)
        if until > begins:
            left, reached = left - int(until - begins), until
    return left


def _booked(
    keys: list[UUID], visit_type_id: UUID, monday: date, zone: ZoneInfo
) -> dict[UUID, tuple[int, datetime | None]]:
    """Visits and holds of this type in the week, and when the last visit of it was booked, by practice."""
    begins = datetime.combine(monday, time(), zone)
    until = datetime.combine(monday + timedelta(days=7), time(), zone)
    visits = (
        select(
            Appointment.practice_id,
            func.count().filter(Appointment.starts_at >= begins, Appointment.starts_at < until),
            func.max(Appointment.created_at),
        )
        .where(
            Appointment.practice_id.in_(keys),
            Appointment.visit_type_id == visit_type_id,
            Appointment.status.not_in(RELEASED),
            Appointment.starts_at >= begins - A_YEAR,
        )
        .group_by(Appointment.practice_id)
    )
    held = (
        select(Hold.practice_id, func.count())
        .where(
            Hold.practice_id.in_(keys),
            Hold.visit_type_id == visit_type_id,
            Hold.expires_at > clock.now(),
            Hold.starts_at >= begins,
            Hold.starts_at < until,
        )
        .group_by(Hold.practice_id)
    )
    found: dict[UUID, tuple[int, datetime | None]] = {key: (n, last) for key, n, last in session().execute(visits)}
    for key, n in session().execute(held):
        count, last = found.get(key, (0, None))
        found[key] = (count + n, last)
    return found

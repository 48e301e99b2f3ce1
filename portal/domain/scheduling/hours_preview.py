"""What patients would see of hours that are not saved yet, and what a week of hours looks like on its dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import NotFound, refuse
from portal.domain.clinics.models import Holiday
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import closures, hours, rulebook, timetable
from portal.domain.scheduling.closures import TimeOff
from portal.domain.scheduling.models import Opening
from portal.domain.scheduling.rulebook import moment
from portal.domain.scheduling.shapes import OpeningShape
from portal.domain.scheduling.timetable import Offer

DAYS = 14
MARGIN = timedelta(days=2)
A_DAY = timedelta(days=1)
SAME, NEW, GONE = "same", "new", "gone"


class Mark(NamedTuple):
    """One time: offered as now (same), only with the unsaved hours (new), or no longer with them (gone)."""

    starts_at: datetime
    state: str
    places: int


@dataclass(frozen=True)
class Preview:
    """Fourteen dates with the times patients would see; `until` is the last date they may book at all."""

    first: date
    last: date
    days: tuple[tuple[date, tuple[Mark, ...]], ...]
    until: date
    zone: ZoneInfo

    @property
    def is_empty(self) -> bool:
        return not any(marks for _day, marks in self.days)

    def count(self, state: str) -> int:
        return sum(mark.state == state for _day, marks in self.days for mark in marks)


@dataclass(frozen=True)
class WeekDay:
    """One date of a practice: the openings that hold, and what keeps the doctor from receiving.

    `nights` began the day before and pass midnight.
    """

    date: date
    openings: list[Opening]
    nights: list[Opening]
    off: list[TimeOff]
    holiday: Holiday | None


def offers(
    actor: Actor,
    practice_id: UUID | str,
    visit_type_id: UUID,
    *,
    wanted: OpeningShape | None = None,
    opening_id: UUID | None = None,
    first: date | None = None,
) -> Preview:
    """The times patients would see if `wanted` were saved, as a new opening or instead of `opening_id`.

    From `first`, by default today or, when it begins later, the first date of `wanted`. Raises NotFound for what
    cannot be booked here.
    """
    practice = hours.practice_for(actor, practice_id)
    zone = practice.clinic.zone
    today = clock.today(zone)
    begins = wanted and (wanted.on_date or wanted.valid_from)
    first = max(today, first or begins or today)
    last = first + A_DAY * (DAYS - 1)
    around = (datetime.combine(day, time(12), zone) for day in (first - MARGIN, last + MARGIN))
    book = rulebook.read_one(practice.id, *around, visit_type_id=visit_type_id, also_unverified=True) or refuse(
        NotFound
    )
    kind = book.type(visit_type_id) or refuse(NotFound)
    policy, now = kind.policy(), int(clock.now().timestamp())
    now_given = after = book.timetable
    if wanted:
        others = [one for one in after.openings if one.id != str(opening_id)]
        after = replace(after, openings=[*others, _rule(wanted)])
    found = timetable.offers(after, kind.rule, first, last, now, policy)
    before = timetable.offers(now_given, kind.rule, first, last, now, policy) if wanted else found
    return Preview(first, last, _by_day(first, before, found, zone), today + A_DAY * policy.horizon_days, zone)


def week(actor: Actor, practice: Practice, openings: Sequence[Opening], first: date) -> list[WeekDay]:
    """Seven dates from `first` with these openings of the practice, time off and holidays."""
    zone, last = practice.clinic.zone, first + A_DAY * 6
    begins, until = _midnight(first, zone), _midnight(last + A_DAY, zone)
    off = closures.during([practice], begins, until)
    holidays = {one.day: one for one in closures.holidays_during([practice], first, last)}
    days = []
    for day in (first + A_DAY * ahead for ahead in range(7)):
        starts, ends = _midnight(day, zone), _midnight(day + A_DAY, zone)
        held = [one for one in openings if hours.holds(one, day)]
        here = [one for one in off if one.closure.starts_at < ends and one.closure.ends_at > starts]
        nights = [one for one in openings if one.ends_next_day and hours.holds(one, day - A_DAY)]
        days.append(WeekDay(day, sorted(held, key=lambda one: one.starts), nights, here, holidays.get(day)))
    return days


def _rule(wanted: OpeningShape) -> timetable.Opening:
    about = wanted.values()
    kinds = frozenset(map(str, about.pop("visit_type_ids")))
    del about["ends_next_day"]
    if wanted.on_date:
        about["valid_from"] = about["valid_until"] = None
    return timetable.Opening(id="wanted", visit_type_ids=kinds, **about)


def _by_day(
    first: date, before: Sequence[Offer], after: Sequence[Offer], zone: ZoneInfo
) -> tuple[tuple[date, tuple[Mark, ...]], ...]:
    had, has = {one.starts: one for one in before}, {one.starts: one for one in after}
    days: dict[date, list[Mark]] = {first + A_DAY * ahead: [] for ahead in range(DAYS)}
    for starts in sorted({*had, *has}):
        state = SAME if starts in had and starts in has else NEW if starts in has else GONE
        places = (has.get(starts) or had[starts]).places_left
        at = moment(starts)
        days[at.astimezone(zone).date()].append(Mark(at, state, places))
    return tuple((day, tuple(marks)) for day, marks in days.items())


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)

"""Doctors in an order that their free times decide: candidates by the kept first free times, verified as they come.

A kept time is never later than the true one (see first_free). So once a candidate's kept time lies behind a verified
time, nobody who comes later can stand before it: the order is exact, and only the head of the list is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_

from portal.core.errors import Invalid
from portal.core.paging import decode, encode
from portal.core.text import lazy as _
from portal.domain.doctors import directory
from portal.domain.doctors.directory import Match, Rank
from portal.domain.doctors.models import Practice
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling.availability import Slot
from portal.domain.scheduling.first_free import ANY
from portal.domain.scheduling.planning import FirstFree

MOST = 600  # candidates that are verified for one answer
BATCH = 48
NEVER = "9999"  # sorts after every time
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)  # no row is kept yet: it may be free at any time
_A_DAY = timedelta(days=1)  # the end of a date anywhere on earth is at most so much after its end in UTC

Times = tuple[Slot, ...]
Ranked = tuple[Match, Times]
Verify = Callable[[Sequence[Match]], dict[UUID, Times]]


@dataclass(frozen=True, slots=True)
class Page:
    """Doctors in order, one more than asked for when there are more; `is_cut`: the search ended at MOST candidates."""

    items: list[Ranked]
    is_cut: bool


def ranked(query: DirectoryQuery, also: list[ColumnElement[bool]], verify: Verify) -> Page:
    """The next page after the query's cursor: soonest first, or in another order with only those free by a date.

    `verify` computes the true next free times of doctors. Raises Invalid for a cursor that is not of this list.
    """
    if query.before:
        also = [*also, _may_be_free_by(query.before, query)]
    return _soonest(query, also, verify) if query.order == "soonest" else _free_by(query, also, verify)


def place(query: DirectoryQuery, match: Match, times: Times) -> list[Any]:
    """Where a doctor stands in the list: the values of a cursor."""
    if query.order != "soonest":
        return match.place(query.order)
    return [_said(times[0].starts_at if times else None), str(match.doctor_id)]


def _soonest(query: DirectoryQuery, also: list[ColumnElement[bool]], verify: Verify) -> Page:
    mark, rank = _mark(query), _rank(query)
    waiting: list[tuple[list[Any], Ranked]] = []
    for skip in range(0, MOST, BATCH):
        pool = directory.matches(query, *also, most=BATCH, rank=replace(rank, skip=skip))
        placed = [(place(query, *one), one) for one in _verified(query, pool, verify)]
        waiting += [one for one in placed if mark is None or one[0] > mark]
        waiting.sort(key=lambda one: one[0])
        is_last = len(pool) < BATCH
        behind = [] if is_last else [_said(pool[-1].rank), str(pool[-1].doctor_id)]  # all others are kept behind this
        final = [one for where, one in waiting if is_last or where <= behind]
        if is_last or len(final) > query.limit:
            return Page(final, is_cut=False)
    return Page([one for _where, one in waiting], is_cut=True)


def _free_by(query: DirectoryQuery, also: list[ColumnElement[bool]], verify: Verify) -> Page:
    found: list[Ranked] = []
    after = query.after
    for _round in range(0, MOST, BATCH):
        pool = directory.matches(query, *also, most=BATCH, after=after)
        found += _verified(query, pool, verify)
        if len(pool) < BATCH or len(found) > query.limit:
            return Page(found, is_cut=False)
        after = encode(pool[-1].place(query.order))
    return Page(found, is_cut=True)


def _verified(query: DirectoryQuery, pool: list[Match], verify: Verify) -> list[Ranked]:
    times = verify(pool)
    return [(match, times[match.doctor_id]) for match in pool if _is_wanted(query, match, times[match.doctor_id])]


def _is_wanted(query: DirectoryQuery, match: Match, times: Times) -> bool:
    """Whether the true first free time lies on or before the date asked for, where the clinic is."""
    if query.before is None:
        return True
    if not times:
        return False
    zone = match.zones[match.practice_ids.index(times[0].practice_id)]
    return times[0].starts_at.astimezone(ZoneInfo(zone)).date() <= query.before


def _may_be_free_by(day: date, query: DirectoryQuery) -> ColumnElement[bool]:
    """In SQL: the practice's kept time allows it, or none is kept yet."""
    until = datetime.combine(day, time.max, UTC) + _A_DAY
    row = _row(query)
    free = exists().where(row, FirstFree.starts_at <= until).correlate(Practice)
    return or_(free, ~exists().where(row).correlate(Practice))


def _rank(query: DirectoryQuery) -> Rank:
    """By the earliest kept time of the practices that match."""
    unknown = func.min(literal(UNKNOWN)).filter(FirstFree.id.is_(None))
    return Rank(FirstFree, _row(query), func.coalesce(unknown, func.min(FirstFree.starts_at)))


def _row(query: DirectoryQuery) -> ColumnElement[bool]:
    return and_(FirstFree.practice_id == Practice.id, FirstFree.mode == (query.mode or ANY))


def _said(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else NEVER


def _mark(query: DirectoryQuery) -> list[Any] | None:
    """The place in the cursor; it must be made like those of this list."""
    if not query.after:
        return None
    values = decode(query.after, 2)
    if [type(value) for value in values] != [str, str]:
        raise Invalid(_("This list has moved on. Please start from its first page."), code="bad_cursor")
    return values

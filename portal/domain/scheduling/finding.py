"""Finding a doctor by when they are free: the directory joined with the next free times, and weeks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.paging import encode
from portal.core.recent import Recent
from portal.domain.doctors import directory
from portal.domain.doctors.cards import DoctorCard, PracticeCard
from portal.domain.doctors.directory import Match
from portal.domain.doctors.models import Practice
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling import availability, by_time
from portal.domain.scheduling.availability import Slot
from portal.domain.scheduling.first_free import ANY
from portal.domain.scheduling.models import Appointment, Opening, VisitType, opening_visit_types
from portal.domain.scheduling.planning import FirstFree

SHOWN = 3  # next free times of a doctor
SECONDS = 5  # how old what a public list says may be; a time that is chosen from it is looked at again
DAYS = 7


@dataclass(frozen=True, slots=True)
class Found:
    """A doctor who matches, and when they are free next at the practices that match."""

    doctor: DoctorCard
    times: tuple[Slot, ...]

    def place_of(self, slot: Slot) -> PracticeCard:
        """Where a time of this doctor is, and so in which zone it is meant."""
        return next(one for one in self.doctor.practices if one.id == slot.practice_id)


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of doctors. `is_cut` says that more matched than were compared, so a narrower search finds better."""

    items: tuple[Found, ...]
    next: str | None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Week:
    """The free times of seven days from `first`, each day with its own, and where to look when there are none."""

    first: date
    last: date
    days: tuple[tuple[date, tuple[Slot, ...]], ...]
    previous: date | None
    next: date | None
    next_free: Slot | None
    zone: ZoneInfo

    @property
    def is_empty(self) -> bool:
        return not any(slots for _day, slots in self.days)


_answers: Recent[DirectoryQuery, Answer] = Recent(SECONDS, most=512)
_times: Recent[tuple[UUID, str | None], tuple[Slot, ...]] = Recent(SECONDS, most=20_000)


def search(actor: Actor, query: DirectoryQuery) -> Answer:
    """One page of public doctors with their next free times, in the order asked for; the same for whoever asks.

    Soonest first and "free before a date" look through at most by_time.MOST matches, those free soonest first; when
    that was not enough the answer says so. An answer may be SECONDS old. Raises Invalid for a cursor not ours.
    """
    return _answers.one(query, lambda: _search(query))


def week(
    actor: Actor,
    practice_id: UUID,
    visit_type: VisitType,
    zone: ZoneInfo,
    first: date | None = None,
    *,
    patient_id: UUID | None = None,
    moving: Appointment | None = None,
) -> Week:
    """The free times of seven days in the clinic's zone from `first` (today when left out or past), computed now.

    Raises NotFound for what cannot be booked.
    """
    today = clock.today(zone)
    horizon = today + timedelta(days=visit_type.horizon_days)
    first = min(max(first or today, today), horizon)
    last = first + timedelta(days=DAYS - 1)
    slots = availability.offers(actor, practice_id, visit_type.id, first, last, patient_id=patient_id, moving=moving)
    by_day = availability.by_day(slots, zone)
    dates = [first + timedelta(days=ahead) for ahead in range(DAYS)]
    soonest = [] if slots else availability.next_free([practice_id], visit_type_id=visit_type.id, limit=1)[practice_id]
    return Week(
        first=first,
        last=last,
        days=tuple((day, tuple(by_day.get(day, ()))) for day in dates),
        previous=max(today, first - timedelta(days=DAYS)) if first > today else None,
        next=last + timedelta(days=1) if last < horizon else None,
        next_free=soonest[0] if soonest else None,
        zone=zone,
    )


def _search(query: DirectoryQuery) -> Answer:
    also = [_gives(query.mode)] if query.mode else []
    if query.order == "soonest" or query.before:
        return _by_times(query, also)
    found = directory.matches(query, *also, most=query.limit + 1, after=query.after)
    shown = found[: query.limit]
    return Answer(
        items=_with_times(query, shown),
        next=encode(shown[-1].place(query.order)) if len(found) > query.limit else None,
    )


def _by_times(query: DirectoryQuery, also: list[ColumnElement[bool]]) -> Answer:
    """A page of an order or a filter that only the free times themselves decide."""
    ranked = by_time.ranked(query, also, lambda found: _next_free(query, found))
    shown = ranked.items[: query.limit]
    times = {match.doctor_id: times for match, times in shown}
    cards = directory.cards_of([match for match, _times in shown])
    more = len(ranked.items) > query.limit
    return Answer(
        items=tuple(Found(card, times[card.id]) for card in cards),
        next=encode(by_time.place(query, *shown[-1])) if more else None,
        is_cut=ranked.is_cut and not more,
    )


def _with_times(query: DirectoryQuery, shown: list[Match]) -> tuple[Found, ...]:
    times = _next_free(query, shown)
    return tuple(Found(card, times[card.id]) for card in directory.cards_of(shown))


def _next_free(query: DirectoryQuery, found: Sequence[Match]) -> dict[UUID, tuple[Slot, ...]]:
    """The next free times of each doctor over the practices that match."""
    keys = [(practice_id, query.mode) for match in found for practice_id in match.practice_ids]
    known = _times.many(keys, _read_times) if keys else {}
    answer = {}
    for match in found:
        slots = [slot for practice_id in match.practice_ids for slot in known.get((practice_id, query.mode), ())]
        if len(match.practice_ids) > 1:  # one doctor is in one place at a time: the same time counts once
            slots = list({slot.starts_at: slot for slot in sorted(slots, key=_start)}.values())
        answer[match.doctor_id] = tuple(slots[:SHOWN])
    return answer


def _read_times(keys: list[tuple[UUID, str | None]]) -> dict[tuple[UUID, str | None], tuple[Slot, ...]]:
    mode = keys[0][1] if keys else None  # one search asks for one mode
    found = availability.next_free([practice_id for practice_id, _mode in keys], limit=SHOWN, mode=mode)
    return {(practice_id, mode): tuple(slots) for practice_id, slots in found.items()}


def _start(slot: Slot) -> datetime:
    return slot.starts_at


def _gives(mode: str) -> ColumnElement[bool]:
    """The practice has hours in which patients may book a visit in this mode: as first_free knows, or as they are."""
    kept = select(FirstFree.practice_id).where(FirstFree.mode == mode)
    known = select(FirstFree.practice_id).where(FirstFree.mode == ANY)
    limited = exists().where(opening_visit_types.c.opening_id == Opening.id)
    admitted = exists().where(
        opening_visit_types.c.opening_id == Opening.id, opening_visit_types.c.visit_type_id == VisitType.id
    )
    gives = exists(
        select(VisitType.id)
        .join(Opening, Opening.practice_id == Practice.id)
        .where(
            VisitType.clinic_id == Practice.clinic_id,
            VisitType.mode == mode,
            VisitType.is_active,
            VisitType.bookable_by == "anyone",
            ~limited | admitted,
        )
        .correlate(Practice)
    )
    return or_(Practice.id.in_(kept), and_(Practice.id.not_in(known), gives))

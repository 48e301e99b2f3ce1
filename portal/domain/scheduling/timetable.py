"""Rules to intervals to offers, with reasons: which times a doctor can give, and why another time cannot be had.

Pure: no database, no web, no clock. Openings are local wall time in the clinic's zone; every instant is an integer
count of epoch seconds; every range is half-open, so a visit may begin at the second another one ends.

The rules, each in one place:
- A start is an opening's `starts` plus k steps of wall time. A wall time that does not exist is not offered; one that
  exists twice is offered once, the first. A visit lasts real elapsed time.
- An opening runs from the instant of its start to the instant of its end. An end or a start inside a gap means the
  instant of the jump; one that exists twice means the first. So an opening across a spring change is really shorter,
  across an autumn change really longer, and the repeated hour gives no starts of its own.
- An opening whose end is before its start ends on the next day. It belongs to the date on which it begins (weekday,
  valid dates); its starts after midnight belong to the date they are on, with that date's holiday and limit of visits.
- The visit itself lies inside the opening and outside every closure. Its buffers may stick out of both, but in the
  chosen lane they may not collide with other occupancy.
- Capacity N is lanes 1 to N. An overbooked lane (100 and above) takes no place.
- A visit that needs rooms or devices needs one of each group, in one lane, for its time with the buffers.
- The patient's other visits are compared with the visit itself: buffers are the doctor's time, not the patient's.
- A dated opening adds to the weekly ones of that day; only a closure takes time away.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, islice, pairwise
from operator import attrgetter
from typing import Self
from zoneinfo import ZoneInfo

from portal.domain.scheduling.timetable_rules import (
    OVERBOOKED_FROM,
    Busy,
    Closure,
    Offer,
    Opening,
    Policy,
    Reason,
    Room,
    Timetable,
    VisitRule,
    Window,
)
from portal.domain.scheduling.timetable_spans import (
    FREE,
    NEVER,
    Spans,
    any_free,
    free_rooms,
    lanes_of,
    needed,
    room_lanes,
)
from portal.domain.scheduling.wall_time import DAY, days, instant, local, seconds_of, steady_midnight

__all__ = [
    "OVERBOOKED_FROM", "Busy", "Closure", "Offer", "Opening", "Policy", "Reason", "Room", "Timetable", "VisitRule",
    "Window", "by_day", "explain", "free_rooms", "next_free", "offer_at", "offers", "open_on", "reasons", "windows",
]  # fmt: skip

_FIRST_LANE = (1,)
# Named once: before Python 3.12 each Reason.TAKEN costs as much as a bisection.
(OFFERED, PAST, TOO_SOON, TOO_FAR, NO_OPENING, VISIT_TYPE_NOT_HERE, NOT_ON_GRID, CLOSED, LEAVE, HOLIDAY,
 BUFFER, TAKEN, ROOM, PATIENT_BUSY, DAY_FULL) = Reason  # fmt: skip
_KINDS = {"leave": LEAVE, "holiday": HOLIDAY}


def offers(timetable: Timetable, visit: VisitRule, first: date, last: date, now: int, policy: Policy) -> list[Offer]:
    """Every time this visit can begin on the local dates first to last, in order and without doubles.

    Where two openings give the same start, the one with more places counts. now is epoch seconds.
    """
    return list(chain.from_iterable(_offers(timetable, visit, first, last, now, policy)))


def next_free(
    timetable: Timetable, visit: VisitRule, first: date, last: date, now: int, policy: Policy, limit: int = 1
) -> list[Offer]:
    """The first `limit` of these offers; later days are not looked at once they are found."""
    return list(islice(chain.from_iterable(_offers(timetable, visit, first, last, now, policy)), limit))


def explain(timetable: Timetable, visit: VisitRule, starts_at: int, now: int, policy: Policy) -> Reason:
    """Why the visit can or cannot begin at this epoch second."""
    return reasons(timetable, visit, [starts_at], now, policy)[0]


def reasons(timetable: Timetable, visit: VisitRule, instants: Iterable[int], now: int, policy: Policy) -> list[Reason]:
    """Why the visit can or cannot begin at each of these epoch seconds, in the order given."""
    answers = _answers_at(timetable, visit, instants, now, policy)
    return [answer if isinstance(answer, Reason) else OFFERED for answer in answers]


def offer_at(timetable: Timetable, visit: VisitRule, starts_at: int, now: int, policy: Policy) -> Offer | Reason:
    """The offer that begins at this epoch second, or the reason why there is none."""
    return _answers_at(timetable, visit, [starts_at], now, policy)[0]


def _answers_at(
    timetable: Timetable, visit: VisitRule, instants: Iterable[int], now: int, policy: Policy
) -> list[Offer | Reason]:
    judge, zone = _Judge.of(timetable, visit, now, policy), timetable.zone
    known: dict[date, tuple[list[Window], dict[int, Opening]]] = {}
    answers: list[Offer | Reason] = []
    nights = _nights(timetable.openings)
    for at in instants:
        day = local(zone, at).date()
        if day not in known:
            hours = _around(timetable.openings, nights, zone, day)
            known[day] = hours, _starts(hours, zone, visit, day if nights else None)
        hours, starts = known[day]
        answers += judge.answers([(at, starts.get(at))], day, hours)
    return answers


def windows(openings: Sequence[Opening], zone: ZoneInfo, first: date, last: date) -> list[Window]:
    """The openings that begin on each local date first to last, as instants in order of start; no empty ones."""
    return [window for day in days(first, last) for window in _windows_on(openings, zone, day)]


def open_on(openings: Sequence[Opening], zone: ZoneInfo, first: date, last: date) -> list[Window]:
    """What of the openings lies on the local dates first to last; hours that pass midnight are cut at both ends."""
    begins, until = instant(zone, first, 0)[0], instant(zone, last, DAY)[0]
    eves = windows(_nights(openings), zone, first - timedelta(1), first - timedelta(1))
    cut = [
        window._replace(starts=max(window.starts, begins), ends=min(window.ends, until))
        for window in [*eves, *windows(openings, zone, first, last)]
    ]
    return [window for window in cut if window.starts < window.ends]


def by_day(offers: Iterable[Offer], zone: ZoneInfo) -> dict[date, list[Offer]]:
    """The same offers under their local date, in the order given."""
    days: dict[date, list[Offer]] = {}
    begins = until = 0
    for offer in offers:
        if not begins <= offer.starts < until:
            day = local(zone, offer.starts).date()
            begins, until = instant(zone, day, 0)[0], instant(zone, day, DAY)[0]
            group = days.setdefault(day, [])
        group.append(offer)
    return days


def _offers(
    timetable: Timetable, visit: VisitRule, first: date, last: date, now: int, policy: Policy
) -> Iterator[list[Offer]]:
    judge, zone = _Judge.of(timetable, visit, now, policy), timetable.zone
    openings = [opening for opening in timetable.openings if opening.admits(visit.visit_type_id)]
    nights = _nights(openings)
    for day in days(max(first, judge.today), min(last, judge.last_day)):
        hours = _around(openings, nights, zone, day)
        answers = judge.answers(_starts(hours, zone, visit, day if nights else None).items(), day, hours)
        yield [answer for answer in answers if type(answer) is Offer]


@dataclass(frozen=True, slots=True)
class _Judge:
    """The one rule that offers and explain both ask; what it needs is prepared once."""

    visit: VisitRule
    now: int
    earliest: int
    latest: int
    today: date
    last_day: date
    closures: Spans
    kinds: list[Reason]
    lanes: dict[int, Spans]
    rooms: list[list[dict[int, Spans]]]
    patient: Spans
    full_days: frozenset[date]

    @classmethod
    def of(cls, timetable: Timetable, visit: VisitRule, now: int, policy: Policy) -> Self:
        today = local(timetable.zone, now).date()
        last_day = today + timedelta(policy.horizon_days)
        closures, kinds = _closed(timetable.closures)
        limit = NEVER if policy.max_per_day is None else policy.max_per_day
        return cls(
            visit=visit,
            now=now,
            earliest=now + policy.lead_minutes * 60,
            latest=instant(timetable.zone, last_day, DAY)[0],
            today=today,
            last_day=last_day,
            closures=closures,
            kinds=kinds,
            lanes=lanes_of(timetable.busy),
            rooms=[[room_lanes(room) for room in rooms] for rooms in needed(timetable, visit)],
            patient=lanes_of((starts, ends, 0) for starts, ends, _ in timetable.patient_busy).get(0, FREE),
            full_days=frozenset(day for day, count in timetable.booked_per_day.items() if count >= limit),
        )

    def answers(
        self, asked: Iterable[tuple[int, Opening | None]], day: date, hours: Sequence[Window]
    ) -> list[Offer | Reason]:
        """For each start asked on this day, with the opening giving it, the offer or the first reason against it."""
        earliest, latest, free_lanes = self.earliest, self.latest, self.free_lanes
        duration, before, after = self.visit.seconds
        (closed_from, closed_until), (busy_from, busy_until) = self.closures, self.patient
        may_be_closed = any(closed_from[bisect_right(closed_until, hour.starts)] < hour.ends for hour in hours)
        first_from, first_until = self.lanes.get(1, FREE)
        is_full, rooms = day in self.full_days, self.rooms
        answers: list[Offer | Reason] = []
        answer = answers.append
        for starts, opening in asked:
            ends = starts + duration
            if starts < earliest:
                answer(PAST if starts < self.now else TOO_SOON)
            elif starts >= latest:
                answer(TOO_FAR)
            elif opening is None:
                answer(_outside(hours, self.visit, starts, ends))
            elif may_be_closed and closed_from[closure := bisect_right(closed_until, starts)] < ends:
                answer(self.kinds[closure])
            elif opening.capacity == 1 and first_from[bisect_right(first_until, starts)] < ends:
                answer(TAKEN)  # The usual refusal of a full week, without a call.
            elif not (lanes := free_lanes(starts - before, ends + after, opening.capacity)):
                answer(BUFFER if free_lanes(starts, ends, opening.capacity) else TAKEN)
            elif rooms and not all(any_free(group, starts - before, ends + after) for group in rooms):
                answer(ROOM)
            elif busy_until and busy_from[bisect_right(busy_until, starts)] < ends:
                answer(PATIENT_BUSY)
            elif is_full:
                answer(DAY_FULL)
            else:
                answer(Offer(starts, ends, starts - before, ends + after, lanes, opening.id))
        return answers

    def free_lanes(self, begins: int, until: int, places: int) -> tuple[int, ...]:
        """The lanes 1 to places in which nothing overlaps this range."""
        lanes = self.lanes
        if places == 1:
            busy_from, busy_until = lanes.get(1, FREE)
            return _FIRST_LANE if busy_from[bisect_right(busy_until, begins)] >= until else ()
        free: tuple[int, ...] = ()
        for lane in range(1, places + 1):
            busy_from, busy_until = lanes.get(lane, FREE)
            if busy_from[bisect_right(busy_until, begins)] >= until:
                free += (lane,)
        return free


def _closed(closures: Iterable[Closure]) -> tuple[Spans, list[Reason]]:
    """The closures as disjoint ranges and the reason of each; where two overlap, the one that begins first counts."""
    starts: list[float] = []
    ends: list[float] = []
    kinds: list[Reason] = []
    for closure in sorted(closures, key=attrgetter("starts", "ends", "kind")):
        begins = max(closure.starts, ends[-1]) if ends else closure.starts
        if begins < closure.ends:
            starts.append(begins)
            ends.append(closure.ends)
            kinds.append(_KINDS.get(closure.kind, CLOSED))
    return ([*starts, NEVER], ends), kinds


def _outside(hours: Sequence[Window], visit: VisitRule, starts: int, ends: int) -> Reason:
    """Why no opening of this day gives a start at this instant."""
    around = [window.opening for window in hours if window.starts <= starts and ends <= window.ends]
    if not around:
        return NO_OPENING
    here = any(opening.admits(visit.visit_type_id) for opening in around)
    return NOT_ON_GRID if here else VISIT_TYPE_NOT_HERE


def _nights(openings: Iterable[Opening]) -> list[Opening]:
    """Those that pass midnight: few practices have one, and only for them is the day before looked at."""
    return [opening for opening in openings if opening.passes_midnight]


def _around(openings: Iterable[Opening], nights: Iterable[Opening], zone: ZoneInfo, day: date) -> list[Window]:
    """The windows that reach into this local date, whole: those of the night before first."""
    eves = _windows_on(nights, zone, day - timedelta(1)) if nights else []
    return [*eves, *_windows_on(openings, zone, day)]


def _windows_on(openings: Iterable[Opening], zone: ZoneInfo, day: date) -> list[Window]:
    steady, weekdays = steady_midnight(zone, day) is not None, (day.weekday(), None)
    hours = []
    for opening in openings:
        if opening.weekday in weekdays and opening.is_on(day):
            starts, steadily = _wall(zone, day, seconds_of(opening.starts))[0], steady
            if opening.passes_midnight:
                ends = _wall(zone, day, seconds_of(opening.ends) + DAY)[0]
                steadily = steady and steady_midnight(zone, day + timedelta(1)) is not None
            else:
                ends = _wall(zone, day, seconds_of(opening.ends) or DAY)[0]
            if starts < ends:
                hours.append(Window(opening, day, starts, ends, steadily))
    hours.sort(key=attrgetter("starts"))
    return hours


def _wall(zone: ZoneInfo, day: date, seconds: int) -> tuple[int, bool]:
    """As wall_time.instant, for seconds of wall time that may go on into the next day."""
    if seconds <= DAY:
        return instant(zone, day, seconds)
    return instant(zone, day + timedelta(1), seconds - DAY)


def _starts(hours: Sequence[Window], zone: ZoneInfo, visit: VisitRule, only: date | None) -> dict[int, Opening]:
    """In order, each instant at which the visit can begin in these windows, with the opening of most places.

    `only` is the local date on which it must begin, where some of the windows pass midnight.
    """
    starts: dict[int, Opening] = {}
    by_places = sorted(hours, key=attrgetter("opening.capacity"))
    for window in by_places:
        if window.opening.admits(visit.visit_type_id):
            starts.update(dict.fromkeys(_grid(window, zone, visit), window.opening))
    in_order = all(one.ends <= other.starts for one, other in pairwise(by_places))
    if only is not None:
        begins, until = instant(zone, only, 0)[0], instant(zone, only, DAY)[0]
        starts = {at: opening for at, opening in starts.items() if begins <= at < until}
    return starts if in_order else {at: starts[at] for at in sorted(starts)}


def _grid(window: Window, zone: ZoneInfo, visit: VisitRule) -> Iterable[int]:
    """The instants of opening.starts + k steps of wall time from which the visit fits into the window."""
    opening, last = window.opening, window.ends - visit.duration * 60
    step = (opening.step or visit.duration) * 60
    if window.steady:
        return range(window.starts, last + 1, step)
    until = seconds_of(opening.ends) + (DAY if opening.passes_midnight else 0) or DAY
    walls = range(seconds_of(opening.starts), until, step)
    return [at for at, exists in (_wall(zone, window.day, wall) for wall in walls) if exists and at <= last]

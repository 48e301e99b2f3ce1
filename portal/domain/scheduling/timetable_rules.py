"""What a timetable is made of: openings, closures, busy time, visit rules and policy; and what comes out of it."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

OVERBOOKED_FROM = 100


class Reason(StrEnum):
    """Why a time is offered or not, in the order in which a refusal is looked for."""

    OFFERED = "offered"
    PAST = "past"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    NO_OPENING = "no_opening"
    VISIT_TYPE_NOT_HERE = "visit_type_not_here"
    NOT_ON_GRID = "not_on_grid"
    CLOSED = "closed"
    LEAVE = "leave"
    HOLIDAY = "holiday"
    BUFFER = "buffer"
    TAKEN = "taken"
    ROOM = "room"
    PATIENT_BUSY = "patient_busy"
    DAY_FULL = "day_full"


@dataclass(frozen=True, slots=True)
class Opening:
    """Hours in which a doctor sees patients, every week on one weekday or on one date.

    weekday is 0 for Monday; `ends` 00:00 is the end of the day, and an end before the start is one on the day after:
    such hours belong to the day on which they begin. `step` is minutes, None for the visit's duration; no visit types
    means all; the valid dates are inclusive. Raises ValueError for hours that cannot be.
    """

    id: Hashable
    weekday: int | None
    on_date: date | None
    starts: time
    ends: time
    step: int | None = None
    capacity: int = 1
    visit_type_ids: frozenset[Hashable] = frozenset()
    valid_from: date | None = None
    valid_until: date | None = None

    def __post_init__(self) -> None:
        if (self.weekday is None) == (self.on_date is None):
            raise ValueError("An opening is either for one weekday or for one date.")
        if self.weekday is not None and not 0 <= self.weekday <= 6:
            raise ValueError("A weekday is 0 (Monday) to 6 (Sunday).")
        if self.ends == self.starts != time():
            raise ValueError("An opening is shorter than a day, or a whole one from midnight to midnight.")
        if self.step is not None and self.step < 1:
            raise ValueError("A step is at least one minute.")
        if not 1 <= self.capacity < OVERBOOKED_FROM:
            raise ValueError(f"A capacity is 1 to {OVERBOOKED_FROM - 1} places.")

    @property
    def passes_midnight(self) -> bool:
        """Whether these hours go on after the day on which they begin."""
        return time() < self.ends < self.starts

    def is_on(self, day: date) -> bool:
        """Whether these hours hold on this local date."""
        if self.on_date != day if self.weekday is None else self.weekday != day.weekday():
            return False
        return (self.valid_from or day) <= day <= (self.valid_until or day)

    def admits(self, visit_type_id: Hashable) -> bool:
        """Whether this type of visit is seen in these hours."""
        return not self.visit_type_ids or visit_type_id in self.visit_type_ids


@dataclass(frozen=True, slots=True)
class Closure:
    """Time taken out of the openings; epoch seconds, infinities allowed; kind is leave, holiday or anything else."""

    starts: float
    ends: float
    kind: str


class Busy(NamedTuple):
    """Time already taken in one lane, buffers included; epoch seconds. A plain row of the three does as well."""

    starts: int
    ends: int
    lane: int = 1


@dataclass(frozen=True, slots=True)
class VisitRule:
    """How long a type of visit takes, in minutes, and of which groups it needs one room or device each.

    Raises ValueError for a visit without length or a negative buffer.
    """

    visit_type_id: Hashable
    duration: int
    buffer_before: int = 0
    buffer_after: int = 0
    needs: tuple[Hashable, ...] = ()

    def __post_init__(self) -> None:
        if self.duration < 1 or self.buffer_before < 0 or self.buffer_after < 0:
            raise ValueError("A visit takes at least one minute and its buffers are not negative.")

    @property
    def seconds(self) -> tuple[int, int, int]:
        """The visit itself, the buffer before it and the buffer after it, in seconds."""
        return self.duration * 60, self.buffer_before * 60, self.buffer_after * 60


@dataclass(frozen=True, slots=True)
class Policy:
    """From when and until when a patient may book: now + lead time, up to and including today + horizon_days."""

    lead_minutes: int = 0
    horizon_days: int = 90
    max_per_day: int | None = None


class Room(NamedTuple):
    """A room or device that several doctors share: how many visits it takes at once, and what is taken of it."""

    id: Hashable
    group: Hashable
    places: int = 1
    busy: Iterable[tuple[int, int, int]] = ()


@dataclass(frozen=True, slots=True)
class Timetable:
    """All that is known of one doctor's time and, when somebody is booking, of the patient's.

    booked_per_day counts visits by local date in the clinic's zone.
    """

    zone: ZoneInfo
    openings: Sequence[Opening]
    closures: Sequence[Closure] = ()
    busy: Iterable[tuple[int, int, int]] = ()
    booked_per_day: Mapping[date, int] = field(default_factory=dict)
    patient_busy: Iterable[tuple[int, int, int]] = ()
    rooms: Sequence[Room] = ()


class Window(NamedTuple):
    """One opening as instants, with the date on which it begins; steady when its days keep one UTC offset."""

    opening: Opening
    day: date
    starts: int
    ends: int
    steady: bool


class Offer(NamedTuple):
    """A time the patient can have; the lowest free lane comes first."""

    starts: int
    ends: int
    occupied_from: int
    occupied_until: int
    free_lanes: tuple[int, ...]
    opening_id: Hashable

    @property
    def places_left(self) -> int:
        return len(self.free_lanes)

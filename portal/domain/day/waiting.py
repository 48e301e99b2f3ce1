"""How long somebody still waits, as an honest range: from what this doctor's visits took lately.

A visit of a type is expected to take what the middle half of the doctor's visits of that type took in the last 90 days
(25th to 75th percentile, from start to end); with fewer than eight of them, of all the doctor's visits; with fewer
than eight of those, what the type says. A range is the sum over those who are before one: its low end counts those who
are here, its high end also those who are still expected before, and nobody who keeps a booked time is promised less
than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal.core import clock
from portal.core.db import session
from portal.core.recent import Recent
from portal.core.text import gettext as say
from portal.core.text import ngettext

ENOUGH = 8  # visits, before what they took says something
LOOK_BACK = timedelta(days=90)
STEP = 5  # minutes: a range is said in these
IN_MINUTES = 90  # up to here minutes are said, hours above

_TOOK = text("""
SELECT doctor_id, visit_type_id, count(*) AS visits,
       percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - started_at) / 60) AS took
  FROM appointments
 WHERE doctor_id = ANY(CAST(:doctors AS uuid[])) AND status = 'completed' AND starts_at > :since
   AND ended_at - started_at BETWEEN interval '1 minute' AND interval '4 hours'
 GROUP BY GROUPING SETS ((doctor_id, visit_type_id), (doctor_id))
HAVING count(*) >= :enough
""")  # a visit of seconds or of half a day was clicked later, not measured


@dataclass(frozen=True, slots=True)
class Span:
    """So many minutes at least, so many at most as a rule."""

    low: float
    high: float

    def left_after(self, minutes: float) -> Span:
        """What is left of a visit that has lasted so long; one that takes longer than most still needs its end."""
        return Span(max(0.0, self.low - minutes), max(float(STEP), self.high - minutes))

    def __str__(self) -> str:
        return in_words(self)


NOTHING = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Typical:
    """What a doctor's visits took lately: of one type, and of all."""

    by_type: Mapping[UUID, Span] = field(default_factory=dict)
    of_all: Span | None = None

    def of(self, visit_type_id: UUID, duration: float) -> Span:
        """What a visit of this type, planned for `duration` minutes, is expected to take."""
        return self.by_type.get(visit_type_id) or self.of_all or Span(duration, duration)


@dataclass(frozen=True, slots=True)
class Step:
    """One who waits: what their visit takes, in how many minutes their booked time is (0: it has come, or they have
    none), what the visits of those may take who are still expected before them, and with whom they are seen."""

    takes: Span
    booked_in: float = 0
    may_come_before: float = 0
    group: Any = None


def along(line: Sequence[Step], inside: Iterable[Span] = ()) -> list[Span]:
    """How long each of a line waits until the doctor is free for them; `inside` is what is left of visits under way.

    Never negative, and never less for who stands further back, at neither end.
    """
    under_way = list(inside)
    low = min((span.low for span in under_way), default=0.0)
    high = max((span.high for span in under_way), default=0.0)
    found: list[Span] = []
    extra = 0.0
    group: Any = None
    before = NOTHING
    for step in line:
        if step.group is None or step.group != group:
            low, high = low + before.low, high + before.high
        high, extra, group, before = max(high, step.booked_in), max(extra, step.may_come_before), step.group, step.takes
        found.append(Span(low, max(high + extra, low)))
    return found


def rounded(span: Span) -> tuple[int, int]:
    """The range in whole STEPs: the low end down, the high end up."""
    return int(span.low // STEP) * STEP, int(-(-span.high // STEP)) * STEP


def in_words(span: Span) -> str:
    """The range as it is shown, such as "about 20 to 35 minutes"."""
    low, high = rounded(span)
    if high <= STEP:
        return say("a few minutes")
    if high <= IN_MINUTES:
        if not low:
            return ngettext("up to %(n)s minute", "up to %(n)s minutes", high)
        if low == high:
            return ngettext("about %(n)s minute", "about %(n)s minutes", high)
        return ngettext(
            "about %(low)s to %(high)s minute", "about %(low)s to %(high)s minutes", high, low=low, high=high
        )
    if not low:
        return say("up to %(time)s", time=_hours(high))
    return say("about %(low)s to %(high)s", low=_hours(low), high=_hours(high))


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return say("%(hours)s h %(minutes)s min", hours=hours, minutes=f"{rest:02}")


_known: Recent[UUID, Typical] = Recent(60)


def typical(doctor_ids: Iterable[UUID]) -> dict[UUID, Typical]:
    """What the visits of these doctors took lately; one statement, at most a minute old."""
    return _known.many(list(dict.fromkeys(doctor_ids)), _read)


def _read(doctor_ids: list[UUID]) -> dict[UUID, Typical]:
    values = {"doctors": doctor_ids, "since": clock.now() - LOOK_BACK, "enough": ENOUGH}
    by_type: dict[UUID, dict[UUID, Span]] = {doctor_id: {} for doctor_id in doctor_ids}
    of_all: dict[UUID, Span] = {}
    for row in session().execute(_TOOK, values):
        if row.visit_type_id is None:
            of_all[row.doctor_id] = Span(*row.took)
        else:
            by_type[row.doctor_id][row.visit_type_id] = Span(*row.took)
    return {doctor_id: Typical(by_type[doctor_id], of_all.get(doctor_id)) for doctor_id in doctor_ids}


def minutes_between(earlier: datetime, later: datetime) -> float:
    """Minutes from one moment to a later one; 0 when it is not later."""
    return max(0.0, (later - earlier).total_seconds() / 60)

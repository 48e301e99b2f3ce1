"""Up to which number everything is there: no event or notification with a smaller one can still appear.

Numbers are drawn in order, but transactions end in any order, so a reader who simply remembers the highest number seen
would miss what a slower transaction keeps later. Numbers without a gap are all there. Behind a gap one waits until
every transaction that was under way when the gap was seen is over; what is missing then was undone. (A transaction
that draws a number has its own already: the row that the event is about was written before.)
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sqlalchemy import text

from portal.core.db import session

LOOKBACK = 10_000  # numbers; nobody keeps one in hand while so many more are drawn
_LOOK = text(
    """
WITH top AS (
  SELECT greatest((SELECT max(seq) FROM events), (SELECT max(seq) FROM notifications), 0) AS seq),
base AS (SELECT greatest(least(CAST(:known AS bigint), seq), seq - :lookback) AS seq FROM top),
drawn AS (
  SELECT e.seq FROM events e, base WHERE e.seq > base.seq
  UNION ALL SELECT n.seq FROM notifications n, base WHERE n.seq > base.seq)
SELECT base.seq AS base, (SELECT coalesce(array_agg(drawn.seq ORDER BY drawn.seq), '{}') FROM drawn) AS drawn,
       pg_snapshot_xmin(snapshot)::text::bigint AS oldest, pg_snapshot_xmax(snapshot)::text::bigint AS next
  FROM base, pg_current_snapshot() AS snapshot
"""
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A gap below `upto`, settled once every transaction before `ended` is over."""

    upto: int
    ended: int


@dataclass(frozen=True, slots=True)
class Horizon:
    """Up to where all is there, and whether there is something behind it already."""

    upto: int
    more: bool


class Watch:
    """What one process knows of the numbers; safe for many threads."""

    def __init__(self) -> None:
        self._known = 0
        self._doubt: Doubt | None = None
        self._lock = threading.Lock()

    def look(self) -> Horizon:
        """How far one may read now, in one statement."""
        seen = session().execute(_LOOK, {"known": self._known, "lookback": LOOKBACK}).one()
        with self._lock:
            return self._judge(seen.base, seen.drawn, seen.oldest, seen.next)

    def _judge(self, base: int, drawn: list[int], oldest: int, following: int) -> Horizon:
        doubt = self._doubt
        if doubt and oldest >= doubt.ended:
            base, self._doubt = max(base, doubt.upto), None
        known = base
        for number in drawn:
            if number > known + 1:
                break
            known = max(known, number)
        top = drawn[-1] if drawn else known
        if known < top and self._doubt is None:
            if oldest >= following:  # nothing is under way at all
                known = top
            else:
                self._doubt = Doubt(top, following)
        self._known = known
        return Horizon(known, known < top)


watch = Watch()

"""Access: how long a patient who asks today waits for the third next free time, the standard measure of access.

The third, because the first two are often there by chance, freed by somebody who cancelled (Institute for Healthcare
Improvement; M. Murray and D. Berwick, JAMA 2003;289:1035).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text

from portal.core import clock
from portal.core.db import session
from portal.domain.insights.measures import MOST_DAYS_AHEAD, Access
from portal.domain.scheduling import rulebook, timetable
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment

THIRD = 3
_PER_DAY = text(
    """
SELECT a.practice_id, (a.starts_at AT TIME ZONE c.time_zone)::date AS day, count(*) AS number
  FROM appointments a JOIN clinics c ON c.id = a.clinic_id
 WHERE a.practice_id = ANY(:practices) AND a.status NOT IN ('cancelled', 'declined')
   AND a.starts_at > :begins AND a.starts_at < :until
 GROUP BY 1, 2
"""
)


def third_next(practice_ids: Sequence[UUID]) -> list[Access]:
    """For each type of visit that patients may book with these practices, by the clinic's order; three statements."""
    begins, until = clock.now() - timedelta(days=2), clock.now() + timedelta(days=MOST_DAYS_AHEAD + 2)
    books = rulebook.read(list(practice_ids), begins, until, also_unverified=True)
    booked = _booked_per_day(practice_ids)
    found: dict[str, list[tuple[Rulebook, TypeRules]]] = {}
    for practice_id in practice_ids:
        if book := books.get(practice_id):
            full = replace(book, timetable=replace(book.timetable, booked_per_day=booked.get(practice_id, {})))
            for kind in full.admitted():
                if kind.bookable_by == "anyone":
                    found.setdefault(kind.id, []).append((full, kind))
    return [_access(given) for given in found.values()]


def _booked_per_day(practice_ids: Sequence[UUID]) -> dict[UUID, dict[date, int]]:
    now = clock.now()
    values = {"practices": list(practice_ids), "begins": now - timedelta(days=2)}
    values["until"] = now + timedelta(days=MOST_DAYS_AHEAD + 2)
    found: dict[UUID, dict[date, int]] = {}
    for row in session().execute(_PER_DAY, values):
        found.setdefault(row.practice_id, {})[row.day] = row.number
    return found


def _access(given: Sequence[tuple[Rulebook, TypeRules]]) -> Access:
    now = int(clock.now().timestamp())
    firsts, thirds, days = [], [], []
    for book, kind in given:
        today = clock.today(book.zone)
        last = today + timedelta(days=MOST_DAYS_AHEAD)
        offers = timetable.next_free(book.timetable, kind.rule, today, last, now, kind.policy(), THIRD)
        firsts += [moment(offer.starts) for offer in offers[:1]]
        if len(offers) == THIRD:
            third = moment(offers[-1].starts)
            thirds.append(third)
            days.append((third.astimezone(book.zone).date() - today).days)
    kind = given[0][1]
    return Access(
        visit_type_id=UUID(kind.id),
        names={"en": kind.name, "fr": kind.name_fr, "ar": kind.name_ar},
        soonest=min(firsts, default=None),
        third_next=min(thirds, default=None),
        days=sum(days) / len(days) if days else None,
        doctors=len(given),
        doctors_without=len(given) - len(thirds),
    )

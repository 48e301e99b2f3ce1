"""Where free time begins: one row per practice and mode, never later than its true first free time.

Searches order by it and verify only what they show. Whatever frees time lowers it in the same transaction (`lower`);
what opens new hours does so by a task a moment later; the clock finds the true times again, those first that searches
meet first. Holds are overlooked: a time that is held now may be free in a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import or_, select, text

from portal.core import clock
from portal.core.db import new_id, session
from portal.core.events import Event
from portal.core.prepared import Prepared
from portal.core.tasks import task
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import rulebook, timetable
from portal.domain.scheduling.planning import FirstFree
from portal.domain.scheduling.rulebook import Rulebook, moment

ANY = "any"  # the row of whoever asks for no mode
DAYS = 60  # how far ahead is looked
LOOK_FIRST = 7  # days looked at before the rest
REACH = timedelta(hours=12)  # freed time may let a longer visit begin so much earlier
AT_ONCE = 100  # practices looked at in one statement
_SWEPT = 200  # rows the clock looks at again each time

_LOWER = Prepared(
    "first_free_lower",
    """
UPDATE first_free SET starts_at = :at
 WHERE id IN (SELECT f.id FROM first_free f JOIN practices p ON p.id = f.practice_id
               WHERE (p.doctor_id = :doctor_id OR p.clinic_id = :clinic_id)
                 AND (f.starts_at IS NULL OR f.starts_at > :at)
               ORDER BY f.id FOR UPDATE OF f)""",
)
_WRITE = Prepared(
    "first_free_write",
    """
INSERT INTO first_free (id, created_at, practice_id, mode, starts_at, checked_at)
SELECT id, created_at, practice_id, mode, starts_at, checked_at
  FROM jsonb_populate_recordset(NULL::first_free, CAST(:rows AS jsonb))
ON CONFLICT (practice_id, mode) DO UPDATE SET starts_at = EXCLUDED.starts_at, checked_at = EXCLUDED.checked_at""",
)


def lower(doctor_id: UUID, freed_from: datetime, *, clinic_id: UUID | None = None) -> None:
    """Time of a doctor is free again from here; with `clinic_id` a room, which every doctor there may have now."""
    _LOWER.run({"doctor_id": doctor_id, "clinic_id": clinic_id, "at": freed_from - REACH})


def refresh(practice_ids: Iterable[UUID]) -> int:
    """Find the true first free times of these practices; rows of what can no longer be booked go. Returns how many."""
    wanted = sorted(set(practice_ids))
    for start in range(0, len(wanted), AT_ONCE):
        _refresh(wanted[start : start + AT_ONCE])
    return len(wanted)


@task
def reconsider(event_id: str, subject_id: str) -> None:
    """Hours, visit types or practices have changed: look at everybody whom it may touch."""
    event = session().get(Event, UUID(event_id))
    if event is None:
        return
    ways = [Practice.id == UUID(subject_id)] if subject_id else []
    for column, named in ((Practice.id, "practice_id"), (Practice.doctor_id, "doctor_id")):
        if named in event.facts:
            ways.append(column == UUID(event.facts[named]))
    if not ways[1:] and event.clinic_id:
        ways.append(Practice.clinic_id == event.clinic_id)
    ways.append(Practice.doctor_id == UUID(subject_id))
    refresh(session().scalars(select(Practice.id).where(or_(*ways))))


@task
def sweep() -> None:
    """Look again at the rows searches meet first, at those looked at longest ago, and at practices without any."""
    soonest = select(FirstFree.practice_id).order_by(FirstFree.starts_at).limit(_SWEPT)
    oldest = select(FirstFree.practice_id).order_by(FirstFree.checked_at).limit(_SWEPT)
    known = select(FirstFree.id).where(FirstFree.practice_id == Practice.id)
    missing = select(Practice.id).where(Practice.is_active, ~known.exists()).limit(5 * _SWEPT)
    refresh(found for statement in (soonest, oldest, missing) for found in session().scalars(statement))


def _refresh(practice_ids: Sequence[UUID]) -> None:
    held = select(FirstFree).where(FirstFree.practice_id.in_(practice_ids)).order_by(FirstFree.id).with_for_update()
    gone = {(row.practice_id, row.mode): row.id for row in session().scalars(held)}  # whoever frees time waits here
    rows = _rows(practice_ids)
    for row in rows:
        gone.pop((row["practice_id"], row["mode"]), None)
    if rows:
        _WRITE.run({"rows": orjson.dumps(rows).decode()})
    if gone:
        session().execute(text("DELETE FROM first_free WHERE id = ANY(:ids)"), {"ids": list(gone.values())})


def _rows(practice_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What is to be written: at first a week is looked at, then the rest for whom it was full."""
    now, rows = clock.now(), {}
    wanting = list(practice_ids)
    for days in (LOOK_FIRST, DAYS):
        books = rulebook.read(wanting, now - timedelta(days=2), now + timedelta(days=days + 2), also_held=True)
        for practice_id, book in books.items():
            for mode, starts in _first(book, days).items():
                rows[practice_id, mode] = starts
        wanting = [practice_id for (practice_id, _mode), starts in rows.items() if starts is None]
        if not wanting:
            break
    return [
        {
            "id": new_id(),
            "created_at": now,
            "practice_id": practice_id,
            "mode": mode,
            "starts_at": starts,
            "checked_at": now,
        }
        for (practice_id, mode), starts in rows.items()
    ]


def _first(book: Rulebook, days: int) -> dict[str, datetime | None]:
    """For each mode this practice gives, and for any, the first free time; as availability.next_free chooses types."""
    kinds = [kind for kind in book.admitted() if kind.bookable_by == "anyone"]
    today, now = clock.today(book.zone), int(clock.now().timestamp())
    found: dict[str, datetime | None] = {}
    for mode in dict.fromkeys([ANY, *(kind.mode for kind in kinds)]):
        kind = next((kind for kind in kinds if mode in {ANY, kind.mode}), None)
        if kind is None:
            continue
        last = today + timedelta(days=days)
        offers = timetable.next_free(book.timetable, kind.rule, today, last, now, kind.policy())
        found[mode] = moment(offers[0].starts) if offers else None
    return found

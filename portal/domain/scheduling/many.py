"""The free times of many practices at once, for programs that compare: one statement, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core import clock
from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.scheduling import availability, rulebook, timetable
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment

MOST_PRACTICES = 50
MOST_DAYS = 14


@dataclass(frozen=True, slots=True)
class Free:
    """What is free at one practice for the visit type that was asked for, or the first its patients may book."""

    practice_id: UUID
    doctor_id: UUID
    visit_type_id: UUID
    zone: ZoneInfo
    times: tuple[tuple[datetime, datetime, int], ...]  # from, to, places left


def offers(
    practice_ids: Sequence[UUID],
    *,
    visit_type_id: UUID | None = None,
    mode: str | None = None,
    first: date | None = None,
    last: date | None = None,
) -> list[Free]:
    """The times patients can book now at these practices, in the order asked, on the local dates first to last.

    At most MOST_PRACTICES and MOST_DAYS, a week from today without dates. Without a visit type each practice answers
    for the first one that patients may book (in `mode` when given); what cannot be booked is left out. Raises Invalid
    for a last day that is before the first, or over everywhere.
    """
    wanted = list(dict.fromkeys(practice_ids))[:MOST_PRACTICES]
    days = availability.asked(first, last, clock.today(availability.LATEST_ZONE), MOST_DAYS)
    noon, margin = time(12, tzinfo=UTC), 2 * availability.MARGIN
    around = datetime.combine(days.first, noon) - margin, datetime.combine(days.last, noon) + margin
    books = rulebook.read(wanted, *around) if wanted else {}
    found = []
    for book in (books[key] for key in wanted if key in books):
        if kind := _kind(book, visit_type_id, mode):
            day = first or clock.today(book.zone)
            found.append(_of(book, kind, day, days.last if first or last else day + availability.A_WEEK))
    return found


def dates(zone: ZoneInfo, first: date | None, last: date | None) -> tuple[date, date]:
    """The days that are meant: a week from today in this zone unless dates say otherwise, at most 92 (or Invalid)."""
    days = availability.asked(first, last, clock.today(zone))
    return days.first, days.last


def practices_of(doctor_ids: Iterable[UUID]) -> list[UUID]:
    """The practices at which these public doctors can be booked, by doctor and age."""
    statement = (
        select(Practice.id)
        .join(Practice.doctor)
        .join(Practice.clinic)
        .where(Doctor.id.in_(list(doctor_ids)), Practice.is_active, Clinic.is_active, Doctor.public())
        .order_by(Doctor.id, Practice.created_at, Practice.id)
    )
    return list(session().scalars(statement))


def _kind(book: Rulebook, visit_type_id: UUID | None, mode: str | None) -> TypeRules | None:
    kinds = [kind for kind in book.admitted() if kind.bookable_by == "anyone" and mode in {None, kind.mode}]
    if visit_type_id:
        kinds = [kind for kind in kinds if kind.id == str(visit_type_id)]
    return kinds[0] if kinds else None


def _of(book: Rulebook, kind: TypeRules, first: date, last: date) -> Free:
    now = int(clock.now().timestamp())
    found = timetable.offers(book.timetable, kind.rule, first, last, now, kind.policy())
    times = tuple((moment(one.starts), moment(one.ends), len(one.free_lanes)) for one in found)
    return Free(book.practice_id, book.doctor_id, UUID(kind.id), book.zone, times)

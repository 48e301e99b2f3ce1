"""Which times can be booked now, and why another cannot. Slots are computed, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.text import lazy as _
from portal.domain.scheduling import rulebook, timetable
from portal.domain.scheduling.models import Appointment, VisitType
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Reason

MOST_DAYS = 92  # of free times in one answer
LOOK_FIRST = 7  # days looked at before the rest: most doctors have a free time within a week
MARGIN = timedelta(days=1)  # what is taken just outside the asked days may reach in with its buffers

SENTENCES = {
    Reason.PAST: _("This time has passed."),
    Reason.TOO_SOON: _("This time is too soon to book online. Please choose a later one or call the clinic."),
    Reason.TOO_FAR: _("This time is too far ahead to book yet."),
    Reason.NO_OPENING: _("The doctor does not receive at this time."),
    Reason.VISIT_TYPE_NOT_HERE: _("This type of visit is not given at this time."),
    Reason.NOT_ON_GRID: _("Visits do not begin at this minute."),
    Reason.CLOSED: _("The doctor is not available at this time."),
    Reason.LEAVE: _("The doctor is away at this time."),
    Reason.HOLIDAY: _("The clinic is closed on this day."),
    Reason.BUFFER: _("This time is too close to another visit."),
    Reason.TAKEN: _("This time has just been taken. Please choose another."),
    Reason.PATIENT_BUSY: _("There is already an appointment for this person at this time."),
    Reason.DAY_FULL: _("The doctor sees no more patients on this day."),
    Reason.OFFERED: _("This time is free."),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be booked now: aware UTC, with the places that are left."""

    practice_id: UUID
    visit_type_id: UUID
    starts_at: datetime
    ends_at: datetime
    places: int
    opening_id: str


def offers(
    actor: Actor,
    practice_id: UUID,
    visit_type_id: UUID,
    first: date,
    last: date,
    *,
    patient_id: UUID | None = None,
    moving: Appointment | None = None,
) -> list[Slot]:
    """The free times of a practice for a visit type on the local dates first to last (at most 92 days).

    With `patient_id` times at which the patient is elsewhere are left out; `moving` is an appointment whose own time
    counts as free. Raises NotFound for a practice or type that cannot be booked.
    """
    last = min(last, first + timedelta(days=MOST_DAYS - 1))
    begins, until = _around(first, last)
    book = rulebook.read_one(
        practice_id,
        begins,
        until,
        visit_type_id=visit_type_id,
        patient_id=patient_id,
        moving_id=moving.id if moving else None,
        also_unverified=_is_inside(actor),
    ) or refuse(NotFound)
    kind = book.type(visit_type_id) or refuse(NotFound)
    found = timetable.offers(
        book.timetable, kind.rule, first, last, _now(), kind.policy(for_desk=actor.works_at(book.clinic_id))
    )
    return [_slot(book, kind, offer) for offer in found]


def next_free(
    practice_ids: Sequence[UUID],
    *,
    visit_type_id: UUID | None = None,
    limit: int = 3,
    days: int = 60,
    mode: str | None = None,
) -> dict[UUID, list[Slot]]:
    """The next free times of many practices in at most two statements; a practice without any has an empty list.

    Without a visit type each practice answers for its first one that patients may book (in `mode` when given).
    """
    found: dict[UUID, list[Slot]] = {practice_id: [] for practice_id in practice_ids}
    for days_ahead in dict.fromkeys((min(LOOK_FIRST, days), days)):
        wanting = [practice_id for practice_id, slots in found.items() if len(slots) < limit]
        if not wanting:
            break
        today = clock.now().date()
        begins, until = _around(today, today + timedelta(days=days_ahead))
        for practice_id, book in rulebook.read(wanting, begins, until).items():
            found[practice_id] = _next_of(book, visit_type_id, mode, limit, days_ahead)
    return found


def explain(
    actor: Actor, practice_id: UUID, visit_type_id: UUID, starts_at: datetime, patient_id: UUID | None = None
) -> Reason:
    """Why this time can or cannot be booked, by the same function that computes the free times."""
    book = rulebook.read_one(
        practice_id,
        starts_at - MARGIN,
        starts_at + MARGIN,
        visit_type_id=visit_type_id,
        patient_id=patient_id,
        also_unverified=_is_inside(actor),
    ) or refuse(NotFound)
    kind = book.type(visit_type_id) or refuse(NotFound)
    policy = kind.policy(for_desk=actor.works_at(book.clinic_id))
    return timetable.explain(book.timetable, kind.rule, int(starts_at.timestamp()), _now(), policy)


def sentence_for(reason: Reason) -> Any:
    """The reason in a sentence a person can act on."""
    return SENTENCES[reason]


def bookable_types(practice_id: UUID, *, for_desk: bool = False) -> list[VisitType]:
    """The visit types this practice's openings take and patients (or the desk) may book, in the clinic's order."""
    now = clock.now()
    book = rulebook.read_one(practice_id, now, now + MARGIN, also_unverified=for_desk)
    if book is None:
        return []
    wanted = [kind.id for kind in book.admitted() if for_desk or kind.bookable_by == "anyone"]
    rows = {str(row.id): row for row in session().scalars(select(VisitType).where(VisitType.id.in_(wanted)))}
    return [rows[id_] for id_ in wanted]


def by_day(slots: Iterable[Slot], zone: str | ZoneInfo) -> dict[date, list[Slot]]:
    """The slots under their local date, in the order given."""
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    days: dict[date, list[Slot]] = {}
    for slot in slots:
        days.setdefault(slot.starts_at.astimezone(zone).date(), []).append(slot)
    return days


def alternatives(book: Rulebook, kind: TypeRules, near: datetime, limit: int = 3) -> list[datetime]:
    """The next free times around a refused one, in the clinic's time: on the same day and after, else from now on."""
    day = near.astimezone(book.zone).date()
    begins, until = _around(day, day + timedelta(days=14))
    fresh = rulebook.read_one(book.practice_id, begins, until, visit_type_id=UUID(kind.id), also_unverified=True)
    if fresh is None:
        return []
    policy, now = kind.policy(), _now()
    found = timetable.next_free(fresh.timetable, kind.rule, day, day + timedelta(days=14), now, policy, limit)
    if not found and near > clock.now():
        today = clock.today(book.zone)
        found = timetable.next_free(fresh.timetable, kind.rule, today, day, now, policy, limit)
    return [moment(offer.starts).astimezone(book.zone) for offer in found]


def _next_of(book: Rulebook, visit_type_id: UUID | None, mode: str | None, limit: int, days: int) -> list[Slot]:
    kinds = [kind for kind in book.admitted() if kind.bookable_by == "anyone" and mode in {None, kind.mode}]
    if visit_type_id:
        kinds = [kind for kind in kinds if kind.id == str(visit_type_id)]
    if not kinds:
        return []
    kind = kinds[0]
    today = clock.today(book.zone)
    last = today + timedelta(days=days)
    found = timetable.next_free(book.timetable, kind.rule, today, last, _now(), kind.policy(), limit)
    return [_slot(book, kind, offer) for offer in found]


def _slot(book: Rulebook, kind: TypeRules, offer: Offer) -> Slot:
    return Slot(
        practice_id=book.practice_id,
        visit_type_id=UUID(kind.id),
        starts_at=moment(offer.starts),
        ends_at=moment(offer.ends),
        places=len(offer.free_lanes),
        opening_id=str(offer.opening_id),
    )


def _around(first: date, last: date) -> tuple[datetime, datetime]:
    noon = time(12, tzinfo=clock.now().tzinfo)
    return datetime.combine(first, noon) - 2 * MARGIN, datetime.combine(last, noon) + 2 * MARGIN


def _is_inside(actor: Actor) -> bool:
    """Whether the actor works somewhere and so may look at doctors who are not public yet."""
    return actor.has_role("staff", "admin", "superadmin", "doctor")


def _now() -> int:
    return int(clock.now().timestamp())

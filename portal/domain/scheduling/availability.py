"""Which times can be booked now, and why another cannot. Slots are computed, never stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.days import Days
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.scheduling import rulebook, timetable
from portal.domain.scheduling.models import Appointment, VisitType
from portal.domain.scheduling.policy import works_on
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Reason

MOST = timedelta(days=91)  # from the first to the last day of one answer
A_WEEK = timedelta(days=6)  # from its first to its last day
FIRST_ZONE, LATEST_ZONE = "Etc/GMT-14", "Etc/GMT+12"  # where a date begins first and ends last of all on earth
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
    Reason.ROOM: _("Every room or device this visit needs is in use at this time."),
    Reason.PATIENT_BUSY: _("There is already an appointment for this person at this time."),
    Reason.DAY_FULL: _("The doctor sees no more patients on this day."),
    Reason.OFFERED: _("This time is free."),
}


class Slot(NamedTuple):
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
    moving_id = moving.id if moving else None
    book = _book(actor, practice_id, visit_type_id, first, last, patient_id=patient_id, moving_id=moving_id)
    return _offers(actor, book, visit_type_id, first, last)


def of_doctor(
    actor: Actor, doctor_id: UUID, practice_id: UUID, visit_type_id: UUID, first: date | None, last: date | None
) -> tuple[ZoneInfo, list[Slot]]:
    """The clinic's zone and the doctor's free times there, for a week from today unless dates say otherwise.

    At most 92 days. Raises NotFound as offers does, and for a practice of another doctor; Invalid for a last day that
    is before the first, or over.
    """
    read = asked(first, last, clock.today(LATEST_ZONE))
    book = _book(actor, practice_id, visit_type_id, read.first, read.last)
    allow(book.doctor_id == doctor_id, NotFound)
    days = asked(first, last, clock.today(book.zone))
    return book.zone, _offers(actor, book, visit_type_id, days.first, days.last)


def asked(first: date | None, last: date | None, today: date, most: int = MOST.days + 1) -> Days:
    """The days of an answer: a week from today unless dates say otherwise. Raises Invalid as Days does."""
    return Days.asked(first, last, today=today, length=A_WEEK.days + 1, most=most)


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
        begins, until = _around(clock.today(LATEST_ZONE), clock.today(FIRST_ZONE) + timedelta(days=days_ahead))
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
    policy = kind.policy(for_desk=works_on(actor, book.clinic_id))
    return timetable.explain(book.timetable, kind.rule, int(starts_at.timestamp()), _now(), policy)


def sentence_for(reason: Reason) -> Any:
    """The reason in a sentence a person can act on."""
    return SENTENCES[reason]


def bookable_types(practice_id: UUID, *, for_desk: bool = False, also: Collection[UUID] = ()) -> list[VisitType]:
    """The visit types this practice's openings take and patients (or the desk) may book, in the clinic's order.

    `also` are those the asker was invited to book.
    """
    now = clock.now()
    book = rulebook.read_one(practice_id, now, now + MARGIN, also_unverified=for_desk)
    if book is None:
        return []
    invited = {str(one) for one in also}
    wanted = [
        kind.id
        for kind in book.admitted()
        if for_desk or kind.bookable_by == "anyone" or (kind.bookable_by == "invited" and kind.id in invited)
    ]
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
    """The free times nearest to a refused one, in order and in the clinic's time.

    Those of its own day; when these are too few, of the week before and the fortnight after too; else of all days
    that can be booked.
    """
    day, today = near.astimezone(book.zone).date(), clock.today(book.zone)
    before, after = day - timedelta(days=7), day + timedelta(days=14)
    fresh = _again(book, kind, before, after)
    found = _free(fresh, kind, day, day)
    if len(found) < limit:
        found = _free(fresh, kind, before, after)
    if not found:
        last = today + timedelta(days=kind.policy().horizon_days)
        found = _free(_again(book, kind, today, last), kind, today, last)
    wished = near.timestamp()
    nearest = sorted(found, key=lambda offer: abs(offer.starts - wished))[:limit]
    return sorted(moment(offer.starts).astimezone(book.zone) for offer in nearest)


def _again(book: Rulebook, kind: TypeRules, first: date, last: date) -> Rulebook | None:
    """The practice as it is now on these days; None when it cannot be booked any more."""
    begins, until = _around(first, last)
    about = {"visit_type_id": UUID(kind.id), "patient_id": book.patient_id}
    return rulebook.read_one(book.practice_id, begins, until, also_unverified=True, **about)


def _free(book: Rulebook | None, kind: TypeRules, first: date, last: date) -> list[Offer]:
    return timetable.offers(book.timetable, kind.rule, first, last, _now(), kind.policy()) if book else []


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
    return _slots(book, kind, found)


def _book(actor: Actor, practice_id: UUID, visit_type_id: UUID, first: date, last: date, **more: Any) -> Rulebook:
    begins, until = _around(first, min(last, first + MOST))
    inside = _is_inside(actor)
    found = rulebook.read_one(practice_id, begins, until, visit_type_id=visit_type_id, also_unverified=inside, **more)
    return found or refuse(NotFound)


def _offers(actor: Actor, book: Rulebook, visit_type_id: UUID, first: date, last: date) -> list[Slot]:
    kind = book.type(visit_type_id) or refuse(NotFound)
    policy = kind.policy(for_desk=works_on(actor, book.clinic_id))
    return _slots(
        book, kind, timetable.offers(book.timetable, kind.rule, first, min(last, first + MOST), _now(), policy)
    )


def _slots(book: Rulebook, kind: TypeRules, offers: Iterable[Offer]) -> list[Slot]:
    practice_id, type_id = book.practice_id, UUID(kind.id)
    return [
        Slot(
            practice_id, type_id, moment(offer.starts), moment(offer.ends), len(offer.free_lanes), str(offer.opening_id)
        )
        for offer in offers
    ]


def _around(first: date, last: date) -> tuple[datetime, datetime]:
    noon = time(12, tzinfo=clock.now().tzinfo)
    return datetime.combine(first, noon) - 2 * MARGIN, datetime.combine(last, noon) + 2 * MARGIN


def _is_inside(actor: Actor) -> bool:
    """Whether the actor works somewhere and so may look at doctors who are not public yet."""
    return actor.has_role("staff", "admin", "superadmin", "doctor")


def _now() -> int:
    return int(clock.now().timestamp())

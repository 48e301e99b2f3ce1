"""Any doctor of a clinic: the free times of all who give a visit; who of them gets it is turns' to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.names import as_listed
from portal.core.policy import allow
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice, Specialty
from portal.domain.scheduling import availability, holds, policy, rulebook, timetable, turns
from portal.domain.scheduling.caps import SignInToHold
from portal.domain.scheduling.finding import DAYS, Week
from portal.domain.scheduling.models import Hold, VisitType
from portal.domain.scheduling.refusals import HoldExpired, NotOffered, NotSelfBookable, TimeTaken
from portal.domain.scheduling.rulebook import Rulebook, moment
from portal.domain.scheduling.timetable import Offer

SHOWN = 3  # other times named after a refusal
LEAST = 2  # doctors from which on "any of them" means something


class AnySlot(NamedTuple):
    """A time at which at least one of the doctors is free: aware UTC, the places left with all of them together."""

    starts_at: datetime
    ends_at: datetime
    places: int
    practice_ids: tuple[UUID, ...]
    opening_id: str = ""  # as a slot of one doctor has it; here they are several


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be asked of any doctor: a visit type in one field of medicine, with the practices that give it."""

    specialty: Specialty | None
    kind: VisitType
    practices: tuple[Practice, ...]

    @property
    def code(self) -> str:
        return self.specialty.code if self.specialty else ""

    @property
    def practice_ids(self) -> list[UUID]:
        return [practice.id for practice in self.practices]

    @property
    def prices(self) -> list[int]:
        """The different prices of the doctors in minor units, the lowest first; unknown ones are left out."""
        known = {policy.price_of(self.kind, practice) for practice in self.practices}
        return sorted(price for price in known if price is not None)


def choices(clinic_id: UUID) -> list[Choice]:
    """What patients may ask of any doctor of the clinic, field by field in the clinic's order of visit types.

    Only what at least two doctors give. A doctor of two fields stands in both; those without any stand together at the
    end. Four statements.
    """
    practices = _practices(clinic_id)
    now = clock.now()
    books = rulebook.read([one.id for one in practices], now, now + availability.MARGIN) if practices else {}
    gives = {
        key: {UUID(kind.id) for kind in book.admitted() if kind.bookable_by == "anyone"} for key, book in books.items()
    }
    rows = session().scalars(select(VisitType).where(VisitType.id.in_(set().union(*gives.values()))))
    kinds = sorted(rows, key=lambda kind: (kind.mode, kind.created_at, kind.id))
    fields = {field.id: field for one in practices for field in one.doctor.specialties}
    found = []
    for field in [*sorted(fields.values(), key=lambda one: one.code), None]:
        own = [one for one in practices if _is_of(one, field)]
        for kind in kinds:
            giving = tuple(one for one in own if kind.id in gives.get(one.id, ()))
            found += [Choice(field, kind, giving)] if len(giving) >= LEAST else []
    return found


def choice(clinic_id: UUID, visit_type_id: UUID, specialty: str = "") -> Choice:
    """One of these choices; raises NotFound for what cannot be asked."""
    known = (one for one in choices(clinic_id) if one.kind.id == visit_type_id and one.code == specialty)
    return next(known, None) or refuse(NotFound)


def offers(
    actor: Actor,
    clinic_id: UUID,
    visit_type_id: UUID,
    first: date,
    last: date,
    *,
    among: Sequence[UUID] | None = None,
    patient_id: UUID | None = None,
) -> list[AnySlot]:
    """The times at which any of the clinic's doctors (of `among` when given) is free for this type, in order.

    Local dates first to last, at most 92 days; one statement for all doctors, two more to find them.
    """
    last = min(last, first + availability.MOST)
    merged: dict[int, list[tuple[UUID, Offer]]] = {}
    for book in _books(clinic_id, among, first, last, visit_type_id, patient_id).values():
        for offer in _of_one(actor, book, visit_type_id, first, last):
            merged.setdefault(offer.starts, []).append((book.practice_id, offer))
    return [_slot(starts, merged[starts]) for starts in sorted(merged)]


def week(
    actor: Actor, of: Choice, zone: ZoneInfo, first: date | None = None, *, patient_id: UUID | None = None
) -> Week:
    """The free times of seven days with any of these doctors, as the pages of one doctor show them."""
    today = clock.today(zone)
    horizon = today + timedelta(days=of.kind.horizon_days)
    first = min(max(first or today, today), horizon)
    last = first + timedelta(days=DAYS - 1)
    slots = offers(actor, of.kind.clinic_id, of.kind.id, first, last, among=of.practice_ids, patient_id=patient_id)
    by_day = availability.by_day(slots, zone)  # type: ignore[arg-type]
    near = [] if slots else availability.next_free(of.practice_ids, visit_type_id=of.kind.id, limit=1).values()
    dates = [first + timedelta(days=ahead) for ahead in range(DAYS)]
    return Week(
        first=first,
        last=last,
        days=tuple((day, tuple(by_day.get(day, ()))) for day in dates),
        previous=max(today, first - timedelta(days=DAYS)) if first > today else None,
        next=last + timedelta(days=1) if last < horizon else None,
        next_free=min((found[0] for found in near if found), key=lambda slot: slot.starts_at, default=None),
        zone=zone,
    )


def ranked(
    actor: Actor,
    clinic_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    *,
    among: Sequence[UUID] | None = None,
    patient_id: UUID | None = None,
    hold_id: UUID | None = None,
) -> list[UUID]:
    """The practices that are free at this time, in turn.

    Raises NotFound, NotSelfBookable, and TimeTaken with other times when nobody is free. `hold_id` is a hold whose
    time counts as free.
    """
    zone = (session().get(Clinic, clinic_id) or refuse(NotFound)).zone
    monday = turns.monday_of(starts_at, zone)
    sunday = monday + timedelta(days=6)
    books = list(_books(clinic_id, among, monday, sunday, visit_type_id, patient_id, hold_id).values())
    allow(bool(books), NotFound)
    free = [book for book in books if _is_free(actor, book, visit_type_id, starts_at)]
    if not free:
        raise TimeTaken(_near(actor, books, visit_type_id, starts_at, zone))
    return turns.of_week(free, visit_type_id, monday, zone)


def choose(
    actor: Actor,
    clinic_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    *,
    among: Sequence[UUID] | None = None,
    patient_id: UUID | None = None,
) -> UUID:
    """The practice whose turn it is at this time (the rule: turns). Raises as `ranked` does."""
    return ranked(actor, clinic_id, visit_type_id, starts_at, among=among, patient_id=patient_id)[0]


def hold(actor: Actor, of: Choice, starts_at: datetime, token: str | None = None) -> tuple[Hold, str]:
    """Keep this time with the doctor whose turn it is; with the next in turn when somebody else was faster there.

    An earlier hold of `token` is given back. Raises as holds.place does.
    """
    keys = ranked(
        actor,
        of.kind.clinic_id,
        of.kind.id,
        starts_at,
        among=of.practice_ids,
        hold_id=_earlier(token),
    )
    wanted = {"visit_type_id": of.kind.id, "starts_at": starts_at, "token": token}
    for practice_id in keys[:-1]:
        try:
            with session().begin_nested():
                return holds.place(actor, practice_id=practice_id, **wanted)  # type: ignore[arg-type]
        except (NotOffered, SignInToHold):
            continue
    return holds.place(actor, practice_id=keys[-1], **wanted)  # type: ignore[arg-type]


def _earlier(token: str | None) -> UUID | None:
    try:
        return holds.look(token).id
    except HoldExpired:
        return None


def _practices(clinic_id: UUID) -> list[Practice]:
    """The clinic's public doctors with their fields, by name."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .join(Practice.clinic)
        .where(Practice.clinic_id == clinic_id, Practice.is_active, Clinic.is_active, Doctor.public())
        .options(contains_eager(Practice.clinic), contains_eager(Practice.doctor).selectinload(Doctor.specialties))
        .order_by(*as_listed(Doctor.family_name, Doctor.given_name), Practice.id)
    )
    return list(session().scalars(statement))


def _is_of(practice: Practice, field: Specialty | None) -> bool:
    fields = practice.doctor.specialties
    return not fields if field is None else field in fields


def _books(
    clinic_id: UUID,
    among: Sequence[UUID] | None,
    first: date,
    last: date,
    kind: UUID,
    patient_id: UUID | None,
    hold_id: UUID | None = None,
) -> dict[UUID, Rulebook]:
    """The rules of the clinic's practices (of `among`) that know this type, with a day on either side for buffers."""
    keys = list(among) if among is not None else [practice.id for practice in _practices(clinic_id)]
    if not keys:
        return {}
    noon, margin = time(12, tzinfo=UTC), 2 * availability.MARGIN
    begins, until = datetime.combine(first, noon) - margin, datetime.combine(last, noon) + margin
    found = rulebook.read(keys, begins, until, visit_type_id=kind, patient_id=patient_id, hold_id=hold_id)
    return {key: book for key, book in found.items() if book.clinic_id == clinic_id and book.type(kind)}


def _of_one(actor: Actor, book: Rulebook, visit_type_id: UUID, first: date, last: date) -> list[Offer]:
    kind = book.type(visit_type_id) or refuse(NotFound)
    for_desk = policy.works_on(actor, book.clinic_id)
    if kind.bookable_by != "anyone" and not for_desk:
        return []
    rules = kind.policy(for_desk=for_desk)
    return timetable.offers(book.timetable, kind.rule, first, last, _now(), rules)


def _is_free(actor: Actor, book: Rulebook, visit_type_id: UUID, starts_at: datetime) -> bool:
    kind = book.type(visit_type_id) or refuse(NotFound)
    for_desk = policy.works_on(actor, book.clinic_id)
    allow(kind.bookable_by == "anyone" or for_desk, NotSelfBookable)
    at, rules = int(starts_at.timestamp()), kind.policy(for_desk=for_desk)
    return isinstance(timetable.offer_at(book.timetable, kind.rule, at, _now(), rules), Offer)


def _near(
    actor: Actor, books: Iterable[Rulebook], visit_type_id: UUID, starts_at: datetime, zone: ZoneInfo
) -> list[datetime]:
    """Other times with any of them around the refused one, in the clinic's time."""
    day = starts_at.astimezone(zone).date()
    first, last = max(day - timedelta(days=1), clock.today(zone)), day + timedelta(days=3)
    free = {offer.starts for book in books for offer in _of_one(actor, book, visit_type_id, first, last)}
    near = sorted(free, key=lambda at: abs(at - starts_at.timestamp()))[:SHOWN]
    return [moment(at).astimezone(zone) for at in sorted(near)]


def _slot(starts: int, given: list[tuple[UUID, Offer]]) -> AnySlot:
    places = sum(len(offer.free_lanes) for _key, offer in given)
    ends = max(offer.ends for _key, offer in given)
    return AnySlot(moment(starts), moment(ends), places, tuple(key for key, _offer in given))


def _now() -> int:
    return int(clock.now().timestamp())

"""New times for visits that lose theirs: the nearest free ones, computed by the rules as they are when it is called.

However many visits there are, the rules are read once for each type of visit, and never two visits get one place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice, doctor_specialties
from portal.domain.scheduling import availability, rulebook, timetable
from portal.domain.scheduling.models import Appointment, Hold, Occupancy
from portal.domain.scheduling.rulebook import DESK_HORIZON, Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Policy, Timetable

FAR = 30  # days after the old time in which a new one is looked for, and before it when there is none
CHUNK = 7  # days that are looked at together
NOTICE = 4 * 60  # minutes: nobody is proposed a time that is sooner
Key = tuple[UUID, UUID]  # practice, visit type


@dataclass(frozen=True, slots=True)
class Found:
    """A free time for a visit, with the doctor's lane and the rooms or devices it takes."""

    visit_id: UUID
    patient_id: UUID
    practice_id: UUID
    visit_type_id: UUID
    doctor_id: UUID
    offer: Offer
    rooms: tuple[tuple[UUID, int], ...]

    @property
    def starts_at(self) -> datetime:
        return moment(self.offer.starts)


def search(visits: Sequence[Appointment], wanted: dict[UUID, datetime] | None = None) -> dict[UUID, Found]:
    """A free time for each visit that can have one within FAR days, by the visit's id.

    The same doctor's nearest day after the old time and on it the hour nearest to the old one; else a day before; else
    a colleague of the same specialty at the same clinic. `wanted` are times to be given again where they are free.
    """
    if not visits:
        return {}
    ground = _Ground(visits)
    ground.read({visit.practice_id for visit in visits})
    for visit in visits:
        again = (wanted or {}).get(visit.id)
        ground.give(visit, ground.at(visit, visit.practice_id, again) or ground.nearest(visit, [visit.practice_id]))
    left = [visit for visit in visits if visit.id not in ground.found]
    colleagues = _colleagues(left)
    ground.read({practice_id for found in colleagues.values() for practice_id in found})
    for visit in left:
        ground.give(visit, ground.nearest(visit, colleagues[visit.id]))
    return ground.found


def exactly(visit: Appointment, practice_id: UUID, starts_at: datetime) -> Found | timetable.Reason:
    """This time for this visit, or why it cannot be had."""
    ground = _Ground([visit], until=starts_at)
    ground.read({practice_id})
    return ground.ask(visit, practice_id, starts_at)


def places(visit: Appointment) -> list[Practice]:
    """The practices a visit can go to, its own first if it still receives, each with its doctor."""
    ids = _colleagues([visit])[visit.id]
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .join(Practice.clinic)
        .where(Practice.id.in_([visit.practice_id, *ids]), Practice.is_active, Clinic.is_active, Doctor.public())
        .options(joinedload(Practice.doctor))
    )
    found = session().scalars(statement.execution_options(populate_existing=True))
    return sorted(found, key=lambda place: (place.id != visit.practice_id, place.doctor.family_name, place.id))


class _Ground:
    """The rules of the practices that were read, and what was given away meanwhile."""

    def __init__(self, visits: Sequence[Appointment], until: datetime | None = None) -> None:
        self.visits = visits
        last = max(until or clock.now(), *(visit.starts_at for visit in visits))
        self.span = clock.now() - 2 * availability.MARGIN, last + timedelta(days=FAR + 2)
        self.books: dict[Key, Rulebook] = {}
        self.patients = _elsewhere(visits, *self.span)
        self.doctors: dict[UUID, list[tuple[int, int, int]]] = defaultdict(list)
        self.rooms: dict[UUID, list[tuple[int, int, int]]] = defaultdict(list)
        self.days: Counter[tuple[UUID, date]] = Counter()
        self.found: dict[UUID, Found] = {}

    def read(self, practice_ids: Iterable[UUID]) -> None:
        """Read the rules of these practices for every type that is asked for."""
        ids = list(practice_ids)
        for type_id in sorted({visit.visit_type_id for visit in self.visits}) if ids else ():
            found = rulebook.read(ids, *self.span, visit_type_id=type_id)
            self.books |= {(practice_id, type_id): book for practice_id, book in found.items()}

    def at(self, visit: Appointment, practice_id: UUID, starts_at: datetime | None) -> Found | None:
        found = self.ask(visit, practice_id, starts_at) if starts_at else None
        return found if isinstance(found, Found) else None

    def ask(self, visit: Appointment, practice_id: UUID, starts_at: datetime) -> Found | timetable.Reason:
        """The offer at exactly this moment, or the reason against it."""
        rules = self._rules(visit, practice_id)
        if rules is None:
            return timetable.Reason.NO_OPENING
        book, kind, table = rules
        now, starts = int(clock.now().timestamp()), int(starts_at.timestamp())
        offer = timetable.offer_at(table, kind.rule, starts, now, kind.policy(for_desk=True))
        return self._as_found(visit, book, kind, table, offer) if isinstance(offer, Offer) else offer

    def nearest(self, visit: Appointment, practice_ids: Sequence[UUID]) -> Found | None:
        """The best time at one of these practices: the one whose day is nearest, earlier practices first."""
        best: Found | None = None
        for practice_id in practice_ids:
            found = self._nearest(visit, practice_id)
            if found and (best is None or _distance(visit, found) < _distance(visit, best)):
                best = found
        return best

    def give(self, visit: Appointment, found: Found | None) -> None:
        """From now on this time is taken for everybody else, and the patient is there."""
        if found is None:
            return
        self.found[visit.id] = found
        offer, zone = found.offer, self.books[found.practice_id, found.visit_type_id].zone
        self.doctors[found.doctor_id].append((offer.occupied_from, offer.occupied_until, offer.free_lanes[0]))
        for room_id, lane in found.rooms:
            self.rooms[room_id].append((offer.occupied_from, offer.occupied_until, lane))
        self.patients[found.patient_id].append((offer.starts, offer.ends, 1))
        self.days[found.practice_id, found.starts_at.astimezone(zone).date()] += 1

    def _nearest(self, visit: Appointment, practice_id: UUID) -> Found | None:
        rules = self._rules(visit, practice_id)
        if rules is None:
            return None
        book, kind, table = rules
        policy = Policy(max(kind.lead_minutes, NOTICE), DESK_HORIZON, kind.most_per_day)
        now, was = int(clock.now().timestamp()), visit.starts_at.astimezone(book.zone)
        for first, last, backwards in _chunks(was.date(), clock.today(book.zone)):
            offers = timetable.offers(table, kind.rule, first, last, now, policy)
            if days := timetable.by_day(offers, book.zone):
                free = days[max(days) if backwards else min(days)]
                offer = min(free, key=lambda one: _apart(moment(one.starts).astimezone(book.zone), was))
                return self._as_found(visit, book, kind, table, offer)
        return None

    def _rules(self, visit: Appointment, practice_id: UUID) -> tuple[Rulebook, TypeRules, Timetable] | None:
        book = self.books.get((practice_id, visit.visit_type_id))
        kind = book.type(visit.visit_type_id) if book else None
        if book is None or kind is None:
            return None
        rooms = [room._replace(busy=[*room.busy, *self.rooms[UUID(str(room.id))]]) for room in book.timetable.rooms]
        days = Counter(book.timetable.booked_per_day)
        days.update({day: count for (practice, day), count in self.days.items() if practice == practice_id})
        busy = [*book.timetable.busy, *self.doctors[book.doctor_id]]
        there = self.patients[visit.patient_id]
        return book, kind, replace(book.timetable, busy=busy, booked_per_day=days, patient_busy=there, rooms=rooms)

    def _as_found(self, visit: Appointment, book: Rulebook, kind: TypeRules, table: Timetable, offer: Offer) -> Found:
        rooms = [free[0] for free in timetable.free_rooms(table, kind.rule, offer)]
        return Found(
            visit_id=visit.id,
            patient_id=visit.patient_id,
            practice_id=book.practice_id,
            visit_type_id=visit.visit_type_id,
            doctor_id=book.doctor_id,
            offer=offer,
            rooms=tuple((UUID(str(room)), lane) for room, lane in rooms),
        )


def _chunks(day: date, today: date) -> Iterator[tuple[date, date, bool]]:
    """The days around an old date as they are looked at: onwards from it, then back from it to today."""
    for ahead in range(0, FAR + 1, CHUNK):
        yield (
            max(day, today) + timedelta(days=ahead),
            max(day, today) + timedelta(days=min(ahead + CHUNK - 1, FAR)),
            False,
        )
    for back in range(1, FAR + 1, CHUNK):
        first, last = day - timedelta(days=min(back + CHUNK - 1, FAR)), day - timedelta(days=back)
        if last >= today:
            yield max(first, today), last, True


def _apart(one: datetime, other: datetime) -> int:
    """Minutes between two times of the day, whichever the days."""
    return abs((one.hour - other.hour) * 60 + one.minute - other.minute)


def _distance(visit: Appointment, found: Found) -> tuple[int, timedelta]:
    """After the old time rather than before, and near to it."""
    away = found.starts_at - visit.starts_at
    return (0 if away >= timedelta(0) else 1), abs(away)


def _elsewhere(
    visits: Sequence[Appointment], begins: datetime, until: datetime
) -> dict[UUID, list[tuple[int, int, int]]]:
    """When these patients are at other visits, or have times kept for them."""
    patients, hit = {visit.patient_id for visit in visits}, [visit.id for visit in visits]
    start, end = func.lower(Occupancy.during), func.upper(Occupancy.during)
    booked = select(Occupancy.resource_id, func.extract("epoch", start), func.extract("epoch", end)).where(
        Occupancy.resource_id.in_(patients),
        Occupancy.during.op("&&")(func.tstzrange(begins, until)),
        or_(Occupancy.appointment_id.is_(None), Occupancy.appointment_id.not_in(hit)),
    )
    kept = select(Hold.patient_id, func.extract("epoch", Hold.starts_at), func.extract("epoch", Hold.ends_at)).where(
        Hold.patient_id.in_(patients), Hold.expires_at > clock.now()
    )
    busy: dict[UUID, list[tuple[int, int, int]]] = defaultdict(list)
    for patient_id, starts, ends in session().execute(booked.union_all(kept)):
        busy[patient_id].append((int(starts), int(ends), 1))
    return busy


def _colleagues(visits: Sequence[Appointment]) -> dict[UUID, list[UUID]]:
    """For each visit the practices at its clinic whose doctors have a specialty of its doctor."""
    found: dict[UUID, list[UUID]] = {visit.id: [] for visit in visits}
    if not visits:
        return found
    own, theirs = doctor_specialties.alias("own"), doctor_specialties.alias("theirs")
    statement = (
        select(own.c.doctor_id, Practice.clinic_id, Practice.id)
        .distinct()
        .join(theirs, theirs.c.specialty_id == own.c.specialty_id)
        .join(Practice, Practice.doctor_id == theirs.c.doctor_id)
        .join(Doctor, Doctor.id == Practice.doctor_id)
        .where(
            own.c.doctor_id.in_({visit.doctor_id for visit in visits}),
            Practice.clinic_id.in_({visit.clinic_id for visit in visits}),
            Practice.doctor_id != own.c.doctor_id,
            Practice.is_active,
            Doctor.public(),
        )
    )
    rows = session().execute(statement).all()
    for visit in visits:
        found[visit.id] = sorted(row.id for row in rows if row[:2] == (visit.doctor_id, visit.clinic_id))
    return found

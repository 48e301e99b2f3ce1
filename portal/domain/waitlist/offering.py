"""Offering freed time to those who wait.

The rule, the same that people read on the page: the more urgent first, then who joined earlier; the first of them for
whom the time is right gets it. Right means: within their dates and hours, a time patients can book now for that type
of visit, at which the patient is nowhere else, earlier than the visit it would move, and not one they let pass before.

An offer holds its time until it ends, so one time is never offered to two people. When it ends unanswered or is
declined, the same transaction gives the time back and offers it to the next. In the clinic's quiet hours nothing goes
out: a task looks again when they are over, and until then anybody can book the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import NOBODY, SYSTEM, Actor
from portal.core.db import session
from portal.core.errors import NotFound, Refused, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.tasks import later, task
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import availability, holds, policy, taking
from portal.domain.scheduling.availability import Slot
from portal.domain.scheduling.models import Hold
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from portal.domain.waitlist.wishes import NotWaiting, OfferStands, suits

MOST_ENTRIES = 500  # looked at for one freed time
MOST_TRIES = 10  # free times tried for one entry
GRACE = timedelta(minutes=2)  # the time is kept so much longer than the offer stands, so that it can go to the next


class Freed(NamedTuple):
    """Time of a practice that can be given again; with `opening_id` only that of this opening."""

    clinic_id: UUID
    practice_id: UUID
    begins: datetime
    until: datetime
    opening_id: str | None = None


@task
def look_again(clinic_id: str, practice_id: str, begins: str, until: str, opening_id: str | None = None) -> None:
    """Offer what is still free of this time: after quiet hours, or when somebody's hold on it has ended."""
    fresh = datetime.fromisoformat
    look(Freed(UUID(clinic_id), UUID(practice_id), fresh(begins), fresh(until), opening_id))


@task
def expire(offer_id: str) -> None:
    """The offer has ended without an answer, and its time goes to the next."""
    offer = locked_offer(UUID(offer_id))
    if offer is None or offer.state != "open" or offer.expires_at > clock.now():
        return
    offer.state, offer.answered_at = "expired", clock.now()
    about = {"patient_id": offer.entry.patient_id, "clinic_id": offer.entry.clinic_id}
    record(SYSTEM, "waitlist.expired", offer, **about, entry_id=offer.entry_id)


@task
def pass_on(event_id: str, offer_id: str) -> None:
    """Give back the time of an offer that has ended, and offer it to the next in the same moment."""
    offer = locked_offer(UUID(offer_id))
    if offer is None or offer.state in {"open", "accepted"}:
        return
    if offer.hold_id:
        holds.give_back(offer.hold_id)
    look(Freed(offer.entry.clinic_id, offer.practice_id, offer.starts_at, offer.ends_at))


def look(freed: Freed) -> list[WaitlistOffer]:
    """Offer this time to those who wait for it, each an hour of its own; returns the offers made."""
    clinic = session().get(Clinic, freed.clinic_id)
    freed = freed._replace(begins=max(freed.begins, clock.now()))
    if clinic is None or not clinic.is_active or freed.until <= freed.begins:
        return []
    taking.one_at_a_time("waitlist", clinic.id)
    waiting = _waiting(freed, clinic.zone)
    if not waiting:
        return []
    if wakes := quiet_until(clinic):
        _look_later(freed, wakes)
        return []
    free = _FreeTimes(freed, clinic.zone)
    made = [offer for entry in waiting if (offer := _first_fitting(entry, free, clinic))]
    _after_others_holds(freed)
    return made


def by_hand(actor: Actor, entry_id: UUID | str, *, practice_id: UUID, starts_at: datetime) -> WaitlistOffer:
    """The clinic offers a free time to somebody it chooses, at once, in quiet hours too.

    Raises NotFound, Forbidden, NotWaiting, OfferStands, NotOffered or TimeTaken.
    """
    entry = authority.find(actor, WaitlistEntry, entry_id, lock=True)
    allow(policy.works_on(actor, entry.clinic_id))
    allow(entry.state == "waiting", NotWaiting)
    allow(not _is_offered(entry.id), OfferStands)
    practice = session().get(Practice, practice_id)
    right = practice and practice.clinic_id == entry.clinic_id and entry.practice_id in {None, practice.id}
    allow(bool(right), NotFound)
    clinic = session().get(Clinic, entry.clinic_id) or refuse(NotFound)
    return _offer(actor, entry, practice_id, starts_at, clinic)


def quiet_until(clinic: Clinic) -> datetime | None:
    """When the clinic's quiet hours end, if it is in them now."""
    local = clock.now().astimezone(clinic.zone)
    begins, ends, wall = clinic.quiet_from, clinic.quiet_until, local.time().replace(tzinfo=None)
    is_quiet = begins <= wall < ends if begins < ends else begins != ends and (wall >= begins or wall < ends)
    if not is_quiet:
        return None
    day = local.date() if wall < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, clinic.zone).astimezone(UTC)


class _FreeTimes:
    """The times of one practice that patients can book in the freed time, by visit type; read once, until one goes."""

    def __init__(self, freed: Freed, zone: ZoneInfo) -> None:
        self.freed, self.zone = freed, zone
        self._known: dict[UUID, list[Slot]] = {}

    def of(self, visit_type_id: UUID) -> list[Slot]:
        if visit_type_id not in self._known:
            self._known[visit_type_id] = self._read(visit_type_id)
        return self._known[visit_type_id]

    def forget(self) -> None:
        self._known.clear()

    def _read(self, visit_type_id: UUID) -> list[Slot]:
        freed = self.freed
        first, last = (at.astimezone(self.zone).date() for at in (freed.begins, freed.until))
        last = min(last, first + availability.MOST)
        try:
            slots = availability.offers(NOBODY, freed.practice_id, visit_type_id, first, last)
        except NotFound:
            return []
        touched = [slot for slot in slots if slot.starts_at < freed.until and slot.ends_at > freed.begins]
        return [slot for slot in touched if freed.opening_id in {None, slot.opening_id}]


def _waiting(freed: Freed, zone: ZoneInfo) -> list[WaitlistEntry]:
    """Those for whom the freed time could be, in the order of the rule; nobody who has an open offer."""
    begins, until = (at.astimezone(zone).date() for at in (freed.begins, freed.until))
    offered = exists().where(WaitlistOffer.entry_id == WaitlistEntry.id, WaitlistOffer.state == "open")
    statement = (
        select(WaitlistEntry)
        .where(
            WaitlistEntry.clinic_id == freed.clinic_id,
            or_(WaitlistEntry.practice_id.is_(None), WaitlistEntry.practice_id == freed.practice_id),
            WaitlistEntry.state == "waiting",
            WaitlistEntry.first <= until,
            WaitlistEntry.last >= begins,
            ~offered,
        )
        .options(joinedload(WaitlistEntry.moves))
        .order_by(WaitlistEntry.rank, WaitlistEntry.created_at, WaitlistEntry.id)
        .limit(MOST_ENTRIES)
    )
    return list(session().scalars(statement))


def _first_fitting(entry: WaitlistEntry, free: _FreeTimes, clinic: Clinic) -> WaitlistOffer | None:
    """The first free time that is right for this entry, offered to it; None when there is none."""
    slots = [slot for slot in free.of(entry.visit_type_id) if suits(entry, slot.starts_at, slot.ends_at, free.zone)]
    if not slots or not _still_waits(entry):
        return None
    passed = _let_pass(entry)
    right = (slot for slot in slots if (slot.practice_id, slot.starts_at) not in passed)
    for slot in _some(right, MOST_TRIES):
        try:
            offer = _offer(SYSTEM, entry, slot.practice_id, slot.starts_at, clinic)
        except Refused:
            continue  # the patient is elsewhere then, or somebody was faster
        free.forget()
        return offer
    return None


def _offer(actor: Actor, entry: WaitlistEntry, practice_id: UUID, starts_at: datetime, clinic: Clinic) -> WaitlistOffer:
    """Hold the time for the entry's patient and offer it; raises NotOffered or TimeTaken."""
    ends = min(clock.now() + timedelta(minutes=clinic.offer_minutes), starts_at)
    hold = holds.keep(
        practice_id=practice_id,
        visit_type_id=entry.visit_type_id,
        starts_at=starts_at,
        patient_id=entry.patient_id,
        until=min(ends + GRACE, starts_at),
        moving_id=entry.moves_id,
    )
    offer = WaitlistOffer(
        entry_id=entry.id,
        practice_id=practice_id,
        hold_id=hold.id,
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        expires_at=ends,
    )
    session().add(offer)
    session().flush()
    later(expire, offer.id, key=f"waitlist.expire:{offer.id}", due_at=ends)
    about = {"patient_id": entry.patient_id, "clinic_id": entry.clinic_id, "entry_id": entry.id}
    record(actor, "waitlist.offered", offer, **about, starts_at=offer.starts_at, expires_at=ends)
    return offer


def _still_waits(entry: WaitlistEntry) -> bool:
    """Whether it waits and has no offer, looked at again with the entry locked; one that is being answered is not."""
    locked = (
        select(WaitlistEntry.state)
        .where(WaitlistEntry.id == entry.id)
        .with_for_update(skip_locked=True, of=WaitlistEntry)
    )
    return session().scalar(locked) == "waiting" and not _is_offered(entry.id)


def _is_offered(entry_id: UUID) -> bool:
    open_ = exists().where(WaitlistOffer.entry_id == entry_id, WaitlistOffer.state == "open")
    return bool(session().scalar(select(open_)))


def _let_pass(entry: WaitlistEntry) -> set[tuple[UUID, datetime]]:
    passed = WaitlistOffer.entry_id == entry.id, WaitlistOffer.state.in_(("declined", "expired"))
    return {
        (row[0], row[1])
        for row in session().execute(select(WaitlistOffer.practice_id, WaitlistOffer.starts_at).where(*passed))
    }


def locked_offer(offer_id: UUID) -> WaitlistOffer | None:
    """The offer with its entry, both locked, the entry first: the order in which everybody takes them."""
    entry = (
        select(WaitlistEntry)
        .join(WaitlistOffer, WaitlistOffer.entry_id == WaitlistEntry.id)
        .where(WaitlistOffer.id == offer_id)
        .with_for_update(of=WaitlistEntry)
        .execution_options(populate_existing=True)
    )
    if session().scalars(entry).one_or_none() is None:
        return None
    statement = select(WaitlistOffer).where(WaitlistOffer.id == offer_id).with_for_update(of=WaitlistOffer)
    whole = statement.options(joinedload(WaitlistOffer.entry)).execution_options(populate_existing=True)
    return session().scalars(whole).one_or_none()


def _look_later(freed: Freed, when: datetime) -> None:
    args = (freed.clinic_id, freed.practice_id, freed.begins.isoformat(), freed.until.isoformat(), freed.opening_id)
    times = "-".join(f"{at:%Y%m%d%H%M%S}" for at in (freed.begins, freed.until, when))
    key = f"waitlist.look:{freed.practice_id}:{freed.opening_id or ''}:{times}"
    later(look_again, *args, key=key, due_at=when)


def _after_others_holds(freed: Freed) -> None:
    """Time that somebody holds while they book comes free again when they do not: look once more then."""
    held = select(func.max(Hold.expires_at)).where(
        Hold.practice_id == freed.practice_id,
        Hold.patient_id.is_(None),
        Hold.starts_at < freed.until,
        Hold.ends_at > freed.begins,
        Hold.expires_at > clock.now(),
    )
    if until := session().scalar(held):
        _look_later(freed, until + timedelta(seconds=1))


def _some(slots: Iterator[Slot], most: int) -> Iterator[Slot]:
    for _number, slot in zip(range(most), slots, strict=False):
        yield slot

"""Reading the waitlist: mine, a clinic's, one place on it, and how many are before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from portal.core import clock, paging
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.names import as_listed
from portal.core.paging import Page
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients.models import Patient
from portal.domain.patients.reach import reaches
from portal.domain.scheduling import availability
from portal.domain.scheduling.availability import Slot
from portal.domain.scheduling.models import Appointment
from portal.domain.waitlist.models import URGENCIES, WaitlistEntry, WaitlistOffer
from portal.domain.waitlist.wishes import suits

SHOWN_ENDED = 5  # ended places still shown to the patient
MOST_FREE = 12  # free times shown to choose from by hand
LOOKED_AT = 60  # free times of one practice that are looked at for that

WHOLE = (
    joinedload(WaitlistEntry.clinic),
    joinedload(WaitlistEntry.patient),
    joinedload(WaitlistEntry.visit_type),
    joinedload(WaitlistEntry.practice).joinedload(Practice.doctor),
    joinedload(WaitlistEntry.moves).joinedload(Appointment.doctor),
)


@dataclass(frozen=True)
class Place:
    """One place on the waitlist as it is shown: what is offered to it now, and how many are before it."""

    entry: WaitlistEntry
    offer: WaitlistOffer | None
    before: int


def find(actor: Actor, entry_id: UUID | str) -> Place:
    """One place on the waitlist; raises NotFound when it is not the actor's."""
    return _places([authority.find(actor, WaitlistEntry, entry_id, *WHOLE)])[0]


def find_offer(actor: Actor, offer_id: UUID | str) -> WaitlistOffer:
    """An offer with its entry, doctor and clinic; raises NotFound when it is not the actor's."""
    whole = joinedload(WaitlistOffer.entry).options(*WHOLE)
    practice = joinedload(WaitlistOffer.practice).options(joinedload(Practice.doctor), joinedload(Practice.clinic))
    return authority.find(actor, WaitlistOffer, offer_id, whole, practice)


def mine(actor: Actor) -> list[Place]:
    """The places of the actor and of those they look after: waiting ones first, then the last ended."""
    ours = reaches(actor, "view", WaitlistEntry.patient_id, WaitlistEntry.clinic_id)
    ended = WaitlistEntry.state != "waiting"
    newest = select(WaitlistEntry).where(ours).options(*WHOLE).order_by(WaitlistEntry.created_at.desc())
    waiting = list(session().scalars(newest.where(~ended)))
    return _places(waiting + list(session().scalars(newest.where(ended).limit(SHOWN_ENDED))))


def offered(actor: Actor) -> list[WaitlistOffer]:
    """The times that are kept now for the actor and those they look after, in one statement; the first to end first."""
    whole = contains_eager(WaitlistOffer.entry).joinedload(WaitlistEntry.clinic)
    statement = (
        select(WaitlistOffer)
        .join(WaitlistOffer.entry)
        .where(
            reaches(actor, "view", WaitlistEntry.patient_id, WaitlistEntry.clinic_id),
            WaitlistOffer.state == "open",
            WaitlistOffer.expires_at > clock.now(),
        )
        .options(whole)
        .order_by(WaitlistOffer.expires_at, WaitlistOffer.id)
    )
    return list(session().scalars(statement))


def for_visit(actor: Actor, appointment_id: UUID) -> WaitlistEntry | None:
    """The place that waits for an earlier time for this visit, if there is one the actor may see."""
    waits = WaitlistEntry.moves_id == appointment_id, WaitlistEntry.state == "waiting", WaitlistEntry.visible(actor)
    return session().scalars(select(WaitlistEntry).where(*waits)).first()


def of_clinics(
    actor: Actor,
    clinic_ids: Sequence[UUID],
    *,
    practice_id: UUID | None = None,
    urgency: str | None = None,
    text: str = "",
    ended: bool = False,
    after: str | None = None,
    limit: int = 25,
) -> Page[Place]:
    """Who waits at these clinics, in the order in which offers go out; or, with `ended`, who does not any more."""
    state = WaitlistEntry.state != "waiting" if ended else WaitlistEntry.state == "waiting"
    statement = select(WaitlistEntry).where(
        WaitlistEntry.clinic_id.in_(clinic_ids), WaitlistEntry.visible(actor), state
    )
    if practice_id:
        statement = statement.where(_for_practice(practice_id))
    if urgency in URGENCIES:
        statement = statement.where(WaitlistEntry.urgency == urgency)
    for word in text.lower().split()[:6]:
        named = select(Patient.id).where(Patient.search_name.contains(word, autoescape=True))
        statement = statement.where(WaitlistEntry.patient_id.in_(named))
    keys = [WaitlistEntry.rank, WaitlistEntry.created_at, WaitlistEntry.id]
    found = paging.page(statement.options(*WHOLE), keys, after=after, limit=limit)
    return Page(_places(found.items), found.next)


def practices_of(clinic_ids: Sequence[UUID]) -> list[Practice]:
    """The practices of these clinics by the doctor's name, with doctor and clinic."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .where(Practice.clinic_id.in_(clinic_ids), Practice.is_active)
        .options(joinedload(Practice.doctor), joinedload(Practice.clinic))
        .order_by(*as_listed(Doctor.family_name, Doctor.given_name), Practice.id)
    )
    return list(session().scalars(statement))


def clinics_of(actor: Actor) -> list[Clinic]:
    """The clinics whose waitlist the actor keeps, by name."""
    statement = select(Clinic).where(Clinic.is_active).order_by(*as_listed(Clinic.name), Clinic.id)
    if not actor.is_superadmin:
        statement = statement.where(Clinic.id.in_(actor.clinics_as("staff", "admin", "doctor")))
    return list(session().scalars(statement))


def offers_of(entry: WaitlistEntry) -> list[WaitlistOffer]:
    """What was offered to it, latest first."""
    statement = select(WaitlistOffer).where(WaitlistOffer.entry_id == entry.id)
    whole = joinedload(WaitlistOffer.practice).joinedload(Practice.doctor)
    return list(session().scalars(statement.options(whole).order_by(WaitlistOffer.created_at.desc()).limit(20)))


def free_for(entry: WaitlistEntry) -> list[Slot]:
    """The free times that suit this entry now, soonest first; those of the doctor it waits for, or of any there."""
    if entry.state != "waiting":
        return []
    practices = [entry.practice_id] if entry.practice_id else _practices_at(entry.clinic_id)
    zone = entry.clinic.zone
    days = max((entry.last - clock.today(zone)).days, 0)
    free = availability.next_free(practices, visit_type_id=entry.visit_type_id, limit=LOOKED_AT, days=min(days, 91))
    slots = [slot for found in free.values() for slot in found if suits(entry, slot.starts_at, slot.ends_at, zone)]
    return sorted(slots, key=lambda slot: slot.starts_at)[:MOST_FREE]


def _places(entries: Sequence[WaitlistEntry]) -> list[Place]:
    ids = [entry.id for entry in entries]
    open_ = select(WaitlistOffer).where(WaitlistOffer.entry_id.in_(ids), WaitlistOffer.state == "open")
    offers = {offer.entry_id: offer for offer in session().scalars(open_)} if ids else {}
    before = _before(ids)
    return [Place(entry, offers.get(entry.id), before.get(entry.id, 0)) for entry in entries]


def _before(ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many who wait for the same doctor get their offers first: the more urgent, then who joined earlier."""
    if not ids:
        return {}
    me, other = aliased(WaitlistEntry), aliased(WaitlistEntry)
    shares = or_(me.practice_id.is_(None), other.practice_id.is_(None), me.practice_id == other.practice_id)
    earlier = or_(
        other.rank < me.rank,
        (other.rank == me.rank) & (other.created_at < me.created_at),
        (other.rank == me.rank) & (other.created_at == me.created_at) & (other.id < me.id),
    )
    ahead = (
        select(func.count())
        .where(other.clinic_id == me.clinic_id, other.state == "waiting", other.last >= me.first, shares, earlier)
        .correlate(me)
        .scalar_subquery()
    )
    found = session().execute(select(me.id, ahead).where(me.id.in_(ids), me.state == "waiting"))
    return {row[0]: row[1] for row in found}


def _for_practice(practice_id: UUID) -> ColumnElement[bool]:
    clinic = select(Practice.clinic_id).where(Practice.id == practice_id).scalar_subquery()
    return or_(
        WaitlistEntry.practice_id == practice_id,
        WaitlistEntry.practice_id.is_(None) & (WaitlistEntry.clinic_id == clinic),
    )


def _practices_at(clinic_id: UUID) -> list[UUID]:
    return list(session().scalars(select(Practice.id).where(Practice.clinic_id == clinic_id, Practice.is_active)))

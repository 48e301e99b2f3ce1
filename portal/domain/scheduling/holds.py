"""Holds: a time kept for someone for a few minutes, through sign-in and forms."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from portal.core import clock, limits, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.policy import allow
from portal.domain.doctors.models import Practice
from portal.domain.patients import care
from portal.domain.scheduling import availability, caps, granting, policy, rulebook, taking, timetable
from portal.domain.scheduling.caps import SignInToKeep
from portal.domain.scheduling.models import Hold, Occupancy
from portal.domain.scheduling.refusals import HoldExpired, NotOffered, NotSelfBookable, TimeTaken
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Reason

PER_STRANGER = "120 per 10 minutes"  # how often time is taken and given back from one place without an account
MOST_OPEN = 5  # holds one account keeps at once
LONGEST = timedelta(minutes=30)  # in all, however often it is asked for longer
_minutes = 10


def last_for(minutes: int) -> None:
    """Say at start how long a hold lasts."""
    global _minutes
    _minutes = minutes


def place(
    actor: Actor,
    *,
    practice_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    patient_id: UUID | None = None,
    token: str | None = None,
) -> tuple[Hold, str]:
    """Keep this time for whoever has the token; an earlier hold of the same `token` is given back.

    Anyone may hold, signed in or not, as much as caps admits. Returns the hold and its (new) token. The same time held
    anew is held no longer than before. `patient_id` is who comes, and must be free then; without it whoever alone can
    come (policy.who_comes), else booking looks at that. Raises NotFound, Forbidden, NotSelfBookable, NotOffered,
    TimeTaken, TooManyHolds, SignInToHold or TooManyAhead.
    """
    here = caps.place_of(actor)
    if here:
        limits.hit(PER_STRANGER, "hold", actor.place)
    earlier = _by_token(token) if token else None
    begins, until = starts_at - availability.MARGIN, starts_at + availability.MARGIN
    book = rulebook.read_one(
        practice_id,
        begins,
        until,
        visit_type_id=visit_type_id,
        patient_id=patient_id or policy.who_comes(actor),
        hold_id=earlier.id if earlier else None,
        booker_id=actor.user_id,
        place=here,
        starts_at=starts_at,
        after=taking.one_holds(practice_id, actor.user_id, here),
    ) or refuse(NotFound)
    kind = book.type(visit_type_id) or refuse(NotFound)
    if patient_id and patient_id not in actor.cares_for("book", at=book.clinic_id):
        care.of_clinic(actor, patient_id, book.clinic_id)
        allow(policy.may_book_for(actor, patient_id, book.clinic_id))
    for_desk = policy.works_on(actor, book.clinic_id)
    allow(granting.may_hold(actor, kind, book, for_desk=for_desk), NotSelfBookable)
    starts = int(starts_at.timestamp())
    offer = timetable.offer_at(
        book.timetable, kind.rule, starts, int(clock.now().timestamp()), kind.policy(for_desk=for_desk)
    )
    if isinstance(offer, Reason):
        raise NotOffered(offer, availability.alternatives(book, kind, starts_at))
    caps.check_hold(actor, book, kind, starts_at, for_desk=for_desk)
    since, until = _lasts(actor, earlier, practice_id, starts_at)
    if earlier:
        session().execute(delete(Hold).where(Hold.id == earlier.id))
    _few_open(actor)
    hold, new_token = _make(actor, practice_id, visit_type_id, offer, since, until)
    _occupy(book, kind, offer, hold)
    return hold, new_token


def keep(
    *,
    practice_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    patient_id: UUID,
    until: datetime,
    moving_id: UUID | None = None,
) -> Hold:
    """The portal keeps a time for a patient until then: an offer of the waitlist, a new time for a visit that is hit.

    The clinic's own rules hold, not the patients' limits; the patient is free then, `moving_id` aside. Nobody but
    booking with its id can use it. Raises NotFound, NotOffered or TimeTaken.
    """
    begins, end = starts_at - availability.MARGIN, starts_at + availability.MARGIN
    options = {"visit_type_id": visit_type_id, "patient_id": patient_id, "moving_id": moving_id}
    book = rulebook.read_one(practice_id, begins, end, **options) or refuse(NotFound)
    kind = book.type(visit_type_id) or refuse(NotFound)
    now, policy_ = int(clock.now().timestamp()), kind.policy(for_desk=True)
    offer = timetable.offer_at(book.timetable, kind.rule, int(starts_at.timestamp()), now, policy_)
    if isinstance(offer, Reason):
        raise NotOffered(offer)
    with session().begin_nested():
        hold = Hold(
            fingerprint=secrets.fingerprint(secrets.make_token()),
            patient_id=patient_id,
            practice_id=practice_id,
            visit_type_id=visit_type_id,
            starts_at=moment(offer.starts),
            ends_at=moment(offer.ends),
            expires_at=until,
        )
        session().add(hold)
        session().flush()
        _occupy(book, kind, offer, hold)
    return hold


def prolong(hold_id: UUID, until: datetime) -> None:
    """Keep a time longer, or less long."""
    session().execute(update(Hold).where(Hold.id == hold_id).values(expires_at=until))
    session().execute(update(Occupancy).where(Occupancy.hold_id == hold_id).values(expires_at=until))


def give_back(hold_id: UUID) -> None:
    """Give back a time the portal kept; one that is gone already is no news."""
    session().execute(delete(Hold).where(Hold.id == hold_id))


def _occupy(book: Rulebook, kind: TypeRules, offer: Offer, hold: Hold) -> None:
    lane = taking.occupy("doctor", book.doctor_id, offer.free_lanes, taking.during(offer), hold=hold)
    if lane is None:
        raise TimeTaken(availability.alternatives(book, kind, moment(offer.starts)))
    if kind.needs:
        taking.take_rooms(book, kind, offer, hold=hold)


def look(token: str | None) -> Hold:
    """The hold with its practice, doctor, clinic and visit type; raises HoldExpired when it is over or unknown."""
    found = _by_token(token, joinedload(Hold.visit_type), *_PLACE) if token else None
    if found is None or found.is_over:
        raise HoldExpired
    return found


def stay(actor: Actor, token: str | None) -> Hold:
    """Keep the time as long again from now, LONGEST in all; near its end it stays as it is.

    Only with an account. Raises HoldExpired or SignInToKeep.
    """
    hold = look(token)
    claim(actor, token)
    allow(caps.place_of(actor) is None, SignInToKeep)
    until = min(clock.now() + timedelta(minutes=_minutes), hold.created_at + LONGEST)
    if until > hold.expires_at:
        prolong(hold.id, until)
    return hold


def claim(actor: Actor, token: str | None) -> None:
    """What was held before signing in is the account's from now on, and counts for its place no longer."""
    if actor.user_id and token:
        mine = Hold.fingerprint == secrets.fingerprint(token), Hold.place.is_not(None)
        session().execute(update(Hold).where(*mine).values(user_id=actor.user_id, place=None))


def release(token: str) -> None:
    """Give the time back; an unknown token is no news."""
    session().execute(delete(Hold).where(Hold.fingerprint == secrets.fingerprint(token)))


_PLACE = (
    joinedload(Hold.practice).joinedload(Practice.doctor),
    joinedload(Hold.practice).joinedload(Practice.clinic),
)


def _by_token(token: str | None, *options: object) -> Hold | None:
    if not token:
        return None
    statement = select(Hold).where(Hold.fingerprint == secrets.fingerprint(token)).options(*options)  # type: ignore[arg-type]
    return session().scalars(statement).one_or_none()


def _lasts(actor: Actor, earlier: Hold | None, practice_id: UUID, starts_at: datetime) -> tuple[datetime, datetime]:
    """Since and until when a time is held: what is held already is held no longer by holding it anew."""
    now = clock.now()
    until = now + timedelta(minutes=_minutes)
    if earlier is None or earlier.is_over or (earlier.practice_id, earlier.starts_at) != (practice_id, starts_at):
        return now, until
    if caps.place_of(actor):
        return earlier.created_at, earlier.expires_at
    return earlier.created_at, min(until, earlier.created_at + LONGEST)


def _make(
    actor: Actor, practice_id: UUID, visit_type_id: UUID, offer: Offer, since: datetime, until: datetime
) -> tuple[Hold, str]:
    token = secrets.make_token()
    hold = Hold(
        fingerprint=secrets.fingerprint(token),
        created_at=since,
        user_id=actor.user_id,
        place=caps.place_of(actor),
        practice_id=practice_id,
        visit_type_id=visit_type_id,
        starts_at=moment(offer.starts),
        ends_at=moment(offer.ends),
        expires_at=until,
    )
    session().add(hold)
    session().flush()
    return hold, token


def _few_open(actor: Actor) -> None:
    """One person keeps few times at once: the oldest go back when there are too many."""
    if not actor.user_id:
        return
    mine = select(Hold.id).where(Hold.user_id == actor.user_id).order_by(Hold.created_at.desc()).offset(MOST_OPEN - 1)
    session().execute(delete(Hold).where(Hold.id.in_(mine)))

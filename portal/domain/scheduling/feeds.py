"""Private calendar feeds: a secret address at which a calendar program reads somebody's visits, in neutral words.

The address is shown once; what is stored recognises it and cannot be turned back into it. A feed that is ended, or
whose owner's account is shut, answers like one that never was.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.orm import joinedload

from portal.core import clock, limits, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.core.text import ngettext, speaking
from portal.domain.doctors.models import Doctor
from portal.domain.identity import acts_for
from portal.domain.identity.acts_for import Thing
from portal.domain.identity.models import User
from portal.domain.patients import reach
from portal.domain.patients.models import Delegation, Patient
from portal.domain.scheduling import calendars
from portal.domain.scheduling.models import DECLINED, Appointment
from portal.domain.scheduling.planning import CalendarFeed

MOST_FEEDS = 5
PAST, FUTURE = (
    timedelta(days=30),
    timedelta(days=731),
)  # as far as a type can be booked (VisitType.horizon_days), and a day
MOST_EVENTS = 2000
READ_NOTED_EVERY = timedelta(minutes=10)
PER_FEED = "120 per hour"


class TooManyFeeds(Conflict):
    code = "too_many_feeds"
    sentence = _("Five calendar addresses are enough. End one you do not use first.")


class NothingToShow(Forbidden):
    code = "nothing_to_show"
    sentence = _("This account has no visits of that kind to show.")


@dataclass(frozen=True)
class Read:
    """What a calendar program gets: the calendar, and a mark that changes with it."""

    content: bytes
    etag: str


def mine(actor: Actor) -> list[CalendarFeed]:
    """The actor's feeds that are alive, the newest first."""
    statement = select(CalendarFeed).where(CalendarFeed.user_id == actor.user_id, CalendarFeed.ended_at.is_(None))
    return list(session().scalars(statement.order_by(CalendarFeed.created_at.desc())))


def make(actor: Actor, whose: str) -> str:
    """A new feed of one's own visits and of those one cares for ("patient"), or of the visits to oneself ("doctor").

    Returns its token, which is not kept. Raises NothingToShow, EmailNotVerified or TooManyFeeds.
    """
    if whose not in {"patient", "doctor"}:
        raise Invalid
    may = bool(actor.doctor_id) if whose == "doctor" else bool(actor.cares_somewhere("view"))
    allow(may and actor.user_id is not None, NothingToShow)
    acts_for.admit(actor)  # one at a time, so that the limit holds
    allow(len(mine(actor)) < MOST_FEEDS, TooManyFeeds)
    token = secrets.make_token(24)
    feed = CalendarFeed(user_id=actor.user_id, whose=whose, fingerprint=secrets.fingerprint(token))
    session().add(feed)
    session().flush()
    record(actor, "calendar_feed.made", feed, whose=whose)
    return token


def end(actor: Actor, feed_id: UUID) -> None:
    """Make the address dead, at once. Raises NotFound for somebody else's."""
    statement = select(CalendarFeed).where(CalendarFeed.id == feed_id, CalendarFeed.user_id == actor.user_id)
    feed = session().scalars(statement.with_for_update()).one_or_none() or refuse(NotFound)
    if feed.ended_at is None:
        feed.ended_at = clock.now()
        session().flush()
        record(actor, "calendar_feed.ended", feed, whose=feed.whose)


def read(token: str) -> Read:
    """The calendar at this address; raises NotFound when there is none, TooMany when a program asks all the time."""
    fingerprint = secrets.fingerprint(token)
    statement = select(CalendarFeed, User).join(User, User.id == CalendarFeed.user_id)
    alive = (CalendarFeed.ended_at.is_(None), User.deactivated_at.is_(None))
    found = session().execute(statement.where(CalendarFeed.fingerprint == fingerprint, *alive)).one_or_none()
    feed, user = found or refuse(NotFound)
    limits.hit(PER_FEED, "feed", fingerprint)
    now = clock.now()
    if feed.read_at is None or feed.read_at < now - READ_NOTED_EVERY:
        feed.read_at = now
    with speaking(user.locale):
        content = calendars.feed(_visits(feed))
    return Read(content, hashlib.sha256(content).hexdigest()[:32])


def _visits(feed: CalendarFeed) -> list[Appointment]:
    """The visits around now; those called off lately too, marked so, since some programs keep what vanishes."""
    now = clock.now()
    statement = select(Appointment).where(
        _whose(feed),
        Appointment.starts_at.between(now - PAST, now + FUTURE),
        Appointment.status != DECLINED,
    )
    statement = statement.options(joinedload(Appointment.clinic))
    return list(session().scalars(statement.order_by(Appointment.starts_at, Appointment.id).limit(MOST_EVENTS)))


def _whose(feed: CalendarFeed) -> ColumnElement[bool]:
    if feed.whose == "doctor":
        return Appointment.doctor_id.in_(select(Doctor.id).where(Doctor.user_id == feed.user_id))
    in_care = (Delegation.user_id == feed.user_id, reach.is_current())
    whole = select(Delegation.patient_id).where(*in_care, Delegation.clinic_id.is_(None))
    parts = select(Delegation.patient_id, Delegation.clinic_id).where(*in_care, Delegation.clinic_id.is_not(None))
    own = select(Patient.id).where(Patient.user_id == feed.user_id)
    return or_(
        Appointment.patient_id.in_(own.union(whole)),
        tuple_(Appointment.patient_id, Appointment.clinic_id).in_(parts),
    )


def _things(actor: Actor, _user_id: UUID) -> list[Thing]:
    return [Thing("calendar", one.id, one.whose, one.created_at, one.read_at) for one in mine(actor)]


def _end(actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    alive = select(CalendarFeed).where(CalendarFeed.user_id == user_id, CalendarFeed.ended_at.is_(None))
    ended = session().scalars(alive.with_for_update()).all()
    for feed in ended:
        feed.ended_at = clock.now()
        record(actor, "calendar_feed.ended", feed, whose=feed.whose)
    session().flush()
    return len(ended)


ACTS = acts_for.Kind(
    "calendar",
    frozenset({CalendarFeed.__tablename__}),
    _end,
    find=_things,
    end_one=end,
    counted=lambda n: ngettext("%(n)s calendar address", "%(n)s calendar addresses", n),
)

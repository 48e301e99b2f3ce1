"""What happened since, for programs that listen: thin records, in one order, each exactly once.

A record says that something happened to which thing; what the thing is now is read by its own address, with its own
rules. Records are those of the moment's rights: who may not see a visit any more hears nothing more of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from portal.core import clock
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import session
from portal.core.errors import Gone, Invalid
from portal.core.events import Event
from portal.core.text import lazy as _
from portal.domain.notifications.horizon import watch
from portal.domain.notifications.models import Notification
from portal.domain.scheduling.models import Appointment

KEPT = timedelta(days=7)
AT_ONCE = 100  # records
AT_MOST = 20_000  # numbers looked through at once, however few of them are the actor's
LONGEST_ID = 18  # digits


class CannotResume(Gone):
    """The id lies too far back, or is none that was given."""

    code = "cannot_resume"
    sentence = _("We cannot go on from this id. Read the lists again, then listen without an id.")


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `version` and `status` are the thing's own at the moment of reading."""

    seq: int
    type: str  # such as appointment.moved; notification.added
    subject_type: str
    subject_id: UUID
    version: int | None
    status: str | None
    occurred_at: datetime
    notice: str | None = None  # of a notification: what it says (its kind), and the thing it is about
    about_type: str | None = None
    about_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What was found, where to go on, and whether to look again soon: at once for more, or while a gap is unsettled."""

    items: list[Happening]
    position: int
    more: bool = False
    unsettled: bool = False


def begin(last_id: str | None) -> int:
    """The position after the record with this id; without one, now. Raises Invalid or CannotResume."""
    if not last_id:
        return watch.look().upto
    if not (last_id.isascii() and last_id.isdigit() and len(last_id) <= LONGEST_ID):
        raise Invalid(fields={"after": _("This is not an id of an event.")})
    position = int(last_id)
    newest = session().scalar(select(func.greatest(_newest(Event.seq), _newest(Notification.seq)))) or 0
    missed = session().scalar(select(Event.created_at).where(Event.seq > position).order_by(Event.seq).limit(1))
    if position > newest or (missed is not None and missed < clock.now() - KEPT):
        raise CannotResume
    return position


def since(actor: Actor, position: int) -> Batch:
    """Up to AT_ONCE records after `position` that the actor may see, oldest first."""
    horizon = watch.look()
    if horizon.upto <= position:
        return Batch([], position, unsettled=horizon.more)
    upto = min(horizon.upto, position + AT_MOST)
    found = [_notifications(actor, position, upto)]
    if actor.may_use("appointments:read"):
        found.append(_appointments(actor, position, upto))
    upto = min([upto, *(some[-1].seq for some in found if len(some) >= AT_ONCE)])
    items = sorted((one for some in found for one in some if one.seq <= upto), key=lambda one: one.seq)
    return Batch(items, upto, more=upto < horizon.upto, unsettled=horizon.more)


def channels(actor: Actor) -> list[str]:
    """Where nudges come from that may mean something new for the actor."""
    if actor.is_superadmin:
        return [f"user:{actor.user_id}", "clinic:*"]
    found = [f"user:{actor.user_id}", *_named("patient", actor.cares_for("view"))]
    found += [f"patient:{patient_id}:{clinic_id}" for patient_id, clinic_id in sorted(actor.parts("view"))]
    found += _named("clinic", actor.clinics_as(STAFF, ADMIN))
    return [*found, f"doctor:{actor.doctor_id}"] if actor.doctor_id else found


def _newest(seq: Any) -> Any:
    return select(func.max(seq)).scalar_subquery()


def _named(what: str, ids: Iterable[UUID]) -> list[str]:
    return [f"{what}:{one}" for one in sorted(ids)]


def _appointments(actor: Actor, position: int, upto: int) -> list[Happening]:
    happened: Any = (
        select(Event.seq, Event.name, Event.created_at, Appointment.id, Appointment.version, Appointment.status)
        .join(Appointment, Appointment.id == Event.subject_id)
        .where(Event.subject_type == "appointment", Event.name.startswith("appointment."), Appointment.visible(actor))
    )
    return [
        Happening(row.seq, row.name, "appointment", row.id, row.version, row.status, row.created_at)
        for row in _between(happened, Event.seq, position, upto)
    ]


def _notifications(actor: Actor, position: int, upto: int) -> list[Happening]:
    told: Any = select(Notification).where(Notification.visible(actor))
    return [_told(one) for (one,) in _between(told, Notification.seq, position, upto)]


def _told(one: Notification) -> Happening:
    return Happening(
        seq=one.seq,
        type="notification.added",
        subject_type="notification",
        subject_id=one.id,
        version=None,
        status="read" if one.read_at else "unread",
        occurred_at=one.created_at,
        notice=one.kind,
        about_type=one.subject_type,
        about_id=one.subject_id,
    )


def _between(statement: Any, seq: Any, position: int, upto: int) -> list[Any]:
    return list(session().execute(statement.where(seq > position, seq <= upto).order_by(seq).limit(AT_ONCE)))

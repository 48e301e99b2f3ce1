"""What a person was told in the app: read it, mark it, count it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from portal.core import clock, paging
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.paging import Page
from portal.domain.notifications import words
from portal.domain.notifications.models import Notification
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.models import Appointment


@dataclass(frozen=True)
class Line:
    """One notification as it is shown."""

    id: UUID
    kind: str
    said: str
    at: datetime
    is_read: bool
    appointment_id: UUID | None


def mine(
    actor: Actor, *, unread_only: bool = False, kind: str | None = None, after: str | None = None, limit: int = 20
) -> Page[Line]:
    """The actor's notifications, newest first, in their language."""
    statement = select(Notification).where(Notification.visible(actor))
    if unread_only:
        statement = statement.where(Notification.read_at.is_(None))
    if kind:
        statement = statement.where(Notification.kind == kind)
    keys = [Notification.created_at, Notification.id]
    found = paging.page(statement, keys, after=after, limit=limit, descending=True)
    ids = {one.subject_id for one in found.items if one.subject_type == "appointment"}
    about: dict[UUID | None, Appointment] = {
        row.id: row for row in session().scalars(select(Appointment).where(Appointment.id.in_(ids)).options(*WHOLE))
    }
    return Page([_line(one, about.get(one.subject_id)) for one in found.items], found.next)


def unread_count(actor: Actor) -> int:
    """How many the actor has not read; at most 100 are counted."""
    unread = select(Notification.id).where(Notification.visible(actor), Notification.read_at.is_(None)).limit(100)
    return session().scalar(select(func.count()).select_from(unread.subquery())) or 0


def mark_read(actor: Actor, notification_id: UUID | str) -> Notification:
    """Mark one as read; raises NotFound for somebody else's."""
    found = authority.find(actor, Notification, notification_id)
    found.read_at = found.read_at or clock.now()
    return found


def mark_all_read(actor: Actor) -> None:
    session().execute(
        update(Notification)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
        .values(read_at=clock.now())
    )


def _line(one: Notification, about: Appointment | None) -> Line:
    return Line(
        one.id,
        one.kind,
        words.sentence(one, about),
        one.created_at,
        one.read_at is not None,
        about.id if about else None,
    )

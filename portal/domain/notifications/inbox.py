"""What a person was told in the app: read it, mark it, count it, take it off the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from portal.core import clock, paging
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.paging import Page
from portal.core.text import gettext as say
from portal.domain.notifications import kinds
from portal.domain.notifications.models import Notification
from portal.domain.patients.models import Patient


@dataclass(frozen=True)
class Line:
    """One notification as it is shown."""

    id: UUID
    kind: str
    said: str
    at: datetime
    is_read: bool
    url: str | None  # the page of what it is about
    icon: str


def mine(
    actor: Actor, *, is_read: bool | None = None, kind: str | None = None, after: str | None = None, limit: int = 20
) -> Page[Line]:
    """The actor's notifications, newest first, in their language."""
    statement = select(Notification).where(Notification.visible(actor))
    if is_read is not None:
        statement = statement.where(Notification.read_at.is_not(None) if is_read else Notification.read_at.is_(None))
    if kind:
        statement = statement.where(Notification.kind == kind)
    keys = [Notification.created_at, Notification.id]
    found = paging.page(statement, keys, after=after, limit=limit, descending=True)
    about = kinds.subjects([(kinds.get(one.kind), one.subject_id) for one in found.items])
    names = _names([str(one.facts["for"]) for one in found.items if "for" in one.facts])
    return Page([_line(one, about.get((one.kind, one.subject_id)), names) for one in found.items], found.next)


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


def remove(actor: Actor, notification_id: UUID | str) -> None:
    """Take one off the list for good; messages about it still go out. Raises NotFound for somebody else's."""
    found = authority.find(actor, Notification, notification_id)
    found.removed_at = clock.now()
    found.read_at = found.read_at or found.removed_at
    session().flush()


def url_of(one: Notification) -> str | None:
    """The page of what a notification is about; None when there is none, or it is not there any more."""
    kind = kinds.get(one.kind)
    subject = kind.read(one.subject_id) if one.subject_id else None
    return kind.url(subject) if subject is not None else None


def _line(one: Notification, about: Any, names: dict[str, str]) -> Line:
    kind = kinds.get(one.kind)
    said = kind.sentence(one.facts, about)
    if name := names.get(str(one.facts.get("for"))):
        said = say("For %(name)s: %(text)s", name=name, text=said)
    url = kind.url(about) if about is not None else None
    return Line(one.id, one.kind, said, one.created_at, one.read_at is not None, url, kind.icon)


def _names(patient_ids: Sequence[str]) -> dict[str, str]:
    """Who the notices are about that were told to somebody else."""
    if not patient_ids:
        return {}
    found = session().scalars(select(Patient).where(Patient.id.in_([UUID(one) for one in patient_ids])))
    return {str(patient.id): patient.name for patient in found}

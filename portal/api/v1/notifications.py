"""What one was told in the app: read, marked and removed, as under the bell of the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from portal.api.v1 import endpoint
from portal.api.v1.answers import ListOut, Out
from portal.core.actor import Actor
from portal.core.shapes import Limit, Shape, fault
from portal.core.text import lazy as _
from portal.domain.doctors.shapes import Cursor
from portal.domain.notifications import inbox
from portal.domain.notifications.inbox import Line

TAG = "Notifications"
SCOPE = "notifications:read"


Kind = Annotated[str, StringConstraints(max_length=40, pattern="^[a-z_.]+$")]


class NotificationsQuery(Shape):
    """Only those read or not read yet, or of one type."""

    is_read: bool | None = None
    type: Annotated[Kind | None, Field(description="Such as appointment.confirmed; `kind` of a notification")] = None
    unread: Annotated[bool, Field(description="The same as is_read=false")] = False
    kind: Annotated[Kind | None, Field(description="The same as type")] = None
    after: Cursor | None = None
    limit: Limit = 20

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.unread and self.is_read:
            raise fault("is_read", _("This contradicts unread=true."))
        if self.kind and self.type and self.kind != self.type:
            raise fault("type", _("This contradicts kind."))
        return self


class NotificationOut(Out):
    """`text` is in the language of the answer; `page` is the address of the page about it, on this portal."""

    id: UUID
    kind: Annotated[str, Field(examples=["appointment.confirmed"])]
    text: str
    page: str | None
    is_read: bool
    at: datetime

    @classmethod
    def of(cls, line: Line) -> Self:
        at = line.at.astimezone(UTC)
        return cls(id=line.id, kind=line.kind, text=line.said, page=line.url, is_read=line.is_read, at=at)


class Notifications(ListOut):
    """The newest first."""

    items: list[NotificationOut]
    unread: Annotated[int, Field(description="How many you have not read; at most 100 are counted")]


@endpoint("GET", "/notifications", tag=TAG, query=NotificationsQuery, answer=Notifications, scope=SCOPE)
def list_notifications(actor: Actor, query: NotificationsQuery) -> Notifications:
    """What you were told"""
    is_read = False if query.unread else query.is_read
    kind = query.type or query.kind
    found = inbox.mine(actor, is_read=is_read, kind=kind, after=query.after, limit=query.limit)
    items = [NotificationOut.of(line) for line in found]
    return Notifications(items=items, unread=inbox.unread_count(actor), next=found.next)


@endpoint("POST", "/notifications/{notification_id}/read", tag=TAG, status=204, scope=SCOPE, keyed=True)
def mark_notification_read(actor: Actor, notification_id: UUID) -> None:
    """Mark one as read"""
    inbox.mark_read(actor, notification_id)


@endpoint("POST", "/notifications/read", tag=TAG, status=204, scope=SCOPE, keyed=True)
def mark_all_notifications_read(actor: Actor) -> None:
    """Mark all as read"""
    inbox.mark_all_read(actor)


@endpoint("DELETE", "/notifications/{notification_id}", tag=TAG, status=204, scope=SCOPE)
def remove_notification(actor: Actor, notification_id: UUID) -> None:
    """Take one off your list; what goes out about it by mail or SMS still does"""
    inbox.remove(actor, notification_id)

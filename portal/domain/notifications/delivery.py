"""Telling people: a notification in the app at once, and one delivery per channel as a task of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from portal.core import clock, live, tasks
from portal.core.db import new_id, session
from portal.core.tasks import task
from portal.domain.identity.models import User
from portal.domain.notifications import words
from portal.domain.notifications.models import Delivery, Notification
from portal.domain.scheduling.models import Appointment
from portal.gateways import mail


def tell(
    user: User | None, kind: str, subject: Any, key: str, channels: Sequence[str] = ("email",), **facts: Any
) -> None:
    """Tell one person one thing once: `key` names the thing, so a task that runs again tells nobody twice.

    `facts` are ids, codes and times. Someone without an account or whose account is shut is not told.
    """
    if user is None or not user.is_active:
        return
    notification_id = new_id()
    made = session().scalar(
        insert(Notification)
        .values(
            id=notification_id,
            created_at=clock.now(),
            user_id=user.id,
            kind=kind,
            key=f"{key}:{user.id}",
            subject_type=type(subject).__name__.lower(),
            subject_id=subject.id,
            facts=facts,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Notification.id)
    )
    if made is None:
        return
    live.nudge([user.id], "notifications")
    for channel in channels:
        delivery = Delivery(notification_id=made, user_id=user.id, channel=channel, notice=kind)
        session().add(delivery)
        session().flush()
        tasks.later(deliver, delivery.id, key=f"deliver:{delivery.id}")


@task
def deliver(delivery_id: str) -> None:
    """Send one message by its channel; raises when it did not leave, so that it is tried again."""
    delivery = session().get(Delivery, UUID(delivery_id), with_for_update=True)
    if delivery is None or delivery.state != "waiting":
        return
    user = session().get(User, delivery.user_id)
    notification = session().get(Notification, delivery.notification_id) if delivery.notification_id else None
    appointment = _appointment(notification)
    if user is None or not user.is_active or notification is None or appointment is None:
        delivery.state = "void"
        return
    template = words.template(notification, appointment)
    if template is None:
        delivery.state = "void"  # what it would say is not so any more
        return
    about, attachments = words.letter(notification, appointment, user.locale)
    mail.send(user.email, user.name, template, user.locale, f"delivery:{delivery.id}", attachments, **about)
    delivery.state, delivery.sent_at = "sent", clock.now()


def _appointment(notification: Notification | None) -> Appointment | None:
    if notification is None or notification.subject_type != "appointment":
        return None
    return words.appointment(notification.subject_id)

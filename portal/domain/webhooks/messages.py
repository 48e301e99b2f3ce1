"""The delivery log of a receiver: what was sent, how each try went, and sending again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import selectinload

from portal.core import clock, paging
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.events import record
from portal.core.paging import Page
from portal.core.policy import allow, as_id
from portal.domain.webhooks import endpoints, sending, signing
from portal.domain.webhooks.endpoints import Paused
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage
from portal.domain.webhooks.topics import TEST, TestData

STATES = ("waiting", "sent", "failed")


def of(
    actor: Actor, endpoint_id: UUID | str, *, state: str | None = None, after: str | None = None, limit: int = 25
) -> Page[WebhookMessage]:
    """The messages of a receiver with their tries, the latest first; raises NotFound for somebody else's."""
    endpoint = endpoints.get(actor, endpoint_id)
    statement = select(WebhookMessage).where(WebhookMessage.endpoint_id == endpoint.id)
    if state:
        statement = statement.where(WebhookMessage.state == state)
    statement = statement.options(selectinload(WebhookMessage.tries))
    keys = [WebhookMessage.event_seq, WebhookMessage.id]
    return paging.page(statement, keys, after=after, limit=limit, descending=True)


def get(actor: Actor, endpoint_id: UUID | str, message_id: UUID | str, *, lock: bool = False) -> WebhookMessage:
    """One message with its tries; raises NotFound."""
    endpoint = endpoints.get(actor, endpoint_id)
    same = WebhookMessage.id == as_id(message_id), WebhookMessage.endpoint_id == endpoint.id
    statement = select(WebhookMessage).where(*same).options(selectinload(WebhookMessage.tries))
    statement = statement.execution_options(populate_existing=True)
    if lock:
        statement = statement.with_for_update()
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def counts(endpoint: WebhookEndpoint) -> dict[str, int]:
    """How many messages of the last 30 days stand in each state."""
    grouped = (
        select(WebhookMessage.state, func.count())
        .where(WebhookMessage.endpoint_id == endpoint.id)
        .group_by(WebhookMessage.state)
    )
    return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in session().execute(grouped)}


def test(actor: Actor, endpoint_id: UUID | str) -> WebhookMessage:
    """Send a message that says nothing, to see whether the receiver takes it. Raises NotFound, Paused."""
    endpoint = endpoints.get(actor, endpoint_id)
    allow(endpoint.state == "active", Paused)
    event_id, now = record(actor, "webhook.tested", endpoint), clock.now()
    data = TestData(id=endpoint.id).model_dump(mode="json")
    message = WebhookMessage(
        endpoint_id=endpoint.id,
        event_id=event_id,
        event_seq=session().scalar(text("SELECT nextval('events_seq_seq')")),
        event=TEST,
        object_key=f"test:{event_id}",
        body=signing.envelope(TEST, now, data),
        due_at=now,
    )
    session().add(message)
    session().flush()
    sending.soon(endpoint.id)
    return get(actor, endpoint.id, message.id)


def replay(actor: Actor, endpoint_id: UUID | str, message_id: UUID | str) -> WebhookMessage:
    """Send one message again, with its own webhook-id; later ones of its object that still wait come after it.

    Raises NotFound, Paused.
    """
    endpoint = endpoints.get(actor, endpoint_id)
    allow(endpoint.state == "active", Paused)
    message = get(actor, endpoint.id, message_id, lock=True)
    message.state, message.attempts, message.due_at = "waiting", 0, clock.now()
    record(actor, "webhook.replayed", endpoint, messages=1, message_id=message.id)
    session().flush()
    sending.soon(endpoint.id)
    return message


def replay_failed(actor: Actor, endpoint_id: UUID | str, *, since: datetime) -> int:
    """Send everything again that failed for good since a moment; returns how much. Raises NotFound, Paused."""
    endpoint = endpoints.get(actor, endpoint_id)
    allow(endpoint.state == "active", Paused)
    failed = update(WebhookMessage).where(
        WebhookMessage.endpoint_id == endpoint.id,
        WebhookMessage.state == "failed",
        WebhookMessage.created_at >= since,
    )
    values: dict[str, Any] = {"state": "waiting", "attempts": 0, "due_at": clock.now()}
    count = len(session().scalars(failed.values(values).returning(WebhookMessage.id)).all())
    record(actor, "webhook.replayed", endpoint, messages=count)
    session().flush()
    sending.soon(endpoint.id)
    return count

"""Webhooks: programs that are told of what happens, how each delivery went, and sending again."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.webhook_answers import (
    EventNames,
    EventOut,
    MessageOut,
    Messages,
    Replayed,
    WebhookOut,
    Webhooks,
    WebhookSecretOut,
)
from portal.core.actor import Actor
from portal.core.errors import Forbidden
from portal.core.shapes import Limit, Shape
from portal.domain.doctors.shapes import Cursor
from portal.domain.identity.acts_for import EmailNotVerified
from portal.domain.webhooks import endpoints, messages
from portal.domain.webhooks.endpoints import Beyond, NotPublic, Paused, TooMany
from portal.domain.webhooks.shapes import ChangeEndpoint, NewEndpoint, ReplaySince
from portal.domain.webhooks.topics import TOPICS

TAG = "Webhooks"
READ, WRITE = "webhooks:read", "webhooks:write"
EXAMPLE: dict[str, Any] = {
    "url": "https://example.com/portal",
    "events": ["appointment.booked", "appointment.moved", "appointment.cancelled"],
    "description": "Our calendar",
}


class WebhooksQuery(Shape):
    """Of which clinic; all when it is left out."""

    clinic_id: UUID | None = None


class MessagesQuery(Shape):
    """Which messages of a receiver."""

    state: Literal["waiting", "sent", "failed"] | None = None
    after: Cursor | None = None
    limit: Limit = 25


@endpoint("GET", "/webhooks/events", tag=TAG, answer=EventNames, public=True)
def list_webhook_events() -> EventNames:
    """What programs can be told of"""
    return EventNames(items=[EventOut(name=one.name, description=str(one.label)) for one in TOPICS.values()])


@endpoint("GET", "/webhooks", tag=TAG, query=WebhooksQuery, answer=Webhooks, scope=READ)
def list_webhooks(actor: Actor, query: WebhooksQuery) -> Webhooks:
    """Your receivers and those of the clinics you run; a program sees those it made"""
    return Webhooks(items=[WebhookOut.of(one) for one in endpoints.of(actor, query.clinic_id)])


@endpoint(
    "POST",
    "/webhooks",
    tag=TAG,
    body=NewEndpoint,
    answer=WebhookSecretOut,
    status=201,
    refuses=(Forbidden, EmailNotVerified, Beyond, NotPublic, TooMany),
    scope=WRITE,
    keyed=True,
    example=EXAMPLE,
)
def make_webhook(actor: Actor, body: NewEndpoint) -> Answer:
    """Be told of what happens: of everything at a clinic (its admins), or of what you may see

    The signing secret is in this answer and in no other.
    """
    made, secret = endpoints.make(actor, **body.values())
    return Answer(WebhookSecretOut.of(made, secret=secret), {"Location": f"/api/v1/webhooks/{made.id}"})


@endpoint("GET", "/webhooks/{webhook_id}", tag=TAG, answer=WebhookOut, scope=READ)
def get_webhook(actor: Actor, webhook_id: UUID) -> WebhookOut:
    """One receiver"""
    return WebhookOut.of(endpoints.get(actor, webhook_id))


@endpoint(
    "PATCH",
    "/webhooks/{webhook_id}",
    tag=TAG,
    body=ChangeEndpoint,
    answer=WebhookOut,
    refuses=(Beyond, NotPublic),
    scope=WRITE,
    example={"events": ["appointment.booked"]},
)
def change_webhook(actor: Actor, webhook_id: UUID, body: ChangeEndpoint) -> WebhookOut:
    """Another address, other words or other events; what is not sent stays"""
    return WebhookOut.of(endpoints.change(actor, webhook_id, **body.given()))


@endpoint("DELETE", "/webhooks/{webhook_id}", tag=TAG, status=204, scope=WRITE)
def remove_webhook(actor: Actor, webhook_id: UUID) -> None:
    """Be told nothing any more; the deliveries are forgotten"""
    endpoints.remove(actor, webhook_id)


@endpoint("POST", "/webhooks/{webhook_id}/pause", tag=TAG, answer=WebhookOut, scope=WRITE, keyed=True)
def pause_webhook(actor: Actor, webhook_id: UUID) -> WebhookOut:
    """Be told nothing for now; what happens waits for a day, and stands as failed for 30"""
    return WebhookOut.of(endpoints.pause(actor, webhook_id))


@endpoint("POST", "/webhooks/{webhook_id}/resume", tag=TAG, answer=WebhookOut, scope=WRITE, keyed=True)
def resume_webhook(actor: Actor, webhook_id: UUID) -> WebhookOut:
    """Be told again, first of what waited meanwhile"""
    return WebhookOut.of(endpoints.resume(actor, webhook_id))


@endpoint("POST", "/webhooks/{webhook_id}/rotate", tag=TAG, answer=WebhookSecretOut, scope=WRITE, keyed=True)
def rotate_webhook(actor: Actor, webhook_id: UUID) -> WebhookSecretOut:
    """Another signing secret; the one before signs beside it for 24 hours"""
    found, secret = endpoints.rotate(actor, webhook_id)
    return WebhookSecretOut.of(found, secret=secret)


@endpoint(
    "POST",
    "/webhooks/{webhook_id}/test",
    tag=TAG,
    answer=MessageOut,
    status=201,
    refuses=(Paused,),
    scope=WRITE,
    keyed=True,
)
def test_webhook(actor: Actor, webhook_id: UUID) -> Answer:
    """Send a message of the type webhook.test, to see whether it arrives"""
    made = messages.test(actor, webhook_id)
    return Answer(MessageOut.of(made), {"Location": f"/api/v1/webhooks/{webhook_id}/messages/{made.id}"})


@endpoint(
    "POST",
    "/webhooks/{webhook_id}/replay",
    tag=TAG,
    body=ReplaySince,
    answer=Replayed,
    refuses=(Paused,),
    scope=WRITE,
    keyed=True,
    example={"since": "2027-03-31T00:00:00+01:00"},
)
def replay_failed(actor: Actor, webhook_id: UUID, body: ReplaySince) -> Replayed:
    """Send everything again that failed for good since a moment"""
    return Replayed(messages=messages.replay_failed(actor, webhook_id, since=body.since))


@endpoint("GET", "/webhooks/{webhook_id}/messages", tag=TAG, query=MessagesQuery, answer=Messages, scope=READ)
def list_messages(actor: Actor, webhook_id: UUID, query: MessagesQuery) -> Messages:
    """What was sent to a receiver in the last 30 days and how each try went, the latest first"""
    found = messages.of(actor, webhook_id, **query.values())
    return Messages(items=[MessageOut.of(one) for one in found], next=found.next)


@endpoint("GET", "/webhooks/{webhook_id}/messages/{message_id}", tag=TAG, answer=MessageOut, scope=READ)
def get_message(actor: Actor, webhook_id: UUID, message_id: UUID) -> MessageOut:
    """One message and its tries"""
    return MessageOut.of(messages.get(actor, webhook_id, message_id))


@endpoint(
    "POST",
    "/webhooks/{webhook_id}/messages/{message_id}/replay",
    tag=TAG,
    answer=MessageOut,
    refuses=(Paused,),
    scope=WRITE,
    keyed=True,
)
def replay_message(actor: Actor, webhook_id: UUID, message_id: UUID) -> MessageOut:
    """Send one message again, under the webhook-id it had"""
    return MessageOut.of(messages.replay(actor, webhook_id, message_id))

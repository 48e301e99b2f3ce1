"""The shapes of webhooks as they go out, and the messages themselves for the description."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from portal.api.v1.answers import ListOut, Out
from portal.core.text import speaking
from portal.domain.webhooks import signing
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage, WebhookTry
from portal.domain.webhooks.topics import TEST, TOPICS, TestData

HEADERS = {
    "webhook-id": "The name of the event, the same at every try: whoever has seen it before may ignore it",
    "webhook-timestamp": "When this try was signed, in seconds since 1970",
    "webhook-signature": "v1, and the signature in base64; for a day after the secret was renewed there are two",
}


class WebhookOut(Out):
    """A receiver: where to, of what, and how it goes."""

    id: UUID
    url: str
    description: str
    events: Annotated[list[str], Field(description="Empty is everything")]
    clinic_id: Annotated[UUID | None, Field(description="null is what its owner may see")]
    state: Literal["active", "paused"]
    paused_why: Annotated[Literal["", "asked", "gone", "failing"], Field(description="Empty while it is active")]
    failing_since: Annotated[datetime | None, Field(description="Since then nothing has got through")]
    succeeded_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, one: WebhookEndpoint, **more: Any) -> Self:
        return cls(**{name: getattr(one, name) for name in WebhookOut.model_fields}, **more)


class WebhookSecretOut(WebhookOut):
    """The same with its signing secret, which is said here and nowhere else."""

    secret: Annotated[str, Field(description="whsec_ and base64, as standardwebhooks.com has it")]


class Webhooks(Out):
    items: list[WebhookOut]


class EventOut(Out):
    """An event by its name, and in words."""

    name: str
    description: str


class EventNames(Out):
    items: list[EventOut]


class TryOut(Out):
    """One try: what the receiver answered, or why there was no answer."""

    at: datetime
    status: int | None
    took_ms: int
    error: Literal["", "not_public", "name", "timeout", "certificate", "connection", "redirect", "status"]

    @classmethod
    def of(cls, one: WebhookTry) -> Self:
        return cls(at=one.created_at, status=one.status, took_ms=one.took_ms, error=one.error)  # type: ignore[arg-type]


class MessageOut(Out):
    """One event for one receiver, and how its delivery went."""

    id: UUID
    webhook_id: Annotated[str, Field(description="As in the header webhook-id")]
    event: str
    object: Annotated[str, Field(description="Messages about the same object go out one after the other")]
    state: Literal["waiting", "sent", "failed"]
    attempts: int
    created_at: datetime
    due_at: Annotated[datetime | None, Field(description="The next try, while it waits")]
    sent_at: datetime | None
    tries: list[TryOut]
    body: Annotated[dict[str, Any], Field(description="What is sent: type, timestamp and data")]

    @classmethod
    def of(cls, one: WebhookMessage) -> Self:
        plain = {name: getattr(one, name) for name in ("id", "event", "state", "attempts", "created_at", "sent_at")}
        return cls(
            **plain,
            webhook_id=signing.id_of(one.event_id),
            object=one.object_key,
            due_at=one.due_at if one.state == "waiting" else None,
            tries=[TryOut.of(tried) for tried in one.tries],
            body={name: one.body[name] for name in ("type", "timestamp", "data")},
        )


class Messages(ListOut):
    """The latest first."""

    items: list[MessageOut]


class Replayed(Out):
    """How many messages go out again."""

    messages: int


def described() -> dict[str, Any]:
    """The messages themselves, as the `webhooks` of the OpenAPI description."""
    with speaking("en"):
        told = {one.name: (str(one.label), one.noun.data) for one in TOPICS.values()}
    told[TEST] = ("A test that somebody asked for", TestData)
    return {name: {"post": _message(name, words, data)} for name, (words, data) in told.items()}


def _message(name: str, words: str, data: type[BaseModel]) -> dict[str, Any]:
    parts = {
        "type": {"const": name},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened"},
        "data": data.model_json_schema(mode="serialization"),
    }
    headers = [
        {"name": header, "in": "header", "required": True, "schema": {"type": "string"}, "description": about}
        for header, about in HEADERS.items()
    ]
    schema = {"type": "object", "properties": parts, "required": list(parts)}
    return {
        "tags": ["Webhooks"],
        "summary": words,
        "parameters": headers,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"2XX": {"description": "Taken; any other answer is tried again for a day, 410 ends it"}},
    }

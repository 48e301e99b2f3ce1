"""Signatures a receiver can check, as https://www.standardwebhooks.com describes them."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from standardwebhooks import Webhook

from portal.core import clock, secrets
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage

OLD_ONE_SIGNS_FOR = timedelta(hours=24)
AGENT = "Portal-Webhooks/1"


def secret(endpoint: WebhookEndpoint, back: int = 0) -> str:
    """The signing secret of a receiver, or the one `back` renewals ago; made of our own key, so stored nowhere."""
    return _secrets(endpoint, back)[0]


def _secrets(endpoint: WebhookEndpoint, back: int) -> list[str]:
    """The same, and what it was under each secret of the portal before, which the receiver may still know it by."""
    made = secrets.readable(f"webhook:{endpoint.id}:{endpoint.secret_version - back}")
    return [f"whsec_{base64.b64encode(one).decode()}" for one in made]


def body_of(message: WebhookMessage) -> bytes:
    """What is sent, the same to the letter at every try."""
    return orjson.dumps({name: message.body[name] for name in ("type", "timestamp", "data")})


def headers(endpoint: WebhookEndpoint, message: WebhookMessage, body: bytes) -> dict[str, str]:
    """What goes with a try at this moment: signed with the secret, and for a day with the one before too."""
    now = clock.now()
    backs = [0]
    if endpoint.rotated_at and now < endpoint.rotated_at + OLD_ONE_SIGNS_FOR:
        backs.append(1)
    name = id_of(message.event_id)
    keys = [key for back in backs for key in _secrets(endpoint, back)]
    signed = [Webhook(key).sign(name, now, body.decode()) for key in keys]
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
    }


def id_of(event_id: UUID) -> str:
    """The name of an event, the same at every try and at every receiver."""
    return f"evt_{event_id.hex}"


def envelope(event: str, at: Any, data: dict[str, Any]) -> dict[str, Any]:
    """The body of a message."""
    return {"type": event, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}

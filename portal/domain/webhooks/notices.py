"""The owner of a receiver is told when the portal has stopped sending to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import session
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.identity.models import User
from portal.domain.notifications import kinds
from portal.domain.notifications.delivery import tell
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.webhooks.models import WebhookEndpoint

PAUSED = "webhook.paused"

receiver = kinds.rows(WebhookEndpoint, joinedload(WebhookEndpoint.clinic))


def tell_owner(endpoint: WebhookEndpoint, why: str) -> None:
    """Say that the receiver is paused, in the app and by mail; `why` is gone or failing."""
    owner = session().get(User, endpoint.user_id)
    moment = int(clock.now().timestamp())
    tell(owner, PAUSED, endpoint, f"{PAUSED}:{endpoint.id}:{moment}", ("email",), why=why)


def _about(facts: Facts, endpoint: WebhookEndpoint, locale: str) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "clinic": endpoint.clinic.name if endpoint.clinic else None,
        "is_gone": facts.get("why") == "gone",
        "endpoint_id": endpoint.id,
    }


def _sentence(facts: Facts, endpoint: WebhookEndpoint | None) -> str:
    return say("A webhook is paused: its receiver does not answer.")


def _page(endpoint: WebhookEndpoint) -> str | None:
    return f"/admin/webhooks/{endpoint.id}" if endpoint.clinic_id else None


kinds.add(
    Kind(
        PAUSED,
        receiver,
        letter="webhook_paused",
        about=_about,
        sentence=_sentence,
        stands=lambda facts, endpoint: endpoint.state == "paused",
        url=_page,
        icon="webhook",
        label=_("Webhooks"),
        must_reach=False,
    )
)

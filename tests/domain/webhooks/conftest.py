"""A receiver that listens, webhooks that lead to it, and visits to be told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.core.db import keep
from portal.domain.scheduling import booking
from portal.domain.webhooks import endpoints
from portal.domain.webhooks.models import WebhookEndpoint
from tests.builders import at
from tests.receivers import Receiver, listening


@pytest.fixture
def receiver(where: Any) -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def hook(admin: Any, el_djazair: Any, receiver: Receiver) -> Callable[..., WebhookEndpoint]:
    """A function that writes down the receiver: of El Djazair by its admin, unless said otherwise."""

    def make(actor: Any = None, **about: Any) -> WebhookEndpoint:
        about = {"url": receiver.url, **({"clinic_id": el_djazair.clinic_id} if actor is None else {})} | about
        made, _secret = endpoints.make(actor or admin.actor, **about)
        keep()
        return made

    return make


@pytest.fixture
def book(amina: Any, dr_benali: Any, el_djazair: Any) -> Callable[..., Any]:
    """A function that books for Amina, or somebody else, with Dr Benali."""

    def do(wall: str = "09:00", ahead: int = 5, who: Any = None) -> Any:
        made = booking.book(
            (who or amina).actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall, ahead),
        )
        keep()
        return made

    return do

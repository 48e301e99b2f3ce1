"""Delivery: what is due at a receiver goes out one after the other, oldest first for each object, until it is there.

A receiver is served by one worker at a time, which leases it, for some seconds at most, so a slow one holds up nobody
else for long. No transaction is open while it is called: claim, keep, call, record (docs/decisions/0026). A message
that fails waits with backoff, and later ones of its object behind it; other objects go on. When nothing gets through at
all, everything waits, and after a day of that the receiver is paused and its owner is told. What a worker that was
killed had sent is sent again: at least once, under the same webhook-id.
"""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import aliased

from portal.core import clock, log, tasks
from portal.core.actor import SYSTEM
from portal.core.db import session
from portal.core.events import record
from portal.core.tasks import Call, Steps, task
from portal.domain.webhooks import notices, signing
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage, WebhookTry
from portal.gateways import hooks

# Seconds until the next try: a day in all.
BACKOFF = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
A_DAY = timedelta(hours=24)
NEARLY_A_DAY = timedelta(hours=23)  # the last try of the plan may come a little before the day is over
KEPT_FOR = timedelta(days=30)
TURN = 5.0  # seconds after which a worker begins no other message of this receiver
LEASE = timedelta(seconds=30)  # for one call, which lasts hooks.LASTS at most; after a death the next turn comes then
BATCH = 20
LOOKS_DOWN = 3  # failures one after the other, of different objects
AT_LEAST, AT_MOST = timedelta(seconds=30), timedelta(minutes=30)
RESTS_AT_MOST = timedelta(hours=1)  # a receiver may ask for that much


def soon(endpoint_id: UUID, delay: timedelta = timedelta(0)) -> None:
    """Have a worker send what is due at a receiver, after the commit."""
    due = clock.now() + delay
    key = f"webhooks:{endpoint_id}:{int(due.timestamp())}" if delay else None
    tasks.later(pump, endpoint_id, key=key, due_at=due)


def hold_off(endpoint: WebhookEndpoint, now: datetime) -> timedelta:
    """How long something new waits: not at all, unless nothing has got through for more than a minute."""
    down = now - endpoint.failing_since if endpoint.failing_since else timedelta(0)
    return timedelta(0) if down < timedelta(minutes=1) else min(down / 4, AT_MOST)


@task
def pump(endpoint_id: str) -> Steps:
    """Send what is due at one receiver; whoever comes while another does leaves it to them."""
    yield from _Turn(UUID(endpoint_id)).serve()


@task
def pump_due() -> None:
    """By the clock: whatever is due and was not asked for, because a worker died or Redis was away."""
    now = clock.now()
    late = (
        select(WebhookMessage.endpoint_id)
        .join(WebhookEndpoint)
        .where(
            WebhookMessage.state == "waiting",
            WebhookMessage.due_at < now - timedelta(seconds=10),
            WebhookEndpoint.state == "active",
        )
    )
    for endpoint_id in session().scalars(late.distinct()).all():
        tasks.later(pump, endpoint_id, key=f"webhooks.late:{endpoint_id}:{int(now.timestamp() // 30)}")


@task
def tidy() -> None:
    """By the clock: what has waited at a paused receiver for a day has failed; after 30 days all is forgotten."""
    now = clock.now()
    paused = select(WebhookEndpoint.id).where(WebhookEndpoint.state == "paused")
    old = WebhookMessage.created_at < now - A_DAY
    waiting = WebhookMessage.state == "waiting", WebhookMessage.endpoint_id.in_(paused)
    quietly = {"synchronize_session": False}
    session().execute(update(WebhookMessage).where(*waiting, old).values(state="failed"), execution_options=quietly)
    gone = delete(WebhookMessage).where(WebhookMessage.created_at < now - KEPT_FOR)
    session().execute(gone, execution_options=quietly)


class _Turn:
    """One worker's turn at a receiver: the lease is its own while `served_until` is what it wrote last."""

    def __init__(self, endpoint_id: UUID) -> None:
        self.endpoint_id = endpoint_id
        self.until = time.monotonic() + TURN
        self.leased_until: datetime | None = None
        self.failed_in_a_row = 0
        self.sent = 0
        self.is_resting = False

    def serve(self) -> Steps:
        """Send batch after batch until nothing is due, time is up, the receiver looks down, or the lease is lost."""
        while endpoint := self._leased():
            batch = self._due()
            for message_id in batch:
                if self._is_over() or (endpoint := self._leased()) is None:
                    break
                if post := _post(endpoint, message_id):
                    self._record(message_id, (yield post))
            if not batch or self._is_over():
                return self._come_back()

    def _leased(self) -> WebhookEndpoint | None:
        """The receiver, leased for one more call; None when it is paused, gone, or another worker's turn."""
        endpoint, now = _locked(self.endpoint_id), clock.now()
        if endpoint is None:
            return None
        is_mine = endpoint.served_until == self.leased_until
        if not is_mine and endpoint.served_until and endpoint.served_until > now:
            return None
        if endpoint.state != "active":
            endpoint.served_until = None
            return None
        endpoint.served_until = self.leased_until = now + LEASE
        session().flush()
        return endpoint

    def _is_over(self) -> bool:
        return self.is_resting or self.failed_in_a_row >= LOOKS_DOWN or time.monotonic() > self.until

    def _due(self) -> list[UUID]:
        due = _first_of_each(self.endpoint_id).where(WebhookMessage.due_at <= clock.now())
        ordered = due.order_by(WebhookMessage.attempts, WebhookMessage.event_seq).limit(BATCH)
        return list(session().scalars(ordered.with_only_columns(WebhookMessage.id)))

    def _record(self, message_id: UUID, outcome: hooks.Outcome) -> None:
        """Write down what came of a call; what was removed meanwhile is left."""
        endpoint = _locked(self.endpoint_id)
        message = session().get(WebhookMessage, message_id, with_for_update=True, populate_existing=True)
        if endpoint is None or message is None:
            return
        tried = WebhookTry(message_id=message.id, status=outcome.status, took_ms=outcome.took_ms, error=outcome.error)
        session().add(tried)
        message.attempts += 1
        if outcome.is_good:
            self._arrived(endpoint, message)
        else:
            self._failed(endpoint, message, outcome)

    def _arrived(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> None:
        now = clock.now()
        message.state, message.sent_at = "sent", now
        was_down = endpoint.failing_since is not None and now - endpoint.failing_since >= AT_LEAST
        endpoint.failing_since, endpoint.succeeded_at = None, now
        self.failed_in_a_row, self.sent = 0, self.sent + 1
        if was_down:  # it is back: what waits need not wait any longer
            self._all_waiting(now, WebhookMessage.due_at > now)

    def _failed(self, endpoint: WebhookEndpoint, message: WebhookMessage, outcome: hooks.Outcome) -> None:
        now = clock.now()
        self.failed_in_a_row += 1
        endpoint.failing_since = endpoint.failing_since or now
        if message.attempts > len(BACKOFF) and now - message.created_at >= NEARLY_A_DAY:
            message.state = "failed"
        elif message.state == "waiting":
            message.due_at = now + _backoff(message.attempts)
        log.info("webhook not delivered", endpoint_id=str(endpoint.id), status=outcome.status, error=outcome.error)
        if endpoint.state != "active":
            return
        if outcome.status == hooks.GONE:
            _pause(endpoint, "gone")
        elif now - endpoint.failing_since >= NEARLY_A_DAY:
            _pause(endpoint, "failing")
        elif outcome.rest or self.failed_in_a_row >= LOOKS_DOWN:
            again = now + (min(outcome.rest, RESTS_AT_MOST) or max(AT_LEAST, hold_off(endpoint, now)))
            self._all_waiting(again, WebhookMessage.due_at < again)
            self.is_resting = bool(outcome.rest)

    def _all_waiting(self, due_at: datetime, *which: object) -> None:
        session().flush()
        mine = WebhookMessage.endpoint_id == self.endpoint_id, WebhookMessage.state == "waiting"
        session().execute(update(WebhookMessage).where(*mine, *which).values(due_at=due_at))  # type: ignore[arg-type]

    def _come_back(self) -> None:
        """End the turn, and ask for the next one when something more is to be sent: now, or when it is due.

        The lease ends before it is looked what is due: whoever brings something new finds no turn, or is found.
        """
        endpoint = _locked(self.endpoint_id)
        if endpoint is None or endpoint.served_until != self.leased_until:
            return
        endpoint.served_until = None
        session().flush()
        if endpoint.state != "active":
            return
        first = _first_of_each(self.endpoint_id).with_only_columns(WebhookMessage.due_at)
        due_at = session().scalar(first.order_by(WebhookMessage.due_at).limit(1))
        if due_at is not None:
            pause = timedelta(0) if self.sent else timedelta(seconds=1)
            soon(self.endpoint_id, max(due_at - clock.now(), pause))


def _locked(endpoint_id: UUID) -> WebhookEndpoint | None:
    return session().get(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)


def _post(endpoint: WebhookEndpoint, message_id: UUID) -> Call | None:
    """The call that delivers a message; None when it waits no more."""
    message = session().get(WebhookMessage, message_id, populate_existing=True)
    if message is None or message.state != "waiting":
        return None
    body = signing.body_of(message)
    return partial(hooks.post, endpoint.url, body, signing.headers(endpoint, message, body))


def _first_of_each(endpoint_id: UUID) -> Select[Any]:
    """The oldest waiting message of each object of a receiver."""
    before = aliased(WebhookMessage)
    earlier = select(before.id).where(
        before.endpoint_id == WebhookMessage.endpoint_id,
        before.object_key == WebhookMessage.object_key,
        before.state == "waiting",
        before.event_seq < WebhookMessage.event_seq,
    )
    mine = WebhookMessage.endpoint_id == endpoint_id, WebhookMessage.state == "waiting"
    return select(WebhookMessage).where(*mine, ~earlier.exists())


def _backoff(attempts: int) -> timedelta:
    """A little more or less than the plan says, so that receivers are not all asked at once."""
    plan = BACKOFF[min(attempts, len(BACKOFF)) - 1]
    return timedelta(seconds=plan * (0.9 + secrets.randbelow(200) / 1000))


def _pause(endpoint: WebhookEndpoint, why: str) -> None:
    endpoint.state, endpoint.paused_why = "paused", why
    record(SYSTEM, "webhook.paused", endpoint, why=why)
    session().flush()
    notices.tell_owner(endpoint, why)

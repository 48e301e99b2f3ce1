"""Delivery: what is due at a receiver goes out one after the other, oldest first for each object, until it is there.

A receiver is served by one worker at a time, for some seconds at most, so a slow one holds up nobody else for long. A
message that fails waits with backoff, and later ones of its object behind it; other objects go on. When nothing gets
through at all, everything waits, and after a day of that the receiver is paused and its owner is told. What a worker
that was killed had sent is sent again: at least once, under the same webhook-id.
"""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, text, update
from sqlalchemy.orm import aliased

from portal.core import clock, log, tasks
from portal.core.actor import SYSTEM
from portal.core.db import session
from portal.core.events import record
from portal.core.tasks import task
from portal.domain.webhooks import notices, signing
from portal.domain.webhooks.models import WebhookEndpoint, WebhookMessage, WebhookTry
from portal.gateways import hooks

# Seconds until the next try: a day in all.
BACKOFF = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
A_DAY = timedelta(hours=24)
NEARLY_A_DAY = timedelta(hours=23)  # the last try of the plan may come a little before the day is over
KEPT_FOR = timedelta(days=30)
TURN = 5.0  # seconds after which a worker begins no other message of this receiver
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
def pump(endpoint_id: str) -> None:
    """Send what is due at one receiver; whoever comes while another does leaves it to them."""
    alone = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
    if not session().scalar(alone, {"name": f"portal.webhooks:{endpoint_id}"}):
        return
    endpoint = session().get(WebhookEndpoint, UUID(endpoint_id), populate_existing=True)
    if endpoint is None or endpoint.state != "active":
        return
    _Turn(endpoint).serve()


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
    """One worker's turn at a receiver."""

    def __init__(self, endpoint: WebhookEndpoint) -> None:
        self.endpoint = endpoint
        self.until = time.monotonic() + TURN
        self.failed_in_a_row = 0
        self.sent = 0
        self.is_resting = False

    def serve(self) -> None:
        """Send batch after batch until nothing is due, time is up, or the receiver looks down."""
        while batch := self._take():
            for message in batch:
                self._send(message)
                if self._is_over():
                    return self._come_back()
        self._come_back()

    def _is_over(self) -> bool:
        is_down = self.is_resting or self.failed_in_a_row >= LOOKS_DOWN
        return is_down or self.endpoint.state != "active" or time.monotonic() > self.until

    def _take(self) -> list[WebhookMessage]:
        due = _first_of_each(self.endpoint.id).where(WebhookMessage.due_at <= clock.now())
        ordered = due.order_by(WebhookMessage.attempts, WebhookMessage.event_seq).limit(BATCH)
        return list(session().scalars(ordered.with_for_update(skip_locked=True, of=WebhookMessage)))

    def _send(self, message: WebhookMessage) -> None:
        body = signing.body_of(message)
        outcome = hooks.post(self.endpoint.url, body, signing.headers(self.endpoint, message, body))
        tried = WebhookTry(message_id=message.id, status=outcome.status, took_ms=outcome.took_ms, error=outcome.error)
        session().add(tried)
        message.attempts += 1
        if outcome.is_good:
            self._arrived(message)
        else:
            self._failed(message, outcome)

    def _arrived(self, message: WebhookMessage) -> None:
        now = clock.now()
        message.state, message.sent_at = "sent", now
        was_down = self.endpoint.failing_since is not None and now - self.endpoint.failing_since >= AT_LEAST
        self.endpoint.failing_since, self.endpoint.succeeded_at = None, now
        self.failed_in_a_row, self.sent = 0, self.sent + 1
        if was_down:  # it is back: what waits need not wait any longer
            self._all_waiting(now, WebhookMessage.due_at > now)

    def _failed(self, message: WebhookMessage, outcome: hooks.Outcome) -> None:
        now, endpoint = clock.now(), self.endpoint
        self.failed_in_a_row += 1
        endpoint.failing_since = endpoint.failing_since or now
        if message.attempts > len(BACKOFF) and now - message.created_at >= NEARLY_A_DAY:
            message.state = "failed"
        else:
            message.due_at = now + _backoff(message.attempts)
        log.info("webhook not delivered", endpoint_id=str(endpoint.id), status=outcome.status, error=outcome.error)
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
        mine = WebhookMessage.endpoint_id == self.endpoint.id, WebhookMessage.state == "waiting"
        session().execute(update(WebhookMessage).where(*mine, *which).values(due_at=due_at))  # type: ignore[arg-type]

    def _come_back(self) -> None:
        """Ask for the next turn when something more is to be sent: now, or when it is due."""
        session().flush()
        if self.endpoint.state != "active":
            return
        first = _first_of_each(self.endpoint.id).with_only_columns(WebhookMessage.due_at)
        due_at = session().scalar(first.order_by(WebhookMessage.due_at).limit(1))
        if due_at is not None:
            pause = timedelta(0) if self.sent else timedelta(seconds=1)  # somebody else has a hand on it
            soon(self.endpoint.id, max(due_at - clock.now(), pause))


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

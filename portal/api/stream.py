"""Listening: what happened as it happens, for server-sent events and WebSockets alike.

A listener waits for nudges without a database connection, then looks in a transaction of its own, as whoever the token
stands for at that moment. Redis only makes it quick: without it the listener looks every few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID
from weakref import WeakSet

from flask import current_app

from portal.api import bearer
from portal.core import live
from portal.core.actor import Actor
from portal.core.errors import TooMany, Unavailable, refuse
from portal.core.text import lazy as _
from portal.domain.access import actors
from portal.domain.identity.tokens import TokenRefused
from portal.domain.notifications import stream
from portal.domain.notifications.stream import Batch

SCOPE = "notifications:read"
HEARTBEAT = 15.0  # seconds; also the longest between two looks
SOON, PACE = 0.25, 0.1  # seconds: while numbers are unsettled; between two looks however often one is nudged
MOST_OPEN = 10  # streams of one account in one process


class TooManyStreams(TooMany):
    """The account listens often enough already."""

    code = "too_many_streams"
    sentence = _("This account has too many streams open. Please close one first.")


class Places:
    """Which streams each account has open in this process; a forgotten one counts no more."""

    def __init__(self) -> None:
        self._open: dict[UUID, WeakSet[Listener]] = {}
        self._lock = threading.Lock()

    def take(self, listener: Listener) -> None:
        """One more; raises TooManyStreams."""
        with self._lock:
            mine = self._open.setdefault(listener.user_id, WeakSet())
            if len(mine) >= MOST_OPEN:
                raise TooManyStreams(retry_after=int(HEARTBEAT))
            mine.add(listener)

    def give(self, listener: Listener) -> None:
        """One less; a second time is no mistake."""
        with self._lock:
            mine = self._open.get(listener.user_id, WeakSet())
            mine.discard(listener)
            if not mine:
                self._open.pop(listener.user_id, None)


places = Places()


class Listener:
    """One open stream: whose it is and how far it has come."""

    def __init__(self, actor: Actor, token: str, last_id: str | None) -> None:
        """Begin after the record with `last_id`, or now. Raises Invalid, CannotResume or TooManyStreams."""
        self.app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
        self.user_id = actor.user_id or refuse(bearer.NoToken)
        self.address, self.token = actor.address, token
        self.channels = stream.channels(actor)
        self.position = stream.begin(last_id)
        places.take(self)

    def close(self) -> None:
        places.give(self)

    def renew(self, token: str) -> None:
        """Go on with a newer token of the same account; raises TokenRefused for any other."""
        if self.app.apart(lambda: self._actor(token)).user_id != self.user_id:
            raise TokenRefused
        self.token = token

    def follow(self, hear: Callable[[], None] = lambda: None) -> Iterator[Batch]:
        """What happens, batch by batch; an empty one says that all is well. Raises Refused when it is over.

        `hear` is called before each look: a newer token that has come counts before the earlier one is found over.
        """
        spoke = looked = 0.0
        with live.Ear(self.channels) as ear:
            while True:
                time.sleep(max(0.0, looked + PACE - time.monotonic()))
                hear()
                batch, looked = self._look(), time.monotonic()
                if batch.items or looked >= spoke + HEARTBEAT:
                    yield batch
                    spoke = time.monotonic()
                if not batch.more:
                    ear.wait(SOON if batch.unsettled else max(SOON, spoke + HEARTBEAT - time.monotonic()))

    def _look(self) -> Batch:
        try:
            batch: Batch = self.app.apart(lambda: stream.since(self._actor(self.token), self.position))
        except Unavailable:  # the database is away for a moment: nothing is lost by looking later
            return Batch([], self.position)
        self.position = batch.position
        return batch

    def _actor(self, token: str) -> Actor:
        actor = actors.by_bearer(token, self.address)
        bearer.need(actor, SCOPE)
        return actor

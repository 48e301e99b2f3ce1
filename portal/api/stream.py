"""Listening: what happened as it happens, for server-sent events and WebSockets alike.

A listener waits for nudges without a database connection, then looks in a transaction of its own, as whoever the token
stands for at that moment. Redis only makes it quick: without it the listener looks every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import current_app

from portal.api import bearer
from portal.core import live
from portal.core.actor import Actor
from portal.core.errors import Refused, Unavailable, refuse
from portal.core.hearing import CLOSING
from portal.core.open_streams import KEPT_EVERY, OpenStream, TooManyStreams
from portal.core.text import lazy as _
from portal.domain.access import actors
from portal.domain.identity.tokens import TokenRefused
from portal.domain.notifications import stream
from portal.domain.notifications.stream import Batch

SCOPE = "notifications:read"
HEARTBEAT = 15.0  # seconds; also the longest between two looks
SOON, PACE = 0.25, 0.1  # seconds: while numbers are unsettled; between two looks however often one is nudged


class Closing(Refused):
    """The process that holds this stream ends; nothing is lost by going on after the last id."""

    code, status = "closing", 503
    sentence = _("This connection ends because the portal starts anew. Please connect again.")


class Listener:
    """One open stream: whose it is and how far it has come."""

    def __init__(self, actor: Actor, token: str, last_id: str | None) -> None:
        """Begin after the record with `last_id`, or now. Raises Invalid, CannotResume or TooManyStreams."""
        self.app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
        self.user_id = actor.user_id or refuse(bearer.NoToken)
        self.address, self.token = actor.address, token
        self.channels = stream.channels(actor)
        self.position = stream.begin(last_id)
        self.opened = OpenStream.of_program(self.user_id)

    def close(self) -> None:
        self.opened.close()

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
        kept, topics = time.monotonic(), list[str]()
        with live.listen(self.channels) as ear:
            while True:
                time.sleep(max(0.0, looked + PACE - time.monotonic()))
                hear()
                batch, looked = self._look(), time.monotonic()
                if live.RIGHTS in topics or looked >= kept + KEPT_EVERY:
                    self._keep_open()
                    kept = looked
                ear.tune(self.channels)
                if batch.items or looked >= spoke + HEARTBEAT:
                    yield batch
                    spoke = time.monotonic()
                pause = SOON if batch.unsettled else max(SOON, spoke + HEARTBEAT - time.monotonic())
                topics = ear.wait(0 if batch.more else pause)
                if CLOSING in topics:
                    raise Closing

    def _look(self) -> Batch:
        try:
            batch: Batch = self.app.apart(self._since)
        except Unavailable:  # the database is away for a moment: nothing is lost by looking later
            return Batch([], self.position)
        self.position = batch.position
        return batch

    def _since(self) -> Batch:
        actor = self._actor(self.token)
        self.channels = stream.channels(actor)  # whoever lost a role or won one listens elsewhere from now on
        return stream.since(actor, self.position)

    def _keep_open(self) -> None:
        if not self.opened.may_go_on():
            raise TooManyStreams

    def _actor(self, token: str) -> Actor:
        actor = actors.by_bearer(token, self.address)
        bearer.need(actor, SCOPE)
        return actor

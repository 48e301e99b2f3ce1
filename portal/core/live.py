"""Nudges: telling open pages that something changed, never what. Redis carries them and may lose them.

A nudge leaves after the commit, from a thread of its own, so nobody waits for Redis and nothing fails without it.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import redis

from portal.core import log
from portal.core.db import after_commit, session

Away = redis.RedisError
GATHER = 0.05  # seconds for which errands are gathered
WHILE_DEAF = 3.0  # seconds between two looks while nothing can be heard
_client: redis.Redis | None = None


def connect(url: str) -> None:
    """Say at start where Redis is; nothing is opened until it is used."""
    global _client
    _client = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5, health_check_interval=30)


def client() -> redis.Redis:
    if _client is None:
        raise RuntimeError("live.connect was not called")
    return _client


def nudge(user_ids: Iterable[UUID | None], topic: str) -> None:
    """After the commit, tell these people's open pages that `topic` changed; pages then fetch what they may see."""
    ring([f"user:{user_id}" for user_id in user_ids if user_id], topic)


def ring(channels: Iterable[str], topic: str) -> None:
    """After the commit, tell whoever listens to these channels (such as clinic:<id>) that `topic` changed."""
    wanted = list(channels)
    if not wanted:
        return
    pending: list[tuple[str, str]] = session().info.setdefault("nudges", [])
    if not pending:
        after_commit(lambda: _send(session().info.pop("nudges", [])))
    pending.extend((channel, topic) for channel in wanted)


def listen(user_id: UUID, wait: float = 15.0) -> Iterator[str | None]:
    """The topics nudged for this user, as they come; None every `wait` seconds without one. Holds no database row."""
    with client().pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(f"user:{user_id}")
        while True:
            message = subscription.get_message(timeout=wait)
            yield json.loads(message["data"])["topic"] if message else None


class Ear:
    """Listens to channels, or to all whose name begins so (clinic:*); deaf while Redis is away, and then it only waits.

    Open it before the first look at the database, so that what happens between look and wait is heard.
    """

    def __init__(self, channels: Iterable[str]) -> None:
        self._channels = tuple(channels)
        self._line: Any = None

    def __enter__(self) -> Ear:
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def wait(self, seconds: float) -> None:
        """Return when something was nudged, at the latest after `seconds`; while Redis is away after WHILE_DEAF."""
        if self._line is None and not self._connect():
            time.sleep(min(seconds, WHILE_DEAF))
            return
        try:
            if self._line.get_message(timeout=seconds):
                while self._line.get_message(timeout=0):  # one look is enough for all of them
                    pass
        except (Away, OSError, ValueError):
            self._hang_up()

    def _connect(self) -> bool:
        try:
            self._line = client().pubsub(ignore_subscribe_messages=True)
            for channel in self._channels:
                (self._line.psubscribe if channel.endswith("*") else self._line.subscribe)(channel)
                self._line.get_message(timeout=1)  # that we are heard of
        except (Away, OSError, ValueError):
            self._hang_up()
        return self._line is not None

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(Away, OSError, ValueError):
                line.close()


class InBackground:
    """A thread that does small errands for Redis in batches, started when first needed, dropping what fails.

    `errand` gets the list of everything that came within GATHER seconds: an errand of its own for each booking costs
    the request's process, Redis and the worker a good part of what the booking itself costs.
    """

    def __init__(self, errand: Callable[[list[Any]], None], at_most: int = 100) -> None:
        self._errand, self._at_most = errand, at_most
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def give(self, thing: Any) -> None:
        self._waiting.put(thing)
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._work, daemon=True, name="portal-background")
                    self._thread.start()

    def _work(self) -> None:
        while True:
            batch = [self._waiting.get()]
            until = time.monotonic() + GATHER
            with suppress(queue.Empty):
                while len(batch) < self._at_most:
                    batch.append(self._waiting.get(timeout=max(0.0, until - time.monotonic())))
            try:
                self._errand(batch)
            except Exception as failed:
                log.warning(
                    "redis errand dropped, the sweep will find it", kind=type(failed).__name__, count=len(batch)
                )


def _publish(batch: list[tuple[str, str]]) -> None:
    pipe = client().pipeline(transaction=False)
    for channel, topic in dict.fromkeys(batch):
        pipe.publish(channel, json.dumps({"topic": topic}))
    pipe.execute()


_background = InBackground(_publish)


def _send(nudges: list[tuple[str, str]]) -> None:
    if _client is not None:
        for one in nudges:
            _background.give(one)

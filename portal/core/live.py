"""Nudges: telling open pages that something changed, never what. Redis carries them and may lose them.

A nudge leaves after the commit, from a thread of its own, so nobody waits for Redis and nothing fails without it.
However many listen, a process has one connection that hears (for them all, see hearing.py) and a few that speak.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from portal.core import faults, log
from portal.core.db import after_commit, session
from portal.core.hearing import Board, Ear

Away = redis.RedisError
GATHER = 0.05  # seconds for which errands are gathered
MOST_CONNECTIONS = 8  # that speak; whoever needs one more waits for PATIENCE
PATIENCE = 1.0  # seconds
PREFIX = "nudge:"  # of every channel, as Redis knows it
RIGHTS = "rights"  # the topic for streams alone: look at whether you may go on
SILENCE = 10.0  # seconds after which the line is asked whether it is still there
AGAIN_AFTER = 1.0  # seconds between two tries to hear
_client: redis.Redis | None = None
_board: Board | None = None


def connect(url: str) -> None:
    """Say at start where Redis is; nothing is opened until it is used."""
    global _client, _board
    _client = few(url, MOST_CONNECTIONS, "portal-speaks")
    line = redis.Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=5, retry=Retry(NoBackoff(), 0), client_name="portal-hears"
    )
    _board = Board(lambda board: _follow(line, board))


def few(url: str, most: int, name: str, timeout: float = 5) -> redis.Redis:
    """A client with at most so many connections, shown by Redis under this name; whoever needs one more waits a second.

    `timeout` (seconds) is for an answer. Raises Away when Redis is.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=most,
        timeout=PATIENCE,
        socket_connect_timeout=1,
        socket_timeout=timeout,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
        client_name=name,
    )
    return redis.Redis(connection_pool=pool)


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


def look_again(user_ids: Iterable[UUID | None]) -> None:
    """After the commit, the streams of these accounts look at whether they may go on: their rights have changed."""
    nudge(user_ids, RIGHTS)


def listen(channels: Iterable[str]) -> Ear:
    """An ear on these channels, or on all of a kind (clinic:*); see hearing.Ear."""
    if _board is None:
        raise RuntimeError("live.connect was not called")
    return Ear(_board, channels)


def close() -> None:
    """This process ends: every stream says goodbye (hearing.CLOSING), so that its reader connects again at once."""
    if _board:
        _board.close()


def listened_to() -> frozenset[str]:
    """The channels somebody in this process listens to."""
    return _board.channels if _board else frozenset()


class InBackground:
    """A thread that does small errands for Redis in batches, started when first needed, dropping what fails.

    `errand` gets the list of everything that came within GATHER seconds: an errand of its own for each booking costs
    the request's process, Redis and the worker a good part of what the booking itself costs.
    """

    def __init__(self, errand: Callable[[list[Any]], None], at_most: int = 100) -> None:
        self._errand, self._at_most = errand, at_most
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # a fork copies what waits but not the thread

    def _begin(self) -> None:
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
        pipe.publish(PREFIX + channel, json.dumps({"topic": topic}))
    pipe.execute()


def _follow(line: redis.Redis, board: Board) -> None:
    """Hand out every nudge of the portal to this process's ears until nobody listens; comes back when Redis does.

    It hears all channels and not those listened to alone: a stream then opens without asking Redis, none is subscribed
    twice or left behind, and passing over a nudge costs some 15 microseconds.
    """
    while not board.is_over():
        try:
            return _hear(line, board)
        except Exception as away:
            board.lost()
            log.warning("nothing is heard, streams look by themselves", reason=faults.reason(away))
            time.sleep(AGAIN_AFTER)


def _hear(line: redis.Redis, board: Board) -> None:
    with line.pubsub() as subscription:
        subscription.psubscribe(f"{PREFIX}*")
        asked = False
        while True:
            message = subscription.get_message(timeout=SILENCE)
            if message is None and asked:
                raise redis.TimeoutError("nothing came, not even an answer")
            asked = message is None
            if message is None:
                subscription.ping()
            elif message["type"] == "psubscribe":
                board.heard()
            elif message["type"] == "pmessage":
                channel = message["channel"].decode().removeprefix(PREFIX)
                board.tell(channel, json.loads(message["data"])["topic"])
            if board.is_over():
                return


_background = InBackground(_publish)


def _send(nudges: list[tuple[str, str]]) -> None:
    if _client is not None:
        for one in nudges:
            _background.give(one)

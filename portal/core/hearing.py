"""Who listens to which channel in this process, and what each of them was told.

One thread reads what Redis carries and hands it out here, in memory. Telling an ear never waits: an ear only remembers
the topics until its owner asks, so a slow listener holds nobody up and grows no queue.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable

EVERYTHING = "all"  # the topic that means: something may have been missed, look at everything
CLOSING = "closing"  # the topic for streams alone: this process ends, say goodbye
MOST_TOPICS = 100  # that an ear remembers one by one; beyond that it is told EVERYTHING
OPENS_WITHIN = 1.0  # seconds an ear waits to be heard of before its owner looks at the database
WHILE_DEAF = 3.0  # seconds between two looks while nothing can be heard


class Board:
    """The ears of this process by channel. `follow(board)` reads the line; it runs in a thread while anybody listens.

    `follow` calls `heard` when it hears, `lost` when it does not any more, `tell` for each nudge, and returns as soon
    as `is_over` says so.
    """

    def __init__(self, follow: Callable[[Board], None]) -> None:
        self._follow = follow
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # a fork copies the ears but not the thread that tells them

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._ears: dict[str, set[Ear]] = {}
        self._hears = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False

    @property
    def channels(self) -> frozenset[str]:
        """What is listened to now."""
        with self._lock:
            return frozenset(self._ears)

    @property
    def is_deaf(self) -> bool:
        return not self._hears.is_set()

    def add(self, ear: Ear, channels: Iterable[str]) -> None:
        """Tell this ear what comes on these channels, and have somebody read the line."""
        with self._lock:
            for channel in channels:
                self._ears.setdefault(channel, set()).add(ear)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="portal-hearing")
                self._thread.start()
            closing = self._closing
        if closing:
            ear.tell(CLOSING)

    def close(self) -> None:
        """Tell every ear, and whoever comes later, that this process ends."""
        with self._lock:
            self._closing = True
            ears = {ear for ears in self._ears.values() for ear in ears}
        for ear in ears:
            ear.tell(CLOSING)

    def remove(self, ear: Ear, channels: Iterable[str]) -> None:
        with self._lock:
            for channel in channels:
                ears = self._ears.get(channel, set())
                ears.discard(ear)
                if not ears:
                    self._ears.pop(channel, None)

    def wait_until_heard(self, seconds: float) -> None:
        self._hears.wait(seconds)

    def tell(self, channel: str, topic: str) -> None:
        """Whoever listens to this channel, or to all of its kind (clinic:*), is told of the topic."""
        with self._lock:
            ears = {*self._ears.get(channel, ()), *self._ears.get(f"{channel.partition(':')[0]}:*", ())}
        for ear in ears:
            ear.tell(topic)

    def heard(self) -> None:
        """The line is open. Whoever had to do without it is told that they may have missed something."""
        with self._lock:
            ears = {ear for ears in self._ears.values() for ear in ears if ear.is_open}
            self._hears.set()
        for ear in ears:
            ear.tell(EVERYTHING)

    def lost(self) -> None:
        self._hears.clear()

    def is_over(self) -> bool:
        """Whether nobody listens any more: then the thread ends, and the next ear starts another."""
        with self._lock:
            if self._ears:
                return False
            self._thread = None
            self._hears.clear()
            return True

    def _run(self) -> None:
        try:
            self._follow(self)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():  # it fell: the next ear starts another
                    self._thread = None
                    self._hears.clear()


class Ear:
    """Listens to channels, or to all of a kind (clinic:*); deaf while Redis is away, and then it only waits.

    Open it before the first look at the database, so that what happens between look and wait is heard.
    """

    def __init__(self, board: Board, channels: Iterable[str]) -> None:
        self._board, self._channels = board, frozenset(channels)
        self._topics: dict[str, None] = {}
        self._told, self._lock = threading.Event(), threading.Lock()
        self.is_open = False

    def __enter__(self) -> Ear:
        self._board.add(self, self._channels)
        self._board.wait_until_heard(OPENS_WITHIN)
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self._board.remove(self, self._channels)

    def tune(self, channels: Iterable[str]) -> None:
        """Listen to these channels from now on."""
        wanted = frozenset(channels)
        if wanted != self._channels:
            before, self._channels = self._channels, wanted
            self._board.add(self, wanted - before)
            self._board.remove(self, before - wanted)

    def wait(self, seconds: float) -> list[str]:
        """The topics told since the last call, each once; waits up to `seconds` for one, while deaf WHILE_DEAF."""
        self._told.wait(min(seconds, WHILE_DEAF) if self._board.is_deaf else seconds)
        self._told.clear()
        with self._lock:
            topics, self._topics = self._topics, {}
        return list(topics)

    def tell(self, topic: str) -> None:
        """Remember the topic and wake the owner; never waits for them."""
        with self._lock:
            if len(self._topics) >= MOST_TOPICS:
                topic, self._topics = EVERYTHING, {}
            self._topics[topic] = None
        self._told.set()

"""A crowd of browsers that listen: many streams of one real portal, read by one thread."""

from __future__ import annotations

import resource
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from portal.core.actor import Actor
from portal.domain.identity import accounts, sessions

AT_ONCE = 100  # that connect together


class Crowd:
    """Open streams; `hear(topic)` waits until all have been told of it."""

    def __init__(self, base_url: str) -> None:
        self.host = urlsplit(base_url).netloc
        self._came: dict[socket.socket, bytes] = {}
        self._ready = selectors.DefaultSelector()

    def __len__(self) -> int:
        return len(self._came)

    def join(self, cookies: list[str]) -> None:
        """One more stream for each of these sessions; returns when all are answered."""
        address = (self.host.split(":")[0], int(self.host.split(":")[1]))
        for first in range(0, len(cookies), AT_ONCE):
            for cookie in cookies[first : first + AT_ONCE]:
                one = socket.create_connection(address, timeout=30)
                one.sendall(f"GET /live HTTP/1.1\r\nHost: {self.host}\r\nCookie: portal={cookie}\r\n\r\n".encode())
                self._came[one] = b""
                self._ready.register(one, selectors.EVENT_READ)
            self._until(b"retry: 3000")

    def hear(self, topic: str, within: float = 60) -> float:
        """Wait until every stream was told of the topic; returns the seconds it took."""
        return self._until(f"data: {topic}\n".encode(), within)

    def close(self) -> None:
        self._ready.close()
        for one in self._came:
            one.close()
        self._came = {}

    def _until(self, wanted: bytes, within: float = 60) -> float:
        began = time.monotonic()
        missing = {one for one, came in self._came.items() if wanted not in came}
        while missing:
            left = began + within - time.monotonic()
            assert left > 0, f"{len(missing)} of {len(self)} did not hear {wanted!r}"
            for key, _ in self._ready.select(left):
                one: Any = key.fileobj
                came = one.recv(65536)
                assert came, f"a stream ended: {self._came[one][-200:]!r}"
                self._came[one] += came
                if wanted in self._came[one]:
                    missing.discard(one)
        return time.monotonic() - began


@contextmanager
def crowd(base_url: str) -> Iterator[Crowd]:
    """An empty crowd before this portal; it goes home when the block ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    people = Crowd(base_url)
    try:
        yield people
    finally:
        people.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def cookie_of(app: Flask, user_id: Any) -> str:
    """The cookie of a browser in which this person has signed in; needs an application context."""
    _opened, token = sessions.start(Actor(door="web", address="127.0.0.1"), accounts.get(user_id), "a crowd")
    writer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(writer.dumps({"_user_id": token, "_fresh": True, "_permanent": True}))

"""Anchors: what is kept of each seal of the audit outside the database, so that a chain cut short is noticed.

A place is a file on this host, to which a line of JSON is appended and synced to disk, or an https:// address, to which
it is posted. A task yields the putting (docs/decisions/0026); the same seal twice does no harm.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from portal.core import db

TIMEOUTS = (5, 15)  # seconds to connect, to answer


class Place(Protocol):
    """Where anchors go. `name` tells it apart in tasks and logs, and carries no secret of its address."""

    name: str

    def put(self, anchor: Mapping[str, Any]) -> None: ...
    def read(self) -> Iterator[tuple[int, str]]: ...
    def check(self) -> None: ...


_places: dict[str, Place] = {}


def connect(places: Sequence[str]) -> None:
    """Say at start where anchors go: absolute paths and https:// addresses."""
    _places.clear()
    for number, where in enumerate(places, 1):
        place = File(Path(where)) if where.startswith("/") else Web(where, number)
        _places[place.name] = place


def places() -> list[Place]:
    return list(_places.values())


def put(name: str, anchor: Mapping[str, Any]) -> None:
    """Keep an anchor at a place; raises OSError when it could not. A place that is no longer one is left out."""
    db.no_transaction()
    if place := _places.get(name):
        place.put(anchor)


def read(path: Path) -> Iterator[tuple[int, str]]:
    """Number and digest of each seal in a file of JSON lines: of anchors, or of a log, whatever stands before."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if found := _parsed(line):
                yield found


class File:
    """A file that is only appended to."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path)

    def put(self, anchor: Mapping[str, Any]) -> None:
        with self.path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.tell() and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n":
                file.write(b"\n")  # after a line that was cut by a crash
            file.write(json.dumps(dict(anchor)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[tuple[int, str]]:
        if self.path.exists():
            yield from read(self.path)

    def check(self) -> None:
        """Raises OSError when it cannot be written."""
        self.path.open("ab").close()


class Web:
    """An address that takes POST of the anchor as JSON; 2xx is taken."""

    def __init__(self, url: str, number: int) -> None:
        self.url, self.name = url, f"{number}:{urlsplit(url).hostname}"

    def put(self, anchor: Mapping[str, Any]) -> None:
        with requests.post(self.url, json=dict(anchor), timeout=TIMEOUTS, allow_redirects=False, stream=True) as answer:
            self._judge(answer)

    def _judge(self, answer: requests.Response) -> None:
        if not 200 <= answer.status_code < 300:
            raise requests.HTTPError(f"{self.name} answered {answer.status_code}")

    def read(self) -> Iterator[tuple[int, str]]:
        yield from ()  # what was sent is compared by hand: --anchor

    def check(self) -> None:
        """Nothing is sent to find out."""


def _parsed(line: str) -> tuple[int, str] | None:
    """A log may stand before the JSON with the name of its process; other entries have no such fields."""
    if '"digest"' not in line:
        return None
    try:
        entry = json.loads(line[line.index("{") :])
        return int(entry["number"]), str(entry["digest"])
    except (ValueError, KeyError, TypeError):
        return None

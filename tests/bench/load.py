"""The load: a process of its own that sends prepared requests over keep-alive sockets and times the answers.

    python -m tests.bench.load plan.pickle

Cheap on purpose, because it shares the cores with what it measures: bytes are made beforehand, an answer is read to its
end and only its status is looked at.
"""

from __future__ import annotations

import json
import pickle
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle


@dataclass
class Plan:
    """What to send: one list of requests per client; for `seconds`, or each once when that is 0."""

    port: int
    seconds: float
    clients: list[list[bytes]]


@dataclass
class Tally:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    first_bad: bytes = b""


class Connection:
    """One keep-alive connection, opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self.port, self.socket, self.rest = port, socket.socket(), b""
        self._open()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send it and read the whole answer; returns its status and its bytes."""
        try:
            self.socket.sendall(request)
            return self._read()
        except (ConnectionError, TimeoutError):
            self._open()
            return 0, b"connection lost"

    def _open(self) -> None:
        self.socket.close()
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _read(self) -> tuple[int, bytes]:
        data = self._more()
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        status = int(head[9:12])
        if (at := head.find(b"content-length:")) >= 0:
            length = int(head[at + 15 : (head + b"\r\n").index(b"\r\n", at)])
            while len(data) < end + 4 + length:
                data += self._more()
        elif b"transfer-encoding: chunked" in head:
            while not data.endswith(b"0\r\n\r\n"):
                data += self._more()
        if b"connection: close" in head:
            self._open()
        return status, data

    def _more(self) -> bytes:
        found = self.socket.recv(65536)
        if not found:
            raise ConnectionError
        return found


def run(plan: Plan) -> dict[str, object]:
    """Play the plan; returns statuses, the seconds it took, and latencies in milliseconds."""
    tallies = [Tally() for _ in plan.clients]
    together = threading.Barrier(len(plan.clients) + 1)
    threads = [
        threading.Thread(target=_client, args=(plan, requests, tally, together), daemon=True)
        for requests, tally in zip(plan.clients, tallies, strict=True)
    ]
    for thread in threads:
        thread.start()
    together.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    times = sorted(one for tally in tallies for one in tally.times)
    statuses = sum((tally.statuses for tally in tallies), Counter())
    bad = next((tally.first_bad for tally in tallies if tally.first_bad), b"")
    return {
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "seconds": took,
        "p50": 1000 * _at(times, 0.50),
        "p99": 1000 * _at(times, 0.99),
        "bad": bad[:400].decode(errors="replace"),
    }


def _client(plan: Plan, requests: list[bytes], tally: Tally, together: threading.Barrier) -> None:
    connection = Connection(plan.port)
    together.wait()
    until = time.perf_counter() + plan.seconds
    for request in _endless(requests) if plan.seconds else requests:
        began = time.perf_counter()
        if plan.seconds and began > until:
            return
        status, answer = connection.ask(request)
        tally.times.append(time.perf_counter() - began)
        tally.statuses[status] += 1
        if (status == 0 or status >= 400) and not tally.first_bad:
            tally.first_bad = answer


def _endless(requests: list[bytes]) -> Iterator[bytes]:
    return cycle(requests)


def _at(times: list[float], part: float) -> float:
    return times[min(len(times) - 1, int(len(times) * part))] if times else 0.0


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as source:
        told: Plan = pickle.load(source)
    sys.setswitchinterval(0.001)
    print(json.dumps(run(told)))

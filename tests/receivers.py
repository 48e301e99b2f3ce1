"""A receiver of webhooks: a real HTTP server on this machine that keeps what it got and answers as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass(frozen=True)
class Got:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Where webhooks go in tests. `answer` says with which status; a number of 300 and more comes with a Location."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], int] = lambda got: 204
        self.says: dict[str, str] = {}  # headers that go with it
        self.waits = 0.0
        self.at_once = self.most_at_once = 0
        self.first = threading.Event()  # something came in
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def is_down(self) -> None:
        self.answer = lambda got: 503

    def is_up(self) -> None:
        self.answer = lambda got: 204

    @property
    def types(self) -> list[str]:
        return [one.body["type"] for one in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers["Content-Length"]))
        got = Got(request.path, {name.lower(): value for name, value in request.headers.items()}, raw)
        with self._lock:
            self.got.append(got)
            self.first.set()
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.waits)
        with self._lock:
            self.at_once -= 1
        status = self.answer(got)
        request.send_response(status)
        if status >= 300:
            request.send_header("Location", f"http://127.0.0.1:{self.port}/elsewhere")
        for name, value in self.says.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()

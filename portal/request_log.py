"""One entry in the log for each request, written when its answer is over; for a stream that is when it ends.

It names the rule of the route and never the address, which may hold a secret or what was searched for. It also keeps
what an answer fails of from the server's own log, which would name the address and the exception's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

from flask import Response, g, request

from portal.core import log
from portal.core.actor import NOBODY, Actor

KEY = "portal.request"
QUIET = "ops."  # health checks and metrics: asked every few seconds, told at DEBUG


class BrokenOff(Exception):
    """The answer ended in the middle; why stands in the log under its correlation id."""


class RequestLog:
    """WSGI middleware around the application, inside everything that answers without it (static files)."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        entry = environ[KEY] = Entry(environ["REQUEST_METHOD"])
        try:
            return _Body(self._app(environ, entry.noting(start_response)), entry)
        except (StopIteration, ConnectionError):  # how a WebSocket's conversation tells its server that it is over
            entry.write()
            raise
        except Exception as error:
            entry.fail(error)
        raise BrokenOff  # outside of the clause, so that it carries nothing of what it stands for


class Entry:
    """What becomes one line: filled in by `note`, written once."""

    def __init__(self, method: str) -> None:
        self._began = perf_counter()
        self._quietly = self._written = False
        self._facts: dict[str, Any] = {"method": method, "route": None, "status": 101}

    def noting(self, start_response: Callable[..., Any]) -> Callable[..., Any]:
        """`start_response`, which also tells the status here."""

        def start(status: str, *rest: Any) -> Any:
            self._facts["status"] = int(status[:3])
            return start_response(status, *rest)

        return start

    def about(self, actor: Actor) -> None:
        """Which route answered, and who asked: ids and codes only."""
        self._facts |= {
            "route": request.url_rule.rule if request.url_rule else None,
            "door": actor.door,
            "user_id": str(actor.user_id) if actor.user_id else None,
            "session_id": str(actor.session_id) if actor.session_id else None,
            "correlation_id": g.get("correlation_id"),
        }
        self._quietly = (request.endpoint or "").startswith(QUIET)

    def fail(self, error: Exception) -> None:
        """The answer ends here, before it is whole."""
        log.error("answer broken off", exc_info=error, **self._known("route", "correlation_id"))
        self._facts["broken_off"] = True
        self.write()

    def write(self) -> None:
        if not self._written:
            self._written = True
            took = round((perf_counter() - self._began) * 1000, 1)
            log.request(quietly=self._quietly, **self._facts, duration_ms=took)

    def _known(self, *names: str) -> dict[str, Any]:
        return {name: self._facts[name] for name in names if name in self._facts}


def note(answer: Response) -> Response:
    """Tell the entry of this request what only the application knows; for `Flask.process_response`."""
    entry = request.environ.get(KEY)
    if entry is not None:
        entry.about(g.get("actor", NOBODY))
    return answer


class _Body:
    """An answer's body, which writes the entry at its end, or when it is closed before."""

    def __init__(self, body: Iterable[bytes], entry: Entry) -> None:
        self._body, self._entry = body, entry

    def __iter__(self) -> Iterator[bytes]:
        failed = None
        try:
            yield from self._body
        except Exception as error:
            failed = error
        if failed is not None:
            self._entry.fail(failed)
            raise BrokenOff
        self._entry.write()

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._entry.write()

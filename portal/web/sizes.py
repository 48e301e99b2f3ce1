"""How large a request may be, judged by the portal itself so that its answer is a page or a problem.

The servers in front have limits of their own, above these; what they refuse never reaches the portal, and they answer
in their own words. Bodies: MAX_CONTENT_LENGTH, and less where an endpoint says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request

from portal.core.errors import AddressTooLong, HeadTooLarge

MOST_ADDRESS = 4096  # characters of path and query
MOST_HEAD = 8000  # characters of all header fields together; gunicorn takes 8190 of one


class BrokenOff(OSError):
    """The body ended before it was whole, or is not what its head says: 400, as when a client goes away."""


class Whole:
    """A body whose server may raise anything: whatever it is, the request is broken and not the portal."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._asked(lambda: self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._asked(lambda: self._stream.readline(size))

    def _asked(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except Exception as wrong:
            raise BrokenOff from wrong


class Bodies:
    """WSGI: bodies that come in chunks are read through Whole."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = Whole(environ["wsgi.input"])
        return self.app(environ, start_response)  # type: ignore[no-any-return]


def guard(app: Flask) -> None:
    """Put it before every request of the application."""
    app.wsgi_app = Bodies(app.wsgi_app)  # type: ignore[method-assign]


def check() -> None:
    """Go on if address and head are of a usual size; raises AddressTooLong or HeadTooLarge."""
    if len(request.path) + len(request.query_string) > MOST_ADDRESS:
        raise AddressTooLong
    head = sum(len(value) for name, value in request.environ.items() if name.startswith("HTTP_"))
    if head > MOST_HEAD:
        raise HeadTooLarge

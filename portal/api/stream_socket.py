"""WebSockets (RFC 6455) on the connection a WSGI server hands us: gunicorn's and the development server's do."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from flask import Response, request
from simple_websocket import ConnectionClosed, Server
from simple_websocket import ConnectionError as NotAccepted
from wsproto.utilities import ProtocolError

from portal.core.errors import Refused
from portal.core.text import lazy as _

SOCKETS = ("werkzeug.socket", "gunicorn.socket")  # where servers keep the connection
MOST_BYTES = 8 * 1024  # of a message that comes in
PING_EVERY = 15.0  # seconds; who does not answer a ping until the next is gone
STUCK_AFTER = 30.0  # seconds for which somebody may not read what is sent


class UpgradeRequired(Refused):
    """This address speaks WebSocket and nothing else."""

    code, status = "upgrade_required", 426
    sentence = _("Please connect to this address with a WebSocket (version 13).")


class NoSockets(Refused):
    """The server that runs this process keeps its connections to itself."""

    code, status = "no_websockets", 501
    sentence = _("WebSockets are not offered here. Please listen to /stream instead.")


class Conversation(Response):
    """An answer that, instead of being sent, takes the connection over until `talk` returns."""

    def __init__(self, talk: Callable[[Server], None]) -> None:
        super().__init__(status=101)
        self.talk = talk

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        own = {name: _Whole(environ[name]) for name in SOCKETS if name in environ}
        try:
            with suppress(NotAccepted, ProtocolError, OSError):
                ear = Server.accept({**environ, **own}, ping_interval=PING_EVERY, max_message_size=MOST_BYTES)
                try:
                    with suppress(ConnectionClosed):
                        self.talk(ear)
                finally:
                    _hang_up(ear)
        finally:
            self.close()
        if "werkzeug.socket" in environ:
            raise ConnectionError  # the server then leaves the connection alone
        raise StopIteration  # for gunicorn


class _Whole:
    """A socket that sends all it is given: a cooperative one may send a part, and half a frame is none."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(STUCK_AFTER)

    def send(self, data: bytes) -> int:
        self.sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


def check() -> None:
    """Go on if the request asks for a WebSocket and this server can give one; raises UpgradeRequired or NoSockets."""
    asked = request.headers
    upgrades = "websocket" in asked.get("Upgrade", "").lower() and "upgrade" in asked.get("Connection", "").lower()
    if not upgrades or asked.get("Sec-WebSocket-Version") != "13" or not asked.get("Sec-WebSocket-Key"):
        raise UpgradeRequired
    if not any(name in request.environ for name in SOCKETS):
        raise NoSockets


def _hang_up(ear: Server) -> None:
    with suppress(ConnectionClosed, OSError):
        ear.close()
    with suppress(OSError):
        ear.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads, so that it ends now
    ear.thread.join(2)

"""A wire to an engine of the tests that can be cut: whoever is told its port has the engine go away, and no other."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress

from tests.engines import Ground


class Wire:
    """A port of this machine behind which this socket is, until it is cut."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._serve()

    @classmethod
    def to_postgresql(cls, ground: Ground) -> Wire:
        found = re.search(r"host=([^&]+)", ground.admin_url)
        assert found
        return cls(f"{found[1]}/.s.PGSQL.5432")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """End every connection, and take none."""
        for one in (self._server, *self._opened):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._opened.clear()

    def mend(self) -> None:
        """Take connections again, at the same port."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = server.accept()
                there = socket.socket(socket.AF_UNIX)
                self._opened.extend((here, there))
                there.connect(self._path)
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while said := one.recv(65536):
            other.sendall(said)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

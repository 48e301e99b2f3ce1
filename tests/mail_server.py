"""A mail server on this machine, as much of one as a client needs, that keeps what it took."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Server(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs (RFC 5321), or one that refuses."""

    received: list[bytes]
    refuses = False

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().strip():
            word = line[:4].upper()
            if word == b"EHLO":
                self._say("250-here\r\n250-8BITMIME\r\n250 SMTPUTF8")
            elif word == b"DATA":
                self._say("354 go on")
                self.received.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self._say("250 taken")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("550 no" if self.refuses and word == b"RCPT" else "250 fine")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[tuple[str, type[Server]]]:
    """Its address, and the class whose `received` holds the messages it took and whose `refuses` can be set."""
    handler = type("Handler", (Server,), {"received": []})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"smtp://127.0.0.1:{listening.server_address[1]}", handler
        listening.shutdown()

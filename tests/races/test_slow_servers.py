"""A mail server that hangs holds up nothing else: no transaction stays open, and codes and links do not wait."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from portal import embedded
from portal.core.actor import NOBODY
from portal.core.db import keep
from portal.domain.identity import credentials
from portal.domain.notifications import delivery
from portal.domain.webhooks import endpoints, notices
from tests import processes
from tests.builders import make_user
from tests.engines import environment

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("drills")]
BULK = 100


class Slow:
    """A mail server that takes letters for one address, and never answers about any other."""

    def __init__(self, quick: str) -> None:
        self.taken: list[Any] = []
        self.hanging = threading.Event()
        self.over = threading.Event()
        slow = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    self._say(b"220 ready")
                    while line := self.rfile.readline().strip():
                        self._answer(line)

            def _answer(self, line: bytes) -> None:
                if line.upper().startswith(b"RCPT") and quick.encode() not in line:
                    slow.hanging.set()
                    slow.over.wait(60)
                elif line.upper() == b"DATA":
                    self._say(b"354 go on")
                    lines = b"".join(iter(self.rfile.readline, b".\r\n"))
                    slow.taken.append(message_from_bytes(lines, policy=policy.default))
                self._say(b"250 fine")

            def _say(self, words: bytes) -> None:
                self.wfile.write(words + b"\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(amina: Any) -> Iterator[Slow]:
    slow = Slow(amina.email)
    yield slow
    slow.close()


@pytest.fixture
def database_name(request: Any) -> str:
    return str(request.getfixturevalue("_committed"))


@pytest.fixture
def portal(ground: Any, database_name: str, committed: Any, server: Slow, tmp_path: Any) -> Iterator[processes.Portal]:
    """A worker and a clock that send by that server, on a Redis of their own."""
    with embedded.start(tmp_path / "engines", fast=True, want_postgres=False) as engines:
        more = {"PORTAL_DATA": str(tmp_path / "portal"), "REDIS_URL": engines.redis_url, "MAIL_URL": server.url}
        with processes.running(
            environment(ground, database_name, 0, **more), tmp_path / "log", "worker", "clock"
        ) as made:
            yield made


def test_a_link_somebody_waits_for_passes_a_hundred_letters_that_hang(
    committed, server, amina, admin, el_djazair, ground, database_name, portal
):
    hook, _secret = endpoints.make(admin.actor, url="http://127.0.0.1:9/", clinic_id=el_djazair.clinic_id)
    endpoints.pause(admin.actor, hook.id)
    for number in range(BULK):
        delivery.tell(make_user("Guest", f"Number{number}"), notices.PAUSED, hook, f"bulk:{number}", why="failing")
    keep()
    assert server.hanging.wait(60), "the letters are on their way"
    time.sleep(1)
    asked = time.monotonic()
    credentials.forgot(NOBODY, amina.email)
    keep()
    while not server.taken:
        assert time.monotonic() - asked < 20, "the link waits behind the letters"
        time.sleep(0.05)
    assert amina.email in str(server.taken[0]["To"])
    assert _open_for_long(ground, database_name) == []


def _open_for_long(ground: Any, database: str) -> list[Any]:
    """What the portal's own connections have had open for more than two seconds."""
    engine = create_engine(ground.url_of(database).replace("postgresql://", "postgresql+psycopg2://", 1))
    try:
        with engine.connect() as connection:
            asked = text(
                "SELECT state, query FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '2 seconds'"
            )
            return list(connection.execute(asked))
    finally:
        engine.dispose()

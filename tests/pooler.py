"""A real PgBouncer in front of the tests' PostgreSQL, for tests of it and, with PGBOUNCER=transaction, for all of them.

Whoever makes, drops or migrates databases goes past it, as OPERATIONS.md says.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest

from portal import embedded

if TYPE_CHECKING:
    from tests.engines import Ground

POOLED = os.environ.get("PGBOUNCER", "")
UNPOOLED = pytest.mark.skipif(bool(POOLED), reason="looks at the connections of the server itself")
PORT = 6432
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pooled(ground: Ground, mode: str, size: int = 90) -> Iterator[Ground]:
    """The same databases, for the application through a PgBouncer in this mode with `size` connections each."""
    assert PROGRAM, "PgBouncer is not installed (Debian: pgbouncer)"
    server = re.search(r"host=([^&]+)", ground.admin_url)
    assert server
    place = Path(server[1]).parent / "pooler"
    user = embedded._postgres_user()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    written = {
        "users": '"portal_app" ""\n"portal" ""\n"postgres" ""\n',
        "ini": f"[databases]\n* = host={server[1]}\n[pgbouncer]\npool_mode = {mode}\nlisten_port = {PORT}\n"
        f"listen_addr =\nunix_socket_dir = {place}\nauth_type = trust\nauth_file = {place}/users\n"
        f"default_pool_size = {size}\nmax_client_conn = 2000\nserver_idle_timeout = 5\nlogfile = {place}/log\n"
        f"max_db_connections = {size}\n",
    }
    for name, words in written.items():
        (place / name).write_text(words)
    if user:
        for path in (place, *place.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
    process = subprocess.Popen(
        [PROGRAM, "-q", place / "ini"], preexec_fn=embedded.end_with_parent(15), **embedded._as_user(user)
    )
    url = ground.database_url.replace(server[0], f"host={place}&port={PORT}")
    try:
        _wait(url)
        yield replace(ground, database_url=url)
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str) -> None:
    give_up = time.monotonic() + 20
    while True:
        try:
            return psycopg2.connect(url, connect_timeout=5).close()
        except psycopg2.OperationalError:
            assert time.monotonic() < give_up
            time.sleep(0.05)

"""The embedded engines: they start anywhere, leave nothing behind, and recover from any end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from portal import embedded

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("embedded")]  # one worker runs them, one after the other


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="portal-engines-") as made:
        yield Path(made)


def test_everything_the_portal_needs_is_there(place: Path) -> None:
    with embedded.start(place, fast=True) as engines:
        with psycopg2.connect(engines.database_url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT extname FROM pg_extension")
            assert set(embedded.EXTENSIONS) <= {name for (name,) in cursor.fetchall()}
            cursor.execute("SELECT current_user, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user")
            assert cursor.fetchone() == ("portal_app", False, False)
            cursor.execute("SELECT similarity('طبيب', 'طبيبة') > 0, lower('É'), unaccent('é')")
            assert cursor.fetchone() == (True, "é", "e")
        connection.close()
        admin = psycopg2.connect(engines.admin_url)
        admin.autocommit = True
        admin.cursor().execute("CREATE DATABASE another OWNER portal TEMPLATE portal")
        admin.close()
        with redis.from_url(engines.redis_url) as client:
            assert client.ping()


def test_stop_leaves_no_process_and_keeps_the_rows(place: Path) -> None:
    engines = embedded.start(place, fast=True)
    _execute(engines.owner_url, "CREATE TABLE kept (n int)")
    started = _children()
    assert started
    engines.stop()
    engines.stop()
    _, alive = psutil.wait_procs(started, timeout=5)
    assert alive == []
    with embedded.start(place, fast=True, want_redis=False) as again:
        assert again.redis_url == ""
        _execute(again.owner_url, "INSERT INTO kept VALUES (1)")


def test_killing_the_owner_ends_the_engines_and_the_next_start_recovers(place: Path) -> None:
    owner = _owner(place)
    engines = psutil.Process(owner.pid).children(recursive=True)
    owner.kill()
    owner.communicate()
    if sys.platform == "linux":
        _, alive = psutil.wait_procs(engines, timeout=20)
        assert alive == []
    with embedded.start(place, fast=True) as again:
        _execute(again.database_url, "SELECT 1")


def test_killing_everything_at_once_is_recovered_from(place: Path) -> None:
    owner = _owner(place)
    for process in [*psutil.Process(owner.pid).children(recursive=True), owner]:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    owner.communicate()
    with embedded.start(place, fast=True) as again:
        _execute(again.database_url, "SELECT 1")


def test_an_engine_that_dies_is_revived(place: Path) -> None:
    with embedded.start(place, fast=True) as engines:
        assert engines.revive() == []
        for child in _children(recursive=False):
            child.kill()
        psutil.wait_procs(_children(recursive=False), timeout=5)
        assert sorted(engines.revive()) == ["PostgreSQL", "Redis"]
        _execute(engines.database_url, "SELECT 1")


def test_a_second_start_joins_the_first_and_stops_nothing(place: Path) -> None:
    owner = _owner(place)
    with embedded.start(place, fast=True) as joined:
        _execute(joined.admin_url, "DROP ROLE portal_app")  # as in a cluster from before there were two roles
    with embedded.start(place, fast=True) as joined:
        _execute(joined.database_url, "SELECT 1")
    owner.terminate()
    owner.communicate()


def test_a_path_too_long_for_a_socket_is_no_obstacle(place: Path) -> None:
    deep = place / ("a" * 60) / ("b" * 60)
    with embedded.start(deep, fast=True) as engines:
        _execute(engines.database_url, "SELECT 1")
        with redis.from_url(engines.redis_url) as client:
            assert client.ping()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_a_directory_only_root_can_reach_is_no_obstacle(place: Path) -> None:
    place.chmod(0o700)
    with embedded.start(place / "var", fast=True) as engines:
        _execute(engines.owner_url, "CREATE TABLE kept (n int)")
    home = Path((place / "var" / "postgres.place").read_text())
    with embedded.start(place / "var", fast=True) as engines:
        _execute(engines.owner_url, "INSERT INTO kept VALUES (1)")
    (place / "var" / "postgres.place").unlink()
    with embedded.start(place / "var", fast=True, want_redis=False) as engines:
        _execute(engines.owner_url, "CREATE TABLE kept (n int)")
    assert not home.exists()


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _children(*, recursive: bool = True) -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=recursive):
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's helpers come and go
            if child.name() in {"postgres", "redis-server"}:
                found.append(child)
    return found


def _owner(place: Path) -> subprocess.Popen[str]:
    """Another process that has started the engines."""
    code = "import sys, time, pathlib; from portal import embedded\n"
    code += "engines = embedded.start(pathlib.Path(sys.argv[1]), fast=True); print('up', flush=True); time.sleep(120)"
    owner = subprocess.Popen([sys.executable, "-c", code, str(place)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    time.sleep(0.1)
    return owner

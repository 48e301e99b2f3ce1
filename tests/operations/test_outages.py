"""What people notice when something dies: they ask again, and what was answered is there, once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from portal import __main__ as starting
from portal import embedded, worker
from tests.engines import Ground
from tests.rules.source import ROOT
from tests.standing import Host, on_a_host
from tests.traffic import *  # noqa: F403 - people who come, as fixtures
from tests.traffic import Plain, visits
from tests.wires import Wire

pytestmark = [pytest.mark.drill, pytest.mark.long, pytest.mark.xdist_group("drills")]
AWAY = 10.0  # seconds
NEXT = "the secret that comes after the one the tests know"
RESTART = 2.0  # seconds after which a unit that ended is started again (RestartSec)


@pytest.fixture
def wire(ground: Ground) -> Iterator[Wire]:
    with Wire.to_postgresql(ground) as one:
        yield one


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[embedded.Engines]:
    """A Redis that nobody else has."""
    with embedded.start(tmp_path / "engines", fast=True, want_postgres=False) as own:
        yield own


@pytest.fixture
def host(ground: Ground, _committed: str, wire: Wire, engines: Any, tmp_path: Path) -> Iterator[Host]:
    """All of the portal, on a database that can go away and a Redis of its own."""
    url = f"postgresql://portal_app@127.0.0.1:{wire.port}/{_committed}"
    with on_a_host(ground, _committed, 0, tmp_path, DATABASE_URL=url, REDIS_URL=engines.redis_url) as made:
        made.start("web", port=made.ports[0])
        for name in ("live", "worker", "clock"):
            made.start(name)
        yield made


@pytest.fixture
def coming(host: Host, traffic: Any) -> Any:
    """People who ask again when they get no answer, until the block ends."""
    return traffic(Plain(host.ports[0]), host.told["BASE_URL"], again=True)


def test_postgresql_goes_away_and_comes_back(host: Host, wire: Wire, coming: Any, saw: Any) -> None:
    with coming:
        time.sleep(3)
        wire.cut()
        time.sleep(AWAY)
        refused = coming.asked_again
        wire.mend()
        back = time.monotonic()
        while coming.asked_again > refused:
            refused = coming.asked_again
            time.sleep(1.2)
        took = time.monotonic() - back
        time.sleep(3)
    saw(f"PostgreSQL away for {AWAY:.0f} s, 5 requests a second", f"{coming.counted}; {visits()} rows")
    assert coming.lost == [] and coming.booked == visits() > 30
    assert {status for status in coming.refusals if status != 503} == set()
    assert took < 10


def test_redis_goes_away_and_comes_back_empty(host: Host, engines: Any, coming: Any, saw: Any) -> None:
    with coming:
        time.sleep(3)
        server = engines.parts[0].process
        server.kill()
        server.wait()
        time.sleep(AWAY)
        engines.revive()
        redis.Redis.from_url(engines.redis_url).flushall()
        until = time.monotonic() + 30
        while not worker.workers_seen(engines.redis_url):
            assert time.monotonic() < until
            time.sleep(0.2)
        time.sleep(2)
    saw(f"Redis killed, away for {AWAY:.0f} s and back empty", f"{coming.counted}; {visits()} rows; the worker is seen")
    assert coming.lost == [] and coming.asked_again == 0 and coming.booked == visits() > 30


def test_every_process_is_killed(host: Host, coming: Any, saw: Any) -> None:
    web = f"web-{host.ports[0]}"
    with coming:
        time.sleep(2)
        psutil.Process(host.standing[web].pid).children()[0].send_signal(signal.SIGKILL)  # one of two that answer
        time.sleep(6)
        for key in (web, "live-0", "worker-0", "clock-0"):
            process = host.standing.pop(key)
            family = [*psutil.Process(process.pid).children(recursive=True), process]
            for one in family:
                one.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(RESTART)
            name, port = key.split("-")
            host.start(name, port=int(port))
        time.sleep(2)
    saw("kill -9 of a process of web, of web, live, worker and clock", f"{coming.counted}; {visits()} rows")
    assert coming.lost == [] and coming.booked == visits() > 30


def test_a_web_that_is_stopped_while_it_starts_leaves_no_process(ground: Ground, tmp_path: Path, saw: Any) -> None:
    with on_a_host(ground, "portal", 0, tmp_path) as host:
        command = [sys.executable, "-m", "portal", "web"]
        web = subprocess.Popen(command, cwd=ROOT, env=host.told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while len(family := psutil.Process(web.pid).children()) < 2:
            assert time.monotonic() < until
            time.sleep(0.02)
        began = time.monotonic()
        web.terminate()
        web.wait(starting.STOP_SECONDS + 15)
    saw("web stopped while its processes still start", f"all of them ended within {time.monotonic() - began:.1f} s")
    assert not any(one.is_running() for one in family)


@pytest.mark.drill("SECRET_KEY")
def test_another_secret_comes_while_people_are_signed_in(host: Host, coming: Any, saw: Any) -> None:
    with coming:
        time.sleep(3)
        host.told |= {"SECRET_KEY_PREVIOUS": host.told["SECRET_KEY"], "SECRET_KEY": NEXT}
        host.exchange("web", ROOT, host.ports[0])
        for name in ("live", "worker", "clock"):
            host.exchange(name, ROOT)
        time.sleep(3)
    verified, moved = host.flask("audit", "verify"), host.flask("reencrypt")
    told = f"{coming.counted}; {visits()} rows; audit verify ends with {verified.returncode}"
    saw("another SECRET_KEY, the former one in SECRET_KEY_PREVIOUS, tokens made before", told)
    assert coming.lost == [] and coming.booked == visits() > 20
    assert (verified.returncode, moved.returncode) == (0, 0), verified.stdout + moved.stderr

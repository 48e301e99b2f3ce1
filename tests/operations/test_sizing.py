"""What each process takes of a host while it has work: memory, and connections to PostgreSQL and Redis."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import psutil
import pytest
import yaml
from flask import Flask

from portal import embedded
from portal.core.db import keep
from tests.crowd import cookie_of, crowd
from tests.engines import Ground
from tests.rules.source import ROOT
from tests.standing import TOKEN, Host, on_a_host
from tests.traffic import *  # noqa: F403 - people who come, as fixtures
from tests.traffic import Plain, visits
from tests.wires import Wire

pytestmark = [pytest.mark.drill("Sizing"), pytest.mark.long, pytest.mark.xdist_group("drills")]
AT_ONCE, REQUESTS = 32, 1500


@pytest.fixture
def wires(ground: Ground, tmp_path: Path) -> Iterator[tuple[Wire, Wire]]:
    """To PostgreSQL, and to a Redis that nobody else has."""
    with (
        embedded.start(tmp_path / "engines", fast=True, want_postgres=False) as engines,
        Wire.to_postgresql(ground) as rows,
        Wire(unquote(urlsplit(engines.redis_url).path)) as queue,
    ):
        yield rows, queue


@pytest.fixture
def host(ground: Ground, _committed: str, wires: tuple[Wire, Wire], tmp_path: Path) -> Iterator[Host]:
    rows, queue = wires
    url = f"postgresql://portal_app@127.0.0.1:{rows.port}/{_committed}"
    redis_url = f"redis://127.0.0.1:{queue.port}/0"
    with on_a_host(ground, _committed, 0, tmp_path, DATABASE_URL=url, REDIS_URL=redis_url) as made:
        made.start("web", port=made.ports[0])
        for name in ("live", "worker", "clock"):
            made.start(name)
        yield made


def test_what_each_process_takes_is_what_the_documents_say(
    host: Host, wires: tuple[Wire, Wire], committed: Flask, travellers: list[UUID], traffic: Any, saw: Any
) -> None:
    ask = Plain(host.ports[0])
    coming = traffic(ask, host.told["BASE_URL"])
    pages = ("/", "/doctors", "/account/sign-in", "/api/v1/doctors", "/api/v1/appointments")
    with ThreadPoolExecutor(AT_ONCE) as people:
        list(people.map(lambda number: coming._one(number), range(200)))
        statuses = set(people.map(lambda number: ask("GET", pages[number % len(pages)]).status, range(REQUESTS)))
    assert statuses <= {200, 401} and visits() == 100
    assert {_counted(host) for _ in range(10)} == {100}  # whichever process answers
    cookies = [cookie_of(committed, one) for one in travellers for _ in range(5)]
    keep()
    with crowd(f"http://127.0.0.1:{host.live_port}") as listeners:
        listeners.join(cookies)
        _look(host, wires, len(cookies), saw)


def _look(host: Host, wires: tuple[Wire, Wire], streams: int, saw: Any) -> None:
    limits = _limits()
    total, connections = 0.0, 0
    for key, process in host.standing.items():
        name = key.partition("-")[0]
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        memory = sum(_memory(one.pid) for one in family)
        to_rows, to_redis = (sum(_connections(one, wire.port) for one in family) for wire in wires)
        saw(
            f"{name}, {200 + REQUESTS} requests, {AT_ONCE} at once, {streams} streams",
            f"{memory:.0f} MB in {len(family)} processes, {to_rows} connections to PostgreSQL, {to_redis} to Redis",
        )
        assert memory < 0.75 * limits[name], name
        total, connections = total + memory, connections + to_rows
    saw("all of them", f"{total:.0f} MB, {connections} connections to PostgreSQL")
    said = re.search(r"^\| together \|[^|]*\| (\d+) MB", (ROOT / "docs/OPERATIONS.md").read_text(), re.M)
    assert said and total < 1.25 * int(said[1])


def _counted(host: Host) -> int:
    """How many bookings /metrics tells of."""
    address = f"http://127.0.0.1:{host.ports[0]}/metrics"
    asked = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        lines = [one for one in answer.read().decode().splitlines() if one.startswith("portal_requests_total{")]
    found = [one for one in lines if 'method="POST"' in one and "api_v1." in one and 'status="201"' in one]
    return sum(int(float(one.rpartition(" ")[2])) for one in found)


def _memory(pid: int) -> float:
    """Megabytes of it, what it shares with others counted in part (PSS)."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return int(found[1]) / 1024 if found else 0.0


def _connections(process: psutil.Process, port: int) -> int:
    return sum(
        one.status == psutil.CONN_ESTABLISHED and one.raddr.port == port for one in process.net_connections("tcp")
    )


def _limits() -> dict[str, float]:
    """What compose lets each take, in megabytes."""
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    said = {name: one["deploy"]["resources"]["limits"]["memory"] for name, one in services.items()}
    return {name: float(one[:-1]) * {"M": 1, "G": 1024}[one[-1]] for name, one in said.items()}

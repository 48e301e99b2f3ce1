"""Drills: real processes that are really killed. Nothing half-done, nothing lost, nothing told twice."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
import pytest
import redis
from rq import Queue
from sqlalchemy import create_engine, text

from portal import embedded, worker
from portal.core.db import keep, session
from portal.domain.doctors.models import Practice
from portal.domain.identity import signing
from portal.domain.scheduling.models import VisitType
from portal.gateways.mail import Mailbox
from tests import leaks, processes
from tests.builders import at, grant_for, make_opening, make_patient, make_user, working_day
from tests.engines import environment

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("drills")]
WEB = (
    "{python}", "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2",
    "--blocking-threads", "16", "--workers-kill-timeout", "5", "--no-access-log", "wsgi:app",
)  # fmt: skip


class Client:
    """A program at the API."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url, self.token = base_url, token

    def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """The status and body of the answer; raises OSError when there is none."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.base_url}/api/v1{path}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as no:
            return no.code, json.load(no)


@pytest.fixture(scope="module")
def _portal(ground, number, _committed, tmp_path_factory) -> Iterator[processes.Portal]:
    place = tmp_path_factory.mktemp("drills")
    with embedded.start(place / "engines", fast=True, want_postgres=False) as engines:
        told = environment(
            ground, _committed, 0, PORTAL_DATA=str(place / "portal"), REDIS_URL=engines.redis_url, LOG_LEVEL="INFO"
        )
        web = tuple(part.replace("{python}", sys.executable) for part in WEB)
        with processes.running(told, place / "log", web=web) as running:
            running.engines, running.mail = engines, place / "portal" / "mail"  # type: ignore[attr-defined]
            yield running


@pytest.fixture
def portal(_portal, committed) -> Iterator[processes.Portal]:
    """The portal as in production: Granian, a worker and a clock, on a Redis of its own that can be killed."""
    _portal.engines.revive()
    missing = [name for name in _portal.commands if name not in _portal.processes]
    if missing:
        _portal.start(*missing)
    Mailbox(_portal.mail).clear()
    yield _portal
    _settle(_portal)
    keep()


@pytest.fixture
def sent(_portal) -> Callable[[], Counter[str]]:
    """How many letters about a visit each address got."""

    def count() -> Counter[str]:
        letters = Mailbox(_portal.mail).read(limit=10_000)
        return Counter(str(letter["To"]) for _, letter in letters)

    return count


@pytest.fixture
def guests(committed) -> Callable[[int], list[UUID]]:
    """So many patients; the ids of their accounts."""

    def make(size: int) -> list[UUID]:
        people = []
        for number in range(size):
            user = make_user("Guest", f"Number{number}")
            make_patient(user)
            people.append(user.id)
        keep()
        return people

    return make


def test_with_the_worker_stopped_bookings_go_on_and_each_is_confirmed_once_when_it_is_back(
    portal, guests, sent, dr_benali, el_djazair, saw
):
    portal.stop("worker", "clock")
    walls = ("08:00", "08:30", "09:00", "09:30")
    people = _clients(portal, guests(len(walls)))
    assert [_book(one, dr_benali, el_djazair, wall)[0] for one, wall in zip(people, walls, strict=True)] == [201] * 4
    assert not sent()
    portal.start("worker", "clock")
    _until(lambda: len(sent()) == 5)  # four patients and the doctor
    _settle(portal)
    saw("worker and clock stopped, 4 bookings, both started again", f"letters: {_letters(sent)}")
    assert sorted(sent().values()) == [1, 1, 1, 1, 4]


def test_with_redis_killed_bookings_go_on_and_confirmations_follow_when_it_is_back(
    portal, guests, sent, dr_benali, el_djazair, saw
):
    walls = ("08:00", "08:30", "09:00", "09:30", "10:00", "10:30")
    people = _clients(portal, guests(len(walls)))
    statuses = [_book(people[0], dr_benali, el_djazair, walls[0])[0]]
    server = portal.engines.parts[0].process
    server.kill()
    server.wait()
    statuses += [_book(one, dr_benali, el_djazair, wall)[0] for one, wall in zip(people[1:], walls[1:], strict=True)]
    assert statuses == [201] * 6
    portal.engines.revive()
    _until(lambda: len(sent()) == 7, within=60)
    _settle(portal)
    saw("Redis killed after the first of 6 bookings", f"6 × 201; letters: {_letters(sent)}")
    assert sorted(sent().values()) == [1] * 6 + [6]


@pytest.mark.drill("Redis empty")
def test_a_worker_is_seen_again_when_redis_comes_back_empty(portal, guests, sent, dr_benali, el_djazair, saw):
    url = portal.engines.redis_url
    _until(lambda: worker.workers_seen(url) == 1)
    redis.Redis.from_url(url).flushall()
    assert worker.workers_seen(url) == 0
    emptied = time.monotonic()
    _until(lambda: worker.workers_seen(url) == 1)
    saw("FLUSHALL", f"0 workers seen, then 1 after {time.monotonic() - emptied:.1f} s, and it works")
    (one,) = _clients(portal, guests(1))
    assert _book(one, dr_benali, el_djazair, "08:00")[0] == 201
    _until(lambda: len(sent()) == 2)


@pytest.mark.drill("A worker's name")
def test_a_worker_that_was_killed_comes_back_under_the_same_host_name_and_process_id(portal, monkeypatch, saw):
    """As in a container, where both are the same after each restart."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    queue = Queue("another", connection=redis.Redis.from_url(portal.engines.redis_url))
    before, after = (worker.Worker([queue], name=worker._name()) for _ in range(2))
    before.register_birth()  # and is killed: it never says that it ends
    after.register_birth()
    saw("a worker killed and started again under the same host name and process id", f"{before.name}, {after.name}")


def test_killing_the_worker_in_the_middle_loses_no_letter_and_sends_none_twice(
    portal, guests, sent, dr_benali, el_djazair, saw
):
    walls = [f"{hour:02}:{minute:02}" for hour in (8, 9, 10, 11, 13, 14, 15) for minute in (0, 30)]
    people = _clients(portal, guests(len(walls)))
    for one, wall in zip(people, walls, strict=True):
        assert _book(one, dr_benali, el_djazair, wall)[0] == 201
        if wall in {"09:00", "11:00", "14:00"}:
            portal.stop("worker", by=signal.SIGKILL)
            portal.start("worker")
    _until(lambda: len(sent()) == len(walls) + 1, within=90)
    _settle(portal)
    saw(f"kill -9 of the worker three times during {len(walls)} bookings", f"letters: {_letters(sent)}")
    assert max(sent()[address] for address in sent() if "guest" in address) == 1


def test_killing_the_web_mid_request_leaves_nothing_half_done(portal, committed, guests, dr_benali, el_djazair, saw):
    walls = [f"{hour:02}:{minute:02}" for hour in (8, 9, 10, 11, 13, 14, 15) for minute in (0, 30)]
    people = _clients(portal, guests(len(walls)))
    answers: list[int] = []

    def book(one: Client, wall: str) -> None:
        try:
            answers.append(_book(one, dr_benali, el_djazair, wall)[0])
        except OSError:
            answers.append(0)

    threads = [threading.Thread(target=book, args=pair) for pair in zip(people, walls, strict=True)]
    for thread in threads:
        thread.start()
    time.sleep(0.03)
    _kill_tree(portal.processes["web"].pid)
    for thread in threads:
        thread.join()
    portal.stop("web", by=signal.SIGKILL)
    portal.start("web")
    with create_engine(_url(portal)).connect() as database:
        visits = database.scalar(text("SELECT count(*) FROM appointments"))
        whole = database.scalar(
            text(
                "SELECT count(*) FROM appointments a"
                " WHERE (SELECT count(*) FROM occupancies o WHERE o.appointment_id = a.id) = 2"
                " AND EXISTS (SELECT FROM events e WHERE e.subject_id = a.id AND e.name = 'appointment.booked')"
                " AND EXISTS (SELECT FROM tasks t WHERE t.args ->> 1 = CAST(a.id AS text))"
            )
        )
        taken = database.scalar(text("SELECT count(*) FROM occupancies"))
    told = f"{answers.count(201)} answered, {visits} visits, {whole} of them whole, {taken} places taken"
    saw(f"kill -9 of web in the middle of {len(walls)} bookings", told)
    assert visits == whole and taken == 2 * visits
    assert visits >= answers.count(201)
    free = [wall for wall in walls if _book(people[0], dr_benali, el_djazair, wall, ahead=3)[0] == 201]
    assert free  # it serves again


def test_two_hundred_clients_after_ten_places_make_ten_appointments(
    portal, committed, guests, dr_benali, el_djazair, saw
):
    practice = session().get_one(Practice, dr_benali.practice_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    make_opening(practice, [kind], on_date=working_day(5), starts="18:00", ends="18:30", capacity=10)
    people = _clients(portal, guests(200))
    with ThreadPoolExecutor(200) as crowd:
        results = list(crowd.map(lambda one: _book(one, dr_benali, el_djazair, "18:00", ahead=5), people))
    counted = Counter(status for status, _ in results)
    saw("200 people after 10 places", ", ".join(f"{n} × {status}" for status, n in sorted(counted.items())))
    assert counted == {201: 10, 409: 190}
    refused = next(answer for status, answer in results if status == 409)
    assert refused["code"] == "taken" and refused["alternatives"]


def test_two_clocks_and_two_workers_tell_each_person_once(portal, guests, sent, dr_benali, el_djazair, saw):
    with processes.running(portal.environment, portal.log / "second", "worker", "clock"):
        walls = ("08:00", "08:30", "09:00", "09:30")
        people = _clients(portal, guests(len(walls)))
        for one, wall in zip(people, walls, strict=True):
            assert _book(one, dr_benali, el_djazair, wall)[0] == 201
        _until(lambda: len(sent()) == 5)
        _settle(portal)
    saw("two clocks and two workers, 4 bookings", f"letters: {_letters(sent)}")
    assert sorted(sent().values()) == [1, 1, 1, 1, 4]


def _clients(portal: processes.Portal, people: list[UUID]) -> list[Client]:
    """Programs that are signed in; the portal's secret is the tests' own, so tokens in its name count there."""
    own = signing.issuer()
    signing.issue_as(portal.base_url)
    try:
        clients = [Client(portal.base_url, grant_for(one).access_token) for one in people]
    finally:
        signing.issue_as(own)
    keep()
    return clients


def test_a_reason_stands_nowhere_but_with_its_visit_when_statements_and_tasks_fail(
    portal, guests, sent, dr_benali, el_djazair, ground
):
    database = urlsplit(portal.environment["DATABASE_URL"]).path[1:]
    first, second = _clients(portal, guests(2))
    with leaks.refusing(ground, database, "appointments", "INSERT"):
        assert _book(first, dr_benali, el_djazair, "08:00", reason=leaks.MARKER)[0] == 500
    with leaks.refusing(ground, database, "deliveries", "UPDATE"):  # its message quotes the reason of every visit
        assert _book(second, dr_benali, el_djazair, "08:30", reason=leaks.MARKER)[0] == 201
        _until(lambda: leaks.failed_tasks(ground, database) > 0)
    leaks.again_at_once(ground, database)
    _until(lambda: len(sent()) == 2)
    _settle(portal)
    ground.administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    assert _book(first, dr_benali, el_djazair, "09:00", reason=leaks.MARKER)[0] in {201, 503}
    said = "".join(portal.said(name) for name in ("web", "worker", "clock"))
    for message in ('"message": "request failed"', '"message": "task failed"', '"message": "request"'):
        assert message in said
    assert "sqlstate P0001" in said
    kept = {"logs": said, **leaks.elsewhere(ground, database, portal.engines.redis_url, portal.mail)}
    assert [name for name, words in kept.items() if leaks.MARKER in words] == []


def _book(
    client: Client, doctor: Any, clinic: Any, wall: str, ahead: int = 2, **more: Any
) -> tuple[int, dict[str, Any]]:
    return client.post(
        "/appointments",
        **more,
        practice_id=str(doctor.practice_id),
        visit_type_id=str(clinic.consultation_id),
        starts_at=at(wall, ahead).isoformat(),
    )


def _letters(sent: Callable[[], Counter[str]]) -> str:
    """How many people got how many letters."""
    of_each = Counter(sent().values())
    return ", ".join(
        f"{n} to {people} {'person' if people == 1 else 'people'}" for n, people in sorted(of_each.items())
    )


def _until(true: Callable[[], bool], within: float = 40.0) -> None:
    give_up = time.monotonic() + within
    while not true():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.1)


def _settle(portal: processes.Portal) -> None:
    """Until no task waits any more."""
    engine = create_engine(_url(portal))
    try:

        def idle() -> bool:
            with engine.connect() as database:
                return not database.scalar(
                    text("SELECT count(*) FROM tasks WHERE state = 'waiting' AND name LIKE 'notif%'")
                )

        _until(idle, within=60)
    finally:
        engine.dispose()


def _url(portal: processes.Portal) -> str:
    return portal.environment["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)


def _kill_tree(pid: int) -> None:
    parent = psutil.Process(pid)
    for process in [*parent.children(recursive=True), parent]:
        with suppress(psutil.NoSuchProcess):
            process.kill()

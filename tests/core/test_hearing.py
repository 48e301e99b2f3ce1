"""However many listen, one connection hears for all of them, and a few speak."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
import redis

from portal import worker
from portal.core import hearing, live
from portal.core.hearing import EVERYTHING, MOST_TOPICS, Ear
from tests.engines import ROOT

AFTER_A_FORK = """
import os
from portal.core import live
live.connect(os.environ["REDIS_URL"])

def hear(channel):
    with live.listen([channel]) as ear:
        live._send([(channel, "schedule")])
        assert ear.wait(20) == ["schedule"]

hear("user:parent")
child = os.fork()
if child == 0:
    hear("user:child")
    os._exit(0)
hear("user:parent")
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(autouse=True)
def connected(app: Any) -> None:
    """The portal knows where Redis is."""


@pytest.fixture
def ours(ground: Any, number: int) -> Iterator[Any]:
    """A function: the connections of this name to this worker's Redis database."""
    with redis.from_url(ground.redis_of(number)) as redis_:

        def connections(name: str) -> list[dict[str, str]]:
            return [one for one in redis_.client_list() if (one["name"], one["db"]) == (name, str(number))]

        connections.end = redis_.client_kill_filter  # type: ignore[attr-defined]
        yield connections


def heard(ear: Ear, within: float = 20) -> list[str]:
    """What this ear is told next."""
    until = time.monotonic() + within
    while not (topics := ear.wait(max(0, until - time.monotonic()))):
        assert time.monotonic() < until, "nothing came"
    return topics


def test_a_nudge_reaches_whoever_listens_to_its_channel_or_to_all_of_its_kind() -> None:
    mine, clinic = f"user:{uuid4()}", f"clinic:{uuid4()}"
    with live.listen([mine]) as me, live.listen([clinic, mine]) as desk, live.listen(["clinic:*"]) as superadmin:
        live._send([(clinic, "appointment.booked"), (mine, "schedule"), (mine, "notifications")])
        assert heard(me) == ["schedule", "notifications"]
        assert sorted(heard(desk) + desk.wait(0.2)) == ["appointment.booked", "notifications", "schedule"]
        assert "appointment.booked" in heard(superadmin)
        assert me.wait(0) == []


def test_three_hundred_listen_over_one_connection_while_nudges_and_tasks_leave(
    ours: Any, ground: Any, number: int
) -> None:
    channels = [f"user:{uuid4()}" for _ in range(300)]
    queue_url = ground.redis_of(number)
    before = worker.queued(queue_url)
    with ExitStack() as stack:
        ears = [stack.enter_context(live.listen([channel])) for channel in channels]
        live._send([(channel, "schedule") for channel in channels])
        assert [heard(ear) for ear in ears] == [["schedule"]] * 300
        assert len(ours("portal-hears")) == 1
        assert len(ours("portal-speaks")) <= live.MOST_CONNECTIONS
        worker.hand_over(queue_url)([uuid4()], "inside")
        until = time.monotonic() + 20
        while worker.queued(queue_url) == before:
            assert time.monotonic() < until, "the task was not handed over"
            time.sleep(0.02)
    assert live.listened_to().isdisjoint(channels)
    with redis.from_url(queue_url) as mine:
        mine.delete("rq:queue:portal")


def test_more_at_once_than_there_are_connections_wait_their_turn(ours: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3 * live.MOST_CONNECTIONS) as crowd:
        assert set(crowd.map(lambda _: live.client().ping(), range(100))) == {True}
    assert len(ours("portal-speaks")) <= live.MOST_CONNECTIONS


def test_a_slow_listener_holds_nobody_up_and_remembers_no_more_than_it_must() -> None:
    channel = f"user:{uuid4()}"
    with live.listen([channel]) as slow, live.listen([channel]) as quick:
        for first in range(0, 3 * MOST_TOPICS, 50):
            live._send([(channel, f"thread-{number}") for number in range(first, first + 50)])
            while f"thread-{first + 49}" not in heard(quick):
                pass
        assert len(slow._topics) <= MOST_TOPICS
        assert slow.wait(0)[0] == EVERYTHING


def test_a_process_that_ends_says_so_to_those_who_listen_and_to_those_who_still_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "_board", hearing.Board(lambda board: None))
    with live.listen(["user:a"]) as one, live.listen(["user:a", "clinic:*"]) as other:
        live.close()
        assert one.wait(5) == other.wait(5) == [hearing.CLOSING]
        with live.listen(["user:late"]) as late:
            assert late.wait(5) == [hearing.CLOSING]


def test_an_ear_is_tuned_to_other_channels() -> None:
    before, after, both = (f"clinic:{uuid4()}" for _ in range(3))
    with live.listen([before, both]) as ear:
        ear.tune([after, both])
        assert before not in live.listened_to()
        live._send([(before, "one"), (after, "two"), (both, "three")])
        assert sorted(heard(ear) + ear.wait(0.2)) == ["three", "two"]
    assert live.listened_to().isdisjoint({before, after, both})


def test_when_redis_comes_back_everybody_looks_once(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AGAIN_AFTER", 0.05)
    channel = f"user:{uuid4()}"
    with live.listen([channel]) as one, live.listen([channel]) as other:
        [line] = ours("portal-hears")
        ours.end(_id=line["id"])
        assert heard(one) == heard(other) == [EVERYTHING]
        live._send([(channel, "schedule")])
        assert heard(one) == heard(other) == ["schedule"]
        assert len(ours("portal-hears")) == 1


def test_without_redis_an_ear_only_waits(ground: Any, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "OPENS_WITHIN", 0.05)
    monkeypatch.setattr(hearing, "WHILE_DEAF", 0.05)
    live.connect("redis://127.0.0.1:1/0")
    try:
        began = time.monotonic()
        with live.listen(["user:somebody"]) as ear:
            assert ear.wait(30) == []
        assert time.monotonic() - began < 15
    finally:
        live.connect(ground.redis_of(number))


def test_a_fork_listens_and_speaks_for_itself(ground: Any, number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AFTER_A_FORK], cwd=ROOT, env={**os.environ, "REDIS_URL": ground.redis_of(number)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

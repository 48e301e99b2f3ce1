"""How often: counted in Redis for all processes, in memory while Redis is away."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest
import redis

from portal.core import limits
from portal.core.errors import NotFound, TooMany

RATE = "3 per minute"


@pytest.fixture
def without_redis(ground, number):
    """Counting is on, and Redis is not there."""
    limits._fallback.storage.reset()
    limits.connect("unix:///nowhere/redis.sock?db=0", on=True)
    yield
    limits.connect(ground.redis_of(number), on=False)


def test_a_limit_counts_down_and_then_refuses_with_the_time_to_wait(with_limits):
    assert [limits.hit(RATE, "search", "a").remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(TooMany) as refused:
        limits.hit(RATE, "search", "a")
    assert refused.value.status == 429
    assert 1 <= refused.value.retry_after <= 60
    assert refused.value.facts["limit"].limit == 3


def test_everybody_has_a_count_of_their_own(with_limits):
    for who in ("a", "b"):
        for _ in range(3):
            limits.hit(RATE, "search", who)
    with pytest.raises(TooMany):
        limits.hit(RATE, "search", "b")


def test_a_success_starts_counting_anew(with_limits):
    for _ in range(3):
        limits.hit(RATE, "sign-in", "a")
    limits.forget(RATE, "sign-in", "a")
    assert limits.hit(RATE, "sign-in", "a").remaining == 2


def test_only_what_fails_is_counted(with_limits):
    for _ in range(10):
        with limits.failures((RATE, "try", "a")):
            pass
    for _ in range(3):
        with pytest.raises(NotFound), limits.failures((RATE, "try", "a")):
            raise NotFound
    with pytest.raises(TooMany), limits.failures((RATE, "try", "a")):
        raise AssertionError("not tried any more")


def test_where_one_limit_is_used_up_the_others_are_not_counted(with_limits):
    for _ in range(3):
        limits.hit(RATE, "link", "a")
    for _ in range(9):
        with pytest.raises(TooMany), limits.failures((RATE, "place", "a"), (RATE, "link", "a")):
            raise AssertionError("not tried")
    assert limits.hit(RATE, "place", "a").remaining == 2


def test_many_at_once_pass_no_more_than_the_limit_before_one_has_failed(with_limits):
    tried, together = [], threading.Barrier(12)

    def attempt():
        together.wait(20)
        with suppress(NotFound, TooMany), limits.failures((RATE, "try", "b")):
            tried.append(1)
            time.sleep(0.2)
            raise NotFound

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert len(tried) == 3


def test_nothing_is_given_back_that_was_not_counted(with_limits):
    for _ in range(5):
        limits.give_back(RATE, "try", "c")
    assert [limits.hit(RATE, "try", "c").remaining for _ in range(3)] == [2, 1, 0]


def test_redis_is_told_no_address_no_id_and_no_place(with_limits, ground, number):
    who = ("amina@example.dz", "2001:db8:1:2::", "01a22eb6-608c-7f09-9e75-53815a9085b2")
    limits.hit(RATE, "sign-in", *who)
    with redis.from_url(ground.redis_of(number)) as counters:
        (key,) = {one.decode() for one in counters.keys("*sign-in*")}
    assert not any(part in key for part in (*who, "amina", "2001"))


def test_while_redis_is_away_this_process_counts_by_itself(without_redis):
    for _ in range(3):
        limits.hit(RATE, "search", "a")
    with pytest.raises(TooMany):
        limits.hit(RATE, "search", "a")


def test_while_redis_is_away_a_count_is_forgotten_as_well(without_redis):
    limits.hit(RATE, "search", "a")
    limits.forget(RATE, "search", "a")
    assert limits.hit(RATE, "search", "a").remaining == 2


def test_where_limits_are_off_nothing_is_counted(app):
    assert all(limits.hit("1 per minute", "search", "a") is None for _ in range(5))

"""How often: counted in Redis for all processes, in memory while Redis is away."""

from __future__ import annotations

import pytest

from portal.core import limits
from portal.core.errors import TooMany

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

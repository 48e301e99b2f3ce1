"""How often: counters in Redis shared by all processes, or in this process's memory while Redis is away.

A counter belongs to a name (`sign-in`) and to whom it counts: an account, an address, a place. Redis sees the name and
a keyed digest of the rest, never an e-mail address, a network address or an id.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from portal.core import live, secrets
from portal.core.errors import TooMany

MOST_CONNECTIONS = 8
_fallback = SlidingWindowCounterRateLimiter(MemoryStorage())
_limiter: SlidingWindowCounterRateLimiter | None = None
_on = True


@dataclass(frozen=True)
class Left:
    """What is left of a limit: for the RateLimit headers."""

    limit: int
    remaining: int
    reset: int
    window: int


def connect(url: str, *, on: bool = True) -> None:
    """Say at start where the counters are; `on=False` counts nothing."""
    global _limiter, _on
    _on = on
    pool = live.few(url, MOST_CONNECTIONS, "portal-limits", timeout=1).connection_pool
    storage = RedisStorage("redis://", connection_pool=pool, wrap_exceptions=True)
    _limiter = SlidingWindowCounterRateLimiter(storage)


def hit(rate: str, name: str, *who: str) -> Left | None:
    """Count one use of `rate` (such as "5 per minute") by `who`; raises TooMany when it is used up."""
    if not _on:
        return None
    item, key = parse(rate), (name, mark(name, *who))
    for limiter in (_limiter, _fallback):
        if limiter is None:
            continue
        try:
            allowed = limiter.hit(item, *key)
            left = _left(limiter, item, *key)
        except (RedisError, StorageError, OSError):
            continue
        if not allowed:
            raise TooMany(retry_after=max(1, left.reset), limit=left)
        return left
    return None


@contextmanager
def failures(*counted: tuple[str, ...]) -> Iterator[None]:
    """Count what is done inside against each of these limits (rate, name, *who) if it fails, and only then.

    It is counted before it is tried and given back on success, so that many at once cannot all pass before the first
    has failed. Raises TooMany, with nothing counted, when one of the limits is used up.
    """
    taken: list[tuple[str, ...]] = []
    try:
        for rate, name, *who in counted:
            hit(rate, name, *who)
            taken.append((rate, name, *who))
    except TooMany:
        _give_back(taken)
        raise
    yield
    _give_back(taken)


def give_back(rate: str, name: str, *who: str) -> None:
    """Take one use back that was counted before; where nothing is counted any more nothing happens."""
    if not _on:
        return
    item, key = parse(rate), (name, mark(name, *who))
    for limiter in (_limiter, _fallback):
        try:
            if limiter is not None:
                if limiter.get_window_stats(item, *key).remaining < item.amount:
                    limiter.hit(item, *key, cost=-1)
                return
        except (RedisError, StorageError, OSError):
            continue


def forget(rate: str, name: str, *who: str) -> None:
    """Start counting anew, after a success."""
    for limiter in (_limiter, _fallback):
        try:
            if limiter is not None and _on:
                limiter.clear(parse(rate), name, mark(name, *who))
        except (RedisError, StorageError, OSError):
            continue


def mark(*who: str) -> str:
    """What stands for somebody or some place where neither may be named: a keyed digest, the same each time."""
    return hmac.new(secrets.derived("limits"), "\0".join(who).encode(errors="replace"), "sha256").hexdigest()[:32]


def _give_back(taken: list[tuple[str, ...]]) -> None:
    for rate, name, *who in taken:
        give_back(rate, name, *who)


def _left(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, *who: str) -> Left:
    stats = limiter.get_window_stats(item, *who)
    return Left(item.amount, max(0, stats.remaining), max(0, round(stats.reset_time - time.time())), item.get_expiry())

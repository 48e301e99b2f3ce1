"""How often: counters in Redis shared by all processes, or in this process's memory while Redis is away."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from portal.core.errors import TooMany

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
    if url.startswith("unix://"):
        url = f"redis+{url}"  # as the library spells it
    storage = storage_from_string(url, socket_connect_timeout=1, socket_timeout=1, wrap_exceptions=True)
    _limiter = SlidingWindowCounterRateLimiter(cast(Storage, storage))


def hit(rate: str, *who: str) -> Left | None:
    """Count one use of `rate` (such as "5 per minute") by `who`; raises TooMany when it is used up."""
    if not _on:
        return None
    item = parse(rate)
    for limiter in (_limiter, _fallback):
        if limiter is None:
            continue
        try:
            allowed = limiter.hit(item, *who)
            left = _left(limiter, item, *who)
        except (RedisError, StorageError, OSError):
            continue
        if not allowed:
            raise TooMany(retry_after=max(1, left.reset), limit=left)
        return left
    return None


def forget(rate: str, *who: str) -> None:
    """Start counting anew, after a success."""
    for limiter in (_limiter, _fallback):
        try:
            if limiter is not None and _on:
                limiter.clear(parse(rate), *who)
        except (RedisError, StorageError, OSError):
            continue


def _left(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, *who: str) -> Left:
    stats = limiter.get_window_stats(item, *who)
    return Left(item.amount, max(0, stats.remaining), max(0, round(stats.reset_time - time.time())), item.get_expiry())

"""How many streams an account has open, over all processes: the newest so many may go on.

Each stream says once a minute that it is there. A list of them per account stands in Redis, or in this process's memory
while Redis is away; a stream that said nothing for FORGOTTEN_AFTER counts no more, whatever became of its process.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from uuid import UUID

from portal.core import clock, live, secrets
from portal.core.errors import TooMany
from portal.core.text import lazy as _

KEPT_EVERY = 60.0  # seconds between two times a stream says that it is there
FORGOTTEN_AFTER = 180  # seconds
RETRY_AFTER = 15  # seconds

_at_most = 12
_lock = threading.Lock()
_here: dict[str, dict[str, float]] = {}  # what stands in Redis otherwise: by account, when each was last there


class TooManyStreams(TooMany):
    """The account listens often enough already."""

    code = "too_many_streams"
    sentence = _("This account has too many streams open. Please close one first.")


def limit_by(at_most: int) -> None:
    """Say at start how many streams an account may have."""
    global _at_most
    _at_most = at_most


class OpenStream:
    """One open stream of an account."""

    def __init__(self, account: UUID) -> None:
        self._account, self._key = account, f"streams:{account}"
        self._name = f"{clock.now().timestamp():017.6f} {secrets.make_token(6)}"  # sorts by age

    @classmethod
    def of_page(cls, account: UUID) -> OpenStream:
        """The stream of a page that somebody looks at: where there are too many, the oldest ends for it."""
        opened = cls(account)
        if len(opened._all()) > _at_most:
            live.look_again([account])
        return opened

    @classmethod
    def of_program(cls, account: UUID) -> OpenStream:
        """A program's stream; raises TooManyStreams: programs connect again, and would end each other for ever."""
        opened = cls(account)
        if len(opened._all()) > _at_most:
            opened.close()
            raise TooManyStreams(retry_after=RETRY_AFTER)
        return opened

    def may_go_on(self) -> bool:
        """Say that the stream is there; whether it may go on. Once a minute, and when told to look (live.RIGHTS)."""
        return self._name in sorted(self._all())[-_at_most:]

    def close(self) -> None:
        """The stream is over; a second time is no mistake."""
        with suppress(live.Away, OSError):
            live.client().zrem(self._key, self._name)
        with _lock:
            mine = _here.get(self._key, {})
            mine.pop(self._name, None)
            if not mine:
                _here.pop(self._key, None)

    def _all(self) -> list[str]:
        """The names of the account's streams, this one among them."""
        now = clock.now().timestamp()
        try:
            pipe = live.client().pipeline()
            pipe.zremrangebyscore(self._key, "-inf", now - FORGOTTEN_AFTER)
            pipe.zadd(self._key, {self._name: now})
            pipe.expire(self._key, FORGOTTEN_AFTER)
            pipe.zrange(self._key, 0, -1)
            return [name.decode() for name in pipe.execute()[-1]]
        except (live.Away, OSError):
            return self._all_here(now)

    def _all_here(self, now: float) -> list[str]:
        with _lock:
            mine = _here.setdefault(self._key, {})
            mine[self._name] = now
            for name in [name for name, seen in mine.items() if seen < now - FORGOTTEN_AFTER]:
                del mine[name]
            return list(mine)

"""Answers kept in this process for a few seconds: for public lists that many people ask for at the same moment.

Only public facts may be kept here, and only where a slightly old answer harms nobody because the next step looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from portal.core import clock

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_on = True


def remember(on: bool) -> None:
    """Say at start whether answers are kept at all; tests look at every change at once."""
    global _on
    _on = on


class Recent(Generic[Key, Value]):
    """Values no older than `seconds`, at most `most` of them.

    While one thread renews a value the others are given the old one, so that its end does not make everybody wait.
    """

    def __init__(self, seconds: float, most: int = 1024) -> None:
        self._age, self._most = timedelta(seconds=seconds), most
        self._kept: dict[Key, tuple[datetime, Value]] = {}
        self._renewing = Lock()

    def one(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of `key`, made by `make` when there is none that is young enough."""
        return self.many([key], lambda _: {key: make()})[key]

    def many(self, keys: Collection[Key], make: Callable[[list[Key]], dict[Key, Value]]) -> dict[Key, Value]:
        """The values of all `keys`; `make` is given those that are missing or too old, all at once."""
        if not _on:
            return make(list(keys))
        now = clock.now()
        known = {key: kept for key in keys if (kept := self._kept.get(key))}
        old = [key for key in keys if key not in known or known[key][0] <= now]
        renews = bool(old) and self._renewing.acquire(blocking=False)
        try:
            wanted = old if renews else [key for key in old if key not in known]
            made = make(wanted) if wanted else {}
        finally:
            if renews:
                self._renewing.release()
        self._keep(made, now)
        return {key: kept[1] for key, kept in known.items()} | made

    def forget(self) -> None:
        """Keep nothing of what was known."""
        self._kept = {}

    def _keep(self, made: dict[Key, Value], now: datetime) -> None:
        if len(self._kept) + len(made) > self._most:
            self._kept = {}
        until = now + self._age
        self._kept.update({key: (until, value) for key, value in made.items()})

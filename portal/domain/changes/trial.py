"""Trying a change and taking it back: whatever is read inside is as it would be afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from portal.core.db import session

_ASKED_FOR = ("events", "tasks", "nudges", "lazily", "before_commit", "after_commit")


class _Enough(Exception):
    """What ends a trial that went well."""


@contextmanager
def undone() -> Iterator[None]:
    """Undo everything done in this block, with the events and tasks it asked for, however it ends."""
    try:
        with all_or_nothing():
            yield
            raise _Enough
    except _Enough:
        pass


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Keep what is done in this block, or, when it raises, undo it with the events and tasks it asked for."""
    here = session()
    here.flush()
    before = {name: _copy(here.info[name]) for name in _ASKED_FOR if name in here.info}
    try:
        with here.begin_nested():
            yield
    except BaseException:
        for name in _ASKED_FOR:
            here.info.pop(name, None)
        here.info.update(before)
        raise


def _copy(asked: object) -> object:
    return dict(asked) if isinstance(asked, dict) else list(asked)  # type: ignore[call-overload]

"""What the clock and events set off is known to the worker: one that is not would stop the clock."""

from __future__ import annotations

from portal.core import tasks
from portal.schedule import SCHEDULE
from portal.subscriptions import SUBSCRIPTIONS


def test_everything_by_the_clock_is_a_task() -> None:
    assert [tasks.name_of(what) for _often, what in SCHEDULE if tasks.name_of(what) not in tasks._known] == []


def test_everything_that_follows_from_an_event_is_a_task() -> None:
    caused = [what for follow in SUBSCRIPTIONS.values() for what in follow]
    assert [tasks.name_of(what) for what in caused if tasks.name_of(what) not in tasks._known] == []

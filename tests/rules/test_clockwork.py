"""What the clock and events set off is known to the worker: one that is not would stop the clock."""

from __future__ import annotations

from portal.core import lanes
from portal.schedule import SCHEDULE
from portal.subscriptions import SUBSCRIPTIONS


def test_everything_by_the_clock_is_a_task() -> None:
    assert [lanes.name_of(what) for _often, what in SCHEDULE if lanes.name_of(what) not in lanes._known] == []


def test_everything_that_follows_from_an_event_is_a_task() -> None:
    caused = [what for follow in SUBSCRIPTIONS.values() for what in follow]
    assert [lanes.name_of(what) for what in caused if lanes.name_of(what) not in lanes._known] == []

"""Everything that happens by the clock: how often, and what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from portal.domain.changes.planning import drop_stale
from portal.domain.day.no_shows import mark_missed
from portal.domain.notifications.family_notices import warn_of_endings
from portal.domain.reminders.queue import queue_due
from portal.domain.scheduling import first_free
from portal.domain.upkeep import forget_old_replies, forget_old_sessions, forget_old_tasks, prune_occupancy, seal_events
from portal.domain.waitlist.ending import end_passed
from portal.domain.webhooks import sending as webhooks

SCHEDULE: tuple[tuple[timedelta, Callable[..., Any]], ...] = (
    (timedelta(seconds=30), seal_events),
    (timedelta(minutes=1), queue_due),
    (timedelta(minutes=5), prune_occupancy),
    (timedelta(minutes=5), mark_missed),
    (timedelta(minutes=1), first_free.sweep),
    (timedelta(minutes=1), drop_stale),
    (timedelta(minutes=10), end_passed),
    (timedelta(hours=6), forget_old_tasks),
    (timedelta(hours=6), forget_old_sessions),
    (timedelta(hours=1), forget_old_replies),
    (timedelta(hours=6), warn_of_endings),
    (timedelta(minutes=1), webhooks.pump_due),
    (timedelta(hours=1), webhooks.tidy),
)

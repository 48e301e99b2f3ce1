"""When a reminder is sent, over all zones and quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.reminders.planning import Quiet, not_before, planned_at

ALGIERS = ZoneInfo("Africa/Algiers")
NIGHT = Quiet(time(21), time(8), ALGIERS)
ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))
)

quiets = st.builds(
    Quiet,
    begins=st.integers(0, 24 * 4 - 1).map(lambda n: time(n // 4, n % 4 * 15)),
    ends=st.integers(0, 24 * 4 - 1).map(lambda n: time(n // 4, n % 4 * 15)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
).filter(lambda quiet: _length(quiet) <= timedelta(hours=16))
starts = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - hypothesis adds the zone below
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)
steps = st.sampled_from([15, 30, 60, 120, 180, 720, 24 * 60, 7 * 24 * 60, 43_200])


@settings(max_examples=600, deadline=None)
@given(starts_at=starts, minutes=steps, quiet=quiets)
def test_a_reminder_comes_before_the_visit_and_never_in_quiet_hours(starts_at, minutes, quiet):
    at = planned_at(starts_at, minutes, quiet)
    assert at < starts_at
    assert not quiet.holds(at)


@settings(max_examples=600, deadline=None)
@given(starts_at=starts, minutes=steps, quiet=quiets)
def test_it_moves_only_out_of_quiet_hours_and_no_further_than_it_must(starts_at, minutes, quiet):
    wanted = starts_at - timedelta(minutes=minutes)
    at = planned_at(starts_at, minutes, quiet)
    if not quiet.holds(wanted):
        assert at == wanted
    elif at > wanted:
        assert starts_at - at > timedelta(hours=1)
        assert quiet.holds(at - timedelta(minutes=1)) or _changes(quiet.zone, at)
    else:
        assert wanted - at <= timedelta(hours=20)


@settings(max_examples=300, deadline=None)
@given(now=starts, ahead=st.integers(1, 60 * 24 * 3), quiet=quiets)
def test_what_is_due_waits_for_the_end_of_quiet_hours_only_if_that_is_soon_enough(now, ahead, quiet):
    starts_at = now + timedelta(minutes=ahead)
    until = not_before(now, starts_at, quiet)
    if until is None:
        assert not quiet.holds(now) or starts_at - quiet.end_after(now) <= timedelta(hours=1)
    else:
        assert quiet.holds(now)
        assert now <= until < starts_at - timedelta(hours=1)
        assert not quiet.holds(until)


@pytest.mark.parametrize(
    ("visit", "minutes", "sent"),
    [
        ("2026-03-10 15:00", 24 * 60, "2026-03-09 15:00"),
        ("2026-03-10 09:00", 120, "2026-03-09 20:30"),  # 07:00 is quiet, 08:00 is too close: the evening before
        ("2026-03-10 09:30", 120, "2026-03-10 08:00"),  # 07:30 is quiet, 08:00 leaves an hour and a half
        ("2026-03-10 22:00", 24 * 60, "2026-03-10 08:00"),
        ("2026-03-10 08:15", 30, "2026-03-09 20:30"),
        ("2026-03-10 08:00", 7 * 24 * 60, "2026-03-03 08:00"),  # the end itself is not quiet
        ("2026-03-10 21:00", 24 * 60, "2026-03-10 08:00"),  # the beginning is
    ],
)
def test_examples_of_a_clinic_that_is_quiet_from_nine_to_eight(visit, minutes, sent):
    assert planned_at(_wall(visit), minutes, NIGHT) == _wall(sent)


def test_equal_ends_mean_that_it_is_never_quiet():
    never = Quiet(time(8), time(8), ALGIERS)
    assert planned_at(_wall("2026-03-10 09:00"), 120, never) == _wall("2026-03-10 07:00")


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_a_clock_that_changes_at_night_changes_nothing_of_the_morning(zone):
    quiet = Quiet(time(21), time(8), ZoneInfo(zone))
    day = datetime(2026, 1, 1, 9, tzinfo=ZoneInfo(zone))
    for ahead in range(366):
        starts_at = (day + timedelta(days=ahead)).astimezone(UTC)  # nine by the wall clock
        local = planned_at(starts_at, 120, quiet).astimezone(ZoneInfo(zone))
        assert (local.hour, local.minute) == (20, 30)


def _length(quiet):
    minutes = lambda wall: wall.hour * 60 + wall.minute  # noqa: E731
    return timedelta(minutes=(minutes(quiet.ends) - minutes(quiet.begins)) % (24 * 60))


def _changes(zone, at):
    """Whether the clocks of the zone change around this moment."""
    offsets = {(at + timedelta(minutes=n)).astimezone(zone).utcoffset() for n in (-180, -1, 0, 180)}
    return len(offsets) > 1


def _wall(written):
    return datetime.fromisoformat(written).replace(tzinfo=ALGIERS).astimezone(UTC)

"""Wall time of a zone to instants and back, with the days on which the clock is changed."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400


def instant(zone: ZoneInfo, day: date, seconds: int) -> tuple[int, bool]:
    """The first instant of this wall time and True or, when it does not exist, the instant of the jump and False."""
    midnight = steady_midnight(zone, day)
    if midnight is not None:
        return midnight + seconds, True
    return _on_change_day(zone, day, seconds)


@lru_cache(maxsize=8192)
def _on_change_day(zone: ZoneInfo, day: date, seconds: int) -> tuple[int, bool]:
    wall = datetime.combine(day, time()) + timedelta(seconds=seconds)
    at = int(wall.replace(tzinfo=zone).timestamp())
    if local(zone, at) == wall:
        return at, True
    below = int(wall.replace(tzinfo=zone, fold=1).timestamp())  # In a gap fold=1 lies before the jump, fold=0 after.
    while at - below > 1:
        middle = (at + below) // 2
        below, at = (below, middle) if local(zone, middle) >= wall else (middle, at)
    return at, False


@lru_cache(maxsize=8192)
def steady_midnight(zone: ZoneInfo, day: date) -> int | None:
    """The instant of 00:00 when one UTC offset holds from there to the next 00:00, both included; else None."""
    wall = datetime.combine(day, time())
    instants = {
        int(mark.replace(tzinfo=zone, fold=fold).timestamp()) - seconds
        for mark, seconds in ((wall, 0), (wall + timedelta(1), DAY))
        for fold in (0, 1)
    }
    return instants.pop() if len(instants) == 1 else None


def local(zone: ZoneInfo, at: int) -> datetime:
    """The wall time at this instant, without a zone."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def seconds_of(wall: time) -> int:
    """Seconds of wall time since midnight."""
    return wall.hour * 3600 + wall.minute * 60 + wall.second


def days(first: date, last: date) -> Iterator[date]:
    """The dates first to last, both included."""
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))

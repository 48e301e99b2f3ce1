"""Every zone of the world on the days its clock is changed, and on a day beside them."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from portal.domain.scheduling.timetable import Offer, Opening, Policy, Reason, Timetable, VisitRule, offers, reasons

QUARTER = 900
VISIT = VisitRule("visit", 15)
POLICY = Policy(horizon_days=9)
NOON_2025 = int(datetime.fromisoformat("2025-01-01T12:00Z").timestamp())
DAYS_TO_2028 = 4 * 365 + 1
ZONES = sorted(name for name in available_timezones() if not name.startswith(("posix/", "right/")))
WHOLE_DAY = [Opening(weekday, weekday, None, time(), time()) for weekday in range(7)]


@cache
def change_days(name: str) -> list[date]:
    """The local dates around each change of offset in 2025 to 2028, read at noon UTC, week by week."""
    zone = ZoneInfo(name)
    days: set[date] = set()
    for week in range(0, DAYS_TO_2028, 7):
        noons = [datetime.fromtimestamp(NOON_2025 + (week + number) * 86_400, zone) for number in (0, 7)]
        if noons[0].utcoffset() != noons[1].utcoffset():
            noons[1:] = [datetime.fromtimestamp(NOON_2025 + (week + number) * 86_400, zone) for number in range(1, 8)]
            changed = [pair for pair in pairwise(noons) if pair[0].utcoffset() != pair[1].utcoffset()]
            days |= {noon.date() for pair in changed for noon in pair}
    return sorted(days)


def offered_on(zone: ZoneInfo, day: date, timetable: Timetable | None = None) -> list[Offer]:
    now = int(datetime.combine(day - timedelta(3), time(12), zone).timestamp())
    return offers(timetable or Timetable(zone, WHOLE_DAY), VISIT, day, day, now, POLICY)


def first_showings(zone: ZoneInfo, day: date) -> dict[datetime, int]:
    """Each quarter of this date's wall clock with the first instant that shows it, read off the running clock."""
    around = int(datetime.fromisoformat(f"{day}T00:00Z").timestamp())
    shown: dict[datetime, int] = {}
    for tick in range(around - 15 * 3600, around + 38 * 3600, QUARTER):
        wall = datetime.fromtimestamp(tick, zone).replace(tzinfo=None, fold=0)
        if wall.date() == day:
            shown.setdefault(wall, tick)
    return shown


CHANGING = [name for name in ZONES if change_days(name)]


def test_there_are_zones_that_change_and_zones_that_do_not() -> None:
    assert {"Europe/Paris", "Africa/Casablanca", "America/Havana", "Antarctica/Troll"} <= set(CHANGING)
    assert "Africa/Algiers" in ZONES
    assert "Africa/Algiers" not in CHANGING


@pytest.mark.parametrize("name", CHANGING)
def test_on_a_change_day_each_existing_wall_time_is_offered_once_the_first(name: str) -> None:
    zone = ZoneInfo(name)
    for day in change_days(name):
        found = [offer.starts for offer in offered_on(zone, day)]
        assert found == list(first_showings(zone, day).values()), day
        walls = [datetime.fromtimestamp(starts, zone) for starts in found]
        assert all(wall.fold == 0 and wall.timestamp() == start for wall, start in zip(walls, found, strict=True))
        assert len({wall.time() for wall in walls}) == len(walls)


@pytest.mark.parametrize("name", CHANGING)
def test_on_a_change_day_the_reasons_agree_with_the_offers_at_every_quarter(name: str) -> None:
    zone = ZoneInfo(name)
    timetable = Timetable(zone, WHOLE_DAY)
    for day in change_days(name)[:2]:
        begins = int(datetime.combine(day, time(), zone).timestamp()) - 7200
        now = begins - 86_400
        ticks = range(begins, begins + 28 * 3600, QUARTER)
        answers = reasons(timetable, VISIT, ticks, now, POLICY)
        offered = {tick for tick, reason in zip(ticks, answers, strict=True) if reason is Reason.OFFERED}
        found = offers(timetable, VISIT, day - timedelta(1), day + timedelta(1), now, POLICY)
        assert offered == {offer.starts for offer in found} & set(ticks)


def test_a_day_without_a_change_has_its_full_grid_in_every_zone() -> None:
    for name in ZONES:
        zone, changes = ZoneInfo(name), set(change_days(name))
        for day in [date(2025, 1, 15), *(change + timedelta(2) for change in sorted(changes)[:4])]:
            if day in changes:
                continue
            midnight = int(datetime.combine(day, time(), zone).timestamp())
            found = [offer.starts for offer in offered_on(zone, day)]
            assert found == list(range(midnight, midnight + 86_400, QUARTER)), (name, day)


def test_a_visit_never_ends_after_its_opening_on_a_change_day() -> None:
    ends_seen = defaultdict(set)
    for name in CHANGING:
        zone = ZoneInfo(name)
        for day in change_days(name)[:2]:
            shown = first_showings(zone, day)
            for hour in range(1, 24):
                table = Timetable(zone, [Opening(hour, day.weekday(), None, time(hour - 1), time(hour))])
                end = datetime.combine(day, time(hour))
                reached = min((tick for wall, tick in shown.items() if wall >= end), default=None)
                found = offered_on(zone, day, table)
                if reached is not None:
                    assert all(offer.ends <= reached for offer in found), (name, day, hour)
                ends_seen[name].add(len(found))
    assert {0, 4} <= ends_seen["Europe/Paris"]

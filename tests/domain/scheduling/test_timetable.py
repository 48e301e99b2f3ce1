"""The timetable by examples, then against a slow reference that walks the clock five minutes at a time."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import product
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.scheduling.timetable import (
    Busy,
    Closure,
    Offer,
    Opening,
    Policy,
    Reason,
    Room,
    Timetable,
    VisitRule,
    by_day,
    explain,
    free_rooms,
    next_free,
    offers,
    open_on,
    reasons,
    windows,
)

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 6, 1)
SPRING = date(2026, 3, 29)
AUTUMN = date(2026, 10, 25)
CHECKUP = VisitRule("checkup", 30)
OPEN_POLICY = Policy(horizon_days=365)
TICK = 300


def at(day: date, hour: int, minute: int = 0, fold: int = 0, zone: ZoneInfo = PARIS) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold).timestamp())


def hours(starts: int, ends: int, day: date = MONDAY, /, **changes: object) -> Opening:
    return replace(Opening(f"{starts}-{ends}", None, day, time(starts), time(ends)), **changes)  # type: ignore[arg-type]


def morning(**changes: object) -> Timetable:
    return replace(Timetable(PARIS, [hours(9, 11)]), **changes)  # type: ignore[arg-type]


def walls(found: list[Offer], zone: ZoneInfo = PARIS) -> list[str]:
    return [datetime.fromtimestamp(offer.starts, zone).strftime("%H:%M") for offer in found]


def on_monday(timetable: Timetable, visit: VisitRule = CHECKUP, policy: Policy = OPEN_POLICY) -> list[str]:
    return walls(offers(timetable, visit, MONDAY, MONDAY, at(MONDAY, 0), policy))


def why(timetable: Timetable, starts: int, visit: VisitRule = CHECKUP, policy: Policy = OPEN_POLICY) -> Reason:
    return explain(timetable, visit, starts, at(MONDAY, 0), policy)


def test_an_opening_is_cut_into_the_duration_of_the_visit() -> None:
    assert on_monday(morning()) == ["09:00", "09:30", "10:00", "10:30"]


def test_a_step_of_its_own_gives_more_starts_and_the_last_visit_still_ends_in_time() -> None:
    assert on_monday(morning(openings=[hours(9, 10, step=10)])) == ["09:00", "09:10", "09:20", "09:30"]


def test_midnight_as_an_end_means_the_end_of_the_day() -> None:
    assert on_monday(morning(openings=[hours(23, 0)])) == ["23:00", "23:30"]


def test_hours_past_midnight_give_their_times_on_both_days() -> None:
    night = Opening(1, 0, None, time(22, 30), time(1), step=60)
    table = Timetable(PARIS, [night])
    found = offers(table, CHECKUP, MONDAY, MONDAY + timedelta(1), at(MONDAY, 0), OPEN_POLICY)
    assert [(offer.starts, offer.ends) for offer in found] == [
        (at(MONDAY, 22, 30), at(MONDAY, 23)),
        (at(MONDAY, 23, 30), at(MONDAY + timedelta(1), 0)),
        (at(MONDAY + timedelta(1), 0, 30), at(MONDAY + timedelta(1), 1)),
    ]
    tuesday = offers(table, CHECKUP, MONDAY + timedelta(1), MONDAY + timedelta(1), at(MONDAY, 0), OPEN_POLICY)
    assert tuesday == found[2:]


def test_a_visit_may_itself_pass_midnight_within_such_hours() -> None:
    night = Opening(1, 0, None, time(23), time(1))
    found = offers(Timetable(PARIS, [night]), VisitRule(1, 90), MONDAY, MONDAY, at(MONDAY, 0), OPEN_POLICY)
    assert [(offer.starts, offer.ends) for offer in found] == [(at(MONDAY, 23), at(MONDAY + timedelta(1), 0, 30))]


def test_hours_past_midnight_are_valid_by_the_day_on_which_they_begin() -> None:
    night = Opening(1, 0, None, time(22), time(2), valid_until=MONDAY)
    table, tuesday = Timetable(PARIS, [night]), MONDAY + timedelta(1)
    assert explain(table, CHECKUP, at(tuesday, 1), at(MONDAY, 0), OPEN_POLICY) is Reason.OFFERED
    assert explain(table, CHECKUP, at(tuesday + timedelta(7), 1), at(MONDAY, 0), OPEN_POLICY) is Reason.NO_OPENING


def test_a_closed_date_takes_only_its_own_part_of_the_night() -> None:
    night, tuesday = Opening(1, 0, None, time(23), time(1)), MONDAY + timedelta(1)
    holiday = Closure(at(tuesday, 0), at(tuesday + timedelta(1), 0), "holiday")
    table = Timetable(PARIS, [night], closures=[holiday])
    assert walls(offers(table, CHECKUP, MONDAY, tuesday, at(MONDAY, 0), OPEN_POLICY)) == ["23:00", "23:30"]
    assert explain(table, CHECKUP, at(tuesday, 0), at(MONDAY, 0), OPEN_POLICY) is Reason.HOLIDAY


def test_the_limit_of_a_day_counts_the_night_by_the_dates_of_its_visits() -> None:
    night, tuesday = Opening(1, 0, None, time(23), time(1)), MONDAY + timedelta(1)
    table = Timetable(PARIS, [night], booked_per_day={tuesday: 2})
    policy = Policy(horizon_days=365, max_per_day=2)
    assert walls(offers(table, CHECKUP, MONDAY, tuesday, at(MONDAY, 0), policy)) == ["23:00", "23:30"]


def test_a_night_over_the_spring_change_is_an_hour_shorter() -> None:
    eve = SPRING - timedelta(1)
    night = Opening(1, None, eve, time(23), time(4), step=60)
    found = offers(Timetable(PARIS, [night]), CHECKUP, eve, SPRING, at(eve, 0), OPEN_POLICY)
    assert walls(found) == ["23:00", "00:00", "01:00", "03:00"]


def test_what_lies_on_some_dates_is_cut_at_their_midnights() -> None:
    night, tuesday = Opening(1, 0, None, time(22), time(2)), MONDAY + timedelta(1)
    assert [(one.starts, one.ends) for one in open_on([night], PARIS, tuesday, tuesday)] == [
        (at(tuesday, 0), at(tuesday, 2))
    ]
    assert [(one.starts, one.ends) for one in open_on([night], PARIS, MONDAY, tuesday)] == [
        (at(MONDAY, 22), at(tuesday, 2))
    ]


def test_weekly_hours_hold_on_their_weekday_within_their_valid_dates() -> None:
    weekly = Opening(
        1, 0, None, time(9), time(10), valid_from=MONDAY + timedelta(7), valid_until=MONDAY + timedelta(14)
    )
    found = windows([weekly], PARIS, MONDAY, MONDAY + timedelta(30))
    assert [window.day for window in found] == [MONDAY + timedelta(7), MONDAY + timedelta(14)]


def test_dated_hours_add_to_the_weekly_ones() -> None:
    weekly = Opening(1, 0, None, time(9), time(10))
    assert on_monday(morning(openings=[weekly, hours(14, 15)])) == ["09:00", "09:30", "14:00", "14:30"]


def test_a_time_inside_the_spring_gap_is_not_offered() -> None:
    timetable = Timetable(PARIS, [hours(1, 5, SPRING)])
    found = offers(timetable, CHECKUP, SPRING, SPRING, at(SPRING, 0), OPEN_POLICY)
    assert walls(found) == ["01:00", "01:30", "03:00", "03:30", "04:00", "04:30"]


def test_a_visit_before_the_gap_lasts_its_real_length() -> None:
    timetable = Timetable(PARIS, [hours(1, 4, SPRING)])
    found = offers(timetable, VisitRule(1, 90), SPRING, SPRING, at(SPRING, 0), OPEN_POLICY)
    assert [(offer.starts, offer.ends) for offer in found] == [(at(SPRING, 1), at(SPRING, 3, 30))]


def test_an_opening_that_ends_inside_the_gap_ends_at_the_jump() -> None:
    timetable = Timetable(PARIS, [hours(1, 4, SPRING, ends=time(2, 30))])
    found = offers(timetable, CHECKUP, SPRING, SPRING, at(SPRING, 0), OPEN_POLICY)
    assert [offer.ends for offer in found] == [at(SPRING, 1, 30), at(SPRING, 3)]


def test_an_opening_that_begins_inside_the_gap_keeps_its_grid() -> None:
    timetable = Timetable(PARIS, [hours(2, 4, SPRING, starts=time(2, 20))])
    found = offers(timetable, CHECKUP, SPRING, SPRING, at(SPRING, 0), OPEN_POLICY)
    assert walls(found) == ["03:20"]


def test_an_opening_wholly_inside_the_gap_gives_nothing() -> None:
    assert windows([hours(2, 3, SPRING)], PARIS, SPRING, SPRING) == []


def test_a_time_that_exists_twice_is_offered_once_the_first() -> None:
    timetable = Timetable(PARIS, [hours(2, 4, AUTUMN)])
    found = offers(timetable, CHECKUP, AUTUMN, AUTUMN, at(AUTUMN, 0), OPEN_POLICY)
    assert [offer.starts for offer in found] == [
        at(AUTUMN, 2), at(AUTUMN, 2, 30), at(AUTUMN, 3), at(AUTUMN, 3, 30)
    ]  # fmt: skip
    second = explain(timetable, CHECKUP, at(AUTUMN, 2, 30, fold=1), at(AUTUMN, 0), OPEN_POLICY)
    assert second is Reason.NOT_ON_GRID


def test_the_last_hour_of_a_day_that_is_lengthened_at_midnight_is_offered_once() -> None:
    beirut, day = ZoneInfo("Asia/Beirut"), date(2026, 10, 24)
    found = offers(Timetable(beirut, [hours(22, 0, day)]), CHECKUP, day, day, at(day, 0, zone=beirut), OPEN_POLICY)
    assert walls(found, beirut) == ["22:00", "22:30", "23:00", "23:30"]


def test_a_visit_may_begin_when_another_ends() -> None:
    busy = [Busy(at(MONDAY, 9, 30), at(MONDAY, 10), 1)]
    assert on_monday(morning(busy=busy)) == ["09:00", "10:00", "10:30"]
    assert why(morning(busy=busy), at(MONDAY, 9, 30)) is Reason.TAKEN


def test_a_buffer_may_stick_out_of_the_hours_and_into_a_closure_but_not_into_another_visit() -> None:
    padded = VisitRule("checkup", 30, 15, 15)
    busy = [(at(MONDAY, 10, 30), at(MONDAY, 11), 1)]
    lunch = [Closure(at(MONDAY, 9, 30), at(MONDAY, 9, 40), "blocked")]
    timetable = morning(busy=busy, closures=lunch)
    assert on_monday(timetable, padded) == ["09:00"]
    assert why(timetable, at(MONDAY, 10), padded) is Reason.BUFFER
    assert why(timetable, at(MONDAY, 10)) is Reason.OFFERED
    offer = offers(timetable, padded, MONDAY, MONDAY, at(MONDAY, 0), OPEN_POLICY)[0]
    assert (offer.occupied_from, offer.occupied_until) == (at(MONDAY, 8, 45), at(MONDAY, 9, 45))


def test_capacity_gives_as_many_places_and_an_overbooked_lane_takes_none() -> None:
    taken = [(at(MONDAY, 9), at(MONDAY, 9, 30), lane) for lane in (1, 3, 100, 101)]
    found = offers(
        morning(openings=[hours(9, 10, capacity=3)], busy=taken), CHECKUP, MONDAY, MONDAY, at(MONDAY, 0), OPEN_POLICY
    )
    assert [offer.free_lanes for offer in found] == [(2,), (1, 2, 3)]
    assert found[1].places_left == 3


def test_where_two_openings_give_the_same_start_the_one_with_more_places_counts() -> None:
    group = hours(9, 10, capacity=4)
    for openings in ([hours(9, 11), group], [group, hours(9, 11)]):
        found = offers(morning(openings=openings), CHECKUP, MONDAY, MONDAY, at(MONDAY, 0), OPEN_POLICY)
        assert [(offer.places_left, offer.opening_id) for offer in found] == [
            (4, "9-10"), (4, "9-10"), (1, "9-11"), (1, "9-11")
        ]  # fmt: skip


def test_overlapping_openings_with_different_grids_are_offered_in_order() -> None:
    quarter = Opening("quarter", None, MONDAY, time(9, 15), time(10, 15))
    assert on_monday(morning(openings=[hours(9, 10), quarter])) == ["09:00", "09:15", "09:30", "09:45"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("leave", Reason.LEAVE),
        ("holiday", Reason.HOLIDAY),
        ("blocked", Reason.CLOSED),
        ("clinic closed", Reason.CLOSED),
    ],
)
def test_a_closure_gives_its_own_reason(kind: str, reason: Reason) -> None:
    timetable = morning(closures=[Closure(at(MONDAY, 9, 45), at(MONDAY, 10, 15), kind)])
    assert on_monday(timetable) == ["09:00", "10:30"]
    assert why(timetable, at(MONDAY, 10)) is reason


def test_leave_without_an_end_takes_everything_after_it() -> None:
    assert on_monday(morning(closures=[Closure(at(MONDAY, 10), float("inf"), "leave")])) == ["09:00", "09:30"]


def test_of_two_closures_the_one_that_begins_first_is_the_reason() -> None:
    day_off = Closure(at(MONDAY, 0), at(MONDAY, 23), "holiday")
    timetable = morning(closures=[Closure(at(MONDAY, 9), at(MONDAY, 12), "leave"), day_off])
    assert why(timetable, at(MONDAY, 9)) is Reason.HOLIDAY


def test_a_time_before_now_is_past_and_within_the_lead_time_too_soon() -> None:
    def ask(hour: int, minute: int) -> Reason:
        return explain(morning(), CHECKUP, at(MONDAY, hour, minute), at(MONDAY, 9, 30), Policy(lead_minutes=30))

    assert [ask(9, 0), ask(9, 30), ask(10, 0)] == [Reason.PAST, Reason.TOO_SOON, Reason.OFFERED]


def test_the_horizon_includes_its_last_local_day() -> None:
    weekly = Timetable(PARIS, [Opening(1, 0, None, time(9), time(9, 30))])
    found = offers(weekly, CHECKUP, MONDAY, MONDAY + timedelta(60), at(MONDAY, 0), Policy(horizon_days=14))
    assert list(by_day(found, PARIS)) == [MONDAY, MONDAY + timedelta(7), MONDAY + timedelta(14)]
    after = at(MONDAY + timedelta(21), 9)
    assert why(weekly, after, policy=Policy(horizon_days=14)) is Reason.TOO_FAR


def test_outside_the_hours_and_between_the_steps_are_told_apart() -> None:
    assert why(morning(), at(MONDAY, 8, 30)) is Reason.NO_OPENING
    assert why(morning(), at(MONDAY, 10, 45)) is Reason.NO_OPENING
    assert why(morning(), at(MONDAY, 9, 10)) is Reason.NOT_ON_GRID
    assert why(morning(), at(MONDAY, 9) + 1) is Reason.NOT_ON_GRID


def test_hours_for_other_visit_types_are_not_offered() -> None:
    timetable = morning(openings=[hours(9, 11, visit_type_ids=frozenset({"vaccine"}))])
    assert on_monday(timetable) == []
    assert why(timetable, at(MONDAY, 9)) is Reason.VISIT_TYPE_NOT_HERE
    assert len(on_monday(timetable, VisitRule("vaccine", 30))) == 4


def test_a_patient_is_not_offered_a_time_they_already_spend_elsewhere() -> None:
    elsewhere = morning(patient_busy=[Busy(at(MONDAY, 9, 10), at(MONDAY, 9, 20))])
    assert on_monday(elsewhere) == ["09:30", "10:00", "10:30"]
    assert why(elsewhere, at(MONDAY, 9)) is Reason.PATIENT_BUSY


def test_the_doctors_buffer_may_lie_over_the_patients_other_visit() -> None:
    elsewhere = morning(patient_busy=[Busy(at(MONDAY, 9, 30), at(MONDAY, 10))])
    assert on_monday(elsewhere, VisitRule("checkup", 30, 10, 10)) == ["09:00", "10:00", "10:30"]


def test_a_full_day_offers_nothing_more() -> None:
    full = morning(booked_per_day={MONDAY: 2})
    assert on_monday(full, policy=Policy(max_per_day=2)) == []
    assert why(full, at(MONDAY, 9), policy=Policy(max_per_day=2)) is Reason.DAY_FULL
    assert len(on_monday(full, policy=Policy(max_per_day=3))) == 4


def test_the_next_free_times_are_the_first_offers_and_later_days_are_not_looked_at() -> None:
    class Counted(list[Opening]):
        walks = 0

        def __iter__(self) -> Iterator[Opening]:
            type(self).walks += 1
            return super().__iter__()

    weekly = Timetable(PARIS, Counted([Opening(1, weekday, None, time(9), time(11)) for weekday in range(7)]))
    found = next_free(weekly, CHECKUP, MONDAY, date(9000, 1, 1), at(MONDAY, 9, 30), OPEN_POLICY, limit=4)
    assert walls(found) == ["09:30", "10:00", "10:30", "09:00"]
    assert Counted.walks == 1


def test_a_short_pause_between_two_visits_is_free() -> None:
    busy = [Busy(at(MONDAY, 9), at(MONDAY, 9, 30)), Busy(at(MONDAY, 9, 35), at(MONDAY, 11))]
    assert on_monday(morning(busy=busy), VisitRule("checkup", 5)) == ["09:30"]


def test_busy_times_that_overlap_in_one_lane_take_all_they_cover() -> None:
    busy = [
        Busy(at(MONDAY, 9, 20), at(MONDAY, 10)),
        Busy(at(MONDAY, 9), at(MONDAY, 9, 30)),
        Busy(at(MONDAY, 9, 25), at(MONDAY, 9, 26)),
    ]
    assert on_monday(morning(busy=busy)) == ["10:00", "10:30"]


def test_a_third_closure_hidden_behind_a_second_takes_nothing_more() -> None:
    ends = [10, 12, 11]
    closures = [Closure(at(MONDAY, 9, 5 * n), at(MONDAY, end), "leave") for n, end in enumerate(ends)]
    assert on_monday(morning(openings=[hours(9, 13)], closures=closures)) == ["12:00", "12:30"]


def test_a_gap_across_midnight_shortens_both_days() -> None:
    toronto, day = ZoneInfo("America/Toronto"), date(1919, 3, 30)
    around = [hours(23, 0, day), hours(0, 1, day + timedelta(1))]
    now = at(day, 0, zone=toronto)
    found = offers(Timetable(toronto, around), CHECKUP, day, day + timedelta(1), now, OPEN_POLICY)
    assert walls(found, toronto) == ["23:00", "00:30"]


def test_empty_busy_time_and_empty_closures_take_nothing() -> None:
    instant = at(MONDAY, 9, 10)
    assert len(on_monday(morning(busy=[(instant, instant, 1)], closures=[Closure(instant, instant, "leave")]))) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"weekday": 1},
        {"on_date": None},
        {"on_date": None, "weekday": 7},
        {"ends": time(9)},
        {"step": 0},
        {"capacity": 0},
        {"capacity": 100},
    ],
)
def test_hours_that_cannot_be_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        hours(9, 11, **changes)


def test_a_visit_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one minute"):
        VisitRule("checkup", 0)


# The reference: no folds, no offsets, no bisection. It reads the wall clock every five minutes and asks each rule anew.

ZONES = [
    "Africa/Algiers", "Africa/Casablanca", "America/Havana", "America/New_York", "America/Nuuk", "America/Scoresbysund",
    "Antarctica/Troll", "Asia/Beirut", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Paris", "Pacific/Chatham",
]  # fmt: skip
DATES = [date(2026, 1, 14), *(SPRING - timedelta(days) for days in (1, 0)), date(2026, 2, 15), date(2026, 3, 8),
         date(2026, 4, 5), date(2026, 9, 27), AUTUMN - timedelta(1), AUTUMN, date(2026, 11, 1)]  # fmt: skip


@cache
def clock(name: str, first: date) -> list[tuple[int, datetime]]:
    """Each tick around these days with what the clock on the wall shows."""
    begins = int(datetime.fromisoformat(f"{first}T00:00Z").timestamp()) // TICK * TICK - 2 * 86_400
    ticks = range(begins, begins + 7 * 86_400, TICK)
    return [(tick, datetime.fromtimestamp(tick, ZoneInfo(name)).replace(tzinfo=None)) for tick in ticks]


@cache
def first_showing(name: str, first: date) -> list[tuple[datetime, int]]:
    """Each time of day with the tick at which the wall clock first reaches it."""
    reached: list[tuple[datetime, int]] = []
    for tick, wall in clock(name, first):
        if not reached or wall > reached[-1][0]:
            reached.append((wall, tick))
    return reached


def reach(name: str, first: date, wall: datetime) -> int:
    reached = first_showing(name, first)
    return reached[bisect_left(reached, (wall, 0))][1]


def overlap(starts: float, ends: float, other_starts: float, other_ends: float) -> bool:
    return max(starts, other_starts) < min(ends, other_ends)


def reference(case: "Case", tick: int, wall: datetime) -> tuple[set[Reason], tuple[int, ...]]:
    """The reasons that may be given for this tick and the lanes it can have."""
    table, visit, policy = case.table, case.visit, case.policy
    day, ends = wall.date(), tick + visit.duration * 60
    today = datetime.fromtimestamp(case.now, table.zone).date()
    if tick < case.now:
        return {Reason.PAST}, ()
    if tick < case.now + policy.lead_minutes * 60:
        return {Reason.TOO_SOON}, ()
    if (day - today).days > policy.horizon_days:
        return {Reason.TOO_FAR}, ()
    places, outside = places_at(case, tick, wall, ends)
    if not places:
        return {outside}, ()
    kinds = {c.kind for c in table.closures if overlap(tick, ends, c.starts, c.ends)}
    if kinds:
        return {{"leave": Reason.LEAVE, "holiday": Reason.HOLIDAY}.get(kind, Reason.CLOSED) for kind in kinds}, ()
    lanes = free_in(case, tick - visit.buffer_before * 60, ends + visit.buffer_after * 60, places)
    if not lanes:
        return {Reason.BUFFER if free_in(case, tick, ends, places) else Reason.TAKEN}, ()
    occupied = tick - visit.buffer_before * 60, ends + visit.buffer_after * 60
    if not all(any(has_place(room, *occupied) for room in table.rooms if room.group == need) for need in visit.needs):
        return {Reason.ROOM}, ()
    if any(overlap(tick, ends, starts, until) for starts, until, _ in table.patient_busy):
        return {Reason.PATIENT_BUSY}, ()
    if policy.max_per_day is not None and table.booked_per_day.get(day, 0) >= policy.max_per_day:
        return {Reason.DAY_FULL}, ()
    return {Reason.OFFERED}, lanes


def has_place(room: Room, begins: int, until: int) -> bool:
    taken = {lane for starts, ends, lane in room.busy if overlap(begins, until, starts, ends)}
    return any(lane not in taken for lane in range(1, room.places + 1))


def places_at(case: "Case", tick: int, wall: datetime, ends: int) -> tuple[int, Reason]:
    places, around, here = 0, False, False
    today = datetime.combine(wall.date(), time())
    for opening, day in product(case.table.openings, (today, today - timedelta(1))):
        if opening.on_date not in (None, day.date()) or opening.weekday not in (None, day.weekday()):
            continue
        if opening.valid_from and day.date() < opening.valid_from:
            continue
        if opening.valid_until and day.date() > opening.valid_until:
            continue
        begins = datetime.combine(day, opening.starts)
        until = datetime.combine(day + timedelta(1) if opening.ends <= opening.starts else day, opening.ends)
        if not (reach(case.name, case.first, begins) <= tick and ends <= reach(case.name, case.first, until)):
            continue
        around = True
        if opening.visit_type_ids and case.visit.visit_type_id not in opening.visit_type_ids:
            continue
        here = True
        steps, rest = divmod(wall - begins, timedelta(minutes=opening.step or case.visit.duration))
        if steps >= 0 and not rest and reach(case.name, case.first, wall) == tick:
            places = max(places, opening.capacity)
    return places, Reason.NOT_ON_GRID if here else Reason.VISIT_TYPE_NOT_HERE if around else Reason.NO_OPENING


def free_in(case: "Case", begins: int, until: int, places: int) -> tuple[int, ...]:
    taken = {lane for starts, ends, lane in case.table.busy if overlap(begins, until, starts, ends)}
    return tuple(lane for lane in range(1, places + 1) if lane not in taken)


class Case:
    """One doctor's three days: everything the timetable is asked with."""

    def __init__(self, name: str, first: date, table: Timetable, visit: VisitRule, policy: Policy, now: int) -> None:
        self.name, self.first, self.last = name, first, first + timedelta(2)
        self.table, self.visit, self.policy, self.now = table, visit, policy, now

    def __repr__(self) -> str:
        return f"Case({self.first}, {self.table}, {self.visit}, {self.policy}, now={self.now})"


def ticks(random: Random, lowest: int, highest: int) -> int:
    return random.randint(lowest, highest) * 5


def wall_time(random: Random) -> time:
    return time(random.randint(0, 23), ticks(random, 0, 11))


def some_opening(random: Random, first: date) -> Opening:
    starts, ends = wall_time(random), wall_time(random)
    if random.random() < 0.7:
        starts, ends = sorted([starts, ends])
    day, dated = first + timedelta(random.randint(0, 2)), random.random() < 0.5
    valid = [random.choice([None, None, first + timedelta(random.randint(-1, 3))]) for _ in range(2)]
    return Opening(
        random.randint(0, 99),
        None if dated else day.weekday(),
        day if dated else None,
        starts,
        time() if ends == starts or random.random() < 0.2 else ends,
        random.choice([None, ticks(random, 1, 18)]),
        random.choice([1, 1, 1, 2, 3]),
        frozenset(random.choice(["", "", "a", "b", "ab"])),
        *valid,
    )


def some_case(seed: int) -> Case:
    """Three days drawn at random around a date on which some clock is changed; as dense as a busy week."""
    random = Random(seed)
    name, first = random.choice(ZONES), random.choice(DATES)
    zone = ZoneInfo(name)
    midnight = int(datetime.combine(first, time(), zone).timestamp()) // TICK * TICK

    def spans(most: int, longest: int) -> list[tuple[int, int]]:
        starts = [midnight + random.randint(-24, 3 * 288 + 24) * TICK for _ in range(random.randint(0, most))]
        return [(start, start + random.randint(0, longest) * TICK) for start in starts]

    lanes, kinds = [1, 1, 1, 2, 3, 100, 101], ["leave", "holiday", "blocked", "clinic closed"]
    table = Timetable(
        zone,
        [some_opening(random, first) for _ in range(random.randint(1, 5))],
        [Closure(*span, random.choice(kinds)) for span in spans(5, 60)],
        [Busy(*span, random.choice(lanes)) for span in spans(90, 20)],
        {first + timedelta(n): random.randint(0, 4) for n in range(3)},
        [Busy(*span) for span in spans(8, 20)],
        [
            Room(number, random.choice("xy"), random.choice([1, 1, 2]), [Busy(*span, 1) for span in spans(20, 30)])
            for number in range(random.randint(0, 3))
        ],
    )
    needs = random.choice([(), (), ("x",), ("x", "y")])
    visit = VisitRule("a", ticks(random, 1, 15), ticks(random, 0, 3), random.choice([0, 5, 30]), needs)
    policy = Policy(random.choice([0, 60, 600]), random.choice([1, 2, 30]), random.choice([None, None, 2, 4]))
    return Case(name, first, table, visit, policy, midnight + random.randint(-200, 150) * TICK)


def cases() -> st.SearchStrategy[Case]:
    return st.integers(0, 2**40).map(some_case)


thorough = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
slowly = settings(thorough, max_examples=150)


@given(cases())
@thorough
def test_offers_and_reasons_agree_with_the_slow_reference_at_every_tick(case: Case) -> None:
    found = offers(case.table, case.visit, case.first, case.last, case.now, case.policy)
    asked = [(tick, wall) for tick, wall in clock(case.name, case.first) if case.first <= wall.date() <= case.last]
    given_reasons = reasons(case.table, case.visit, [tick for tick, _ in asked], case.now, case.policy)
    expected = []
    for (tick, wall), reason in zip(asked, given_reasons, strict=True):
        possible, lanes = reference(case, tick, wall)
        assert reason in possible, (tick, wall, reason, possible)
        if lanes:
            expected.append((tick, lanes))
    assert [(offer.starts, offer.free_lanes) for offer in found] == expected


@given(cases())
@slowly
def test_an_offer_collides_with_nothing_and_lies_in_its_opening(case: Case) -> None:
    found = offers(case.table, case.visit, case.first, case.last, case.now, case.policy)
    starts = [offer.starts for offer in found]
    assert starts == sorted(set(starts))
    inside = windows(case.table.openings, case.table.zone, case.first - timedelta(1), case.last)
    for offer in found:
        assert offer.ends - offer.starts == case.visit.duration * 60
        assert any(
            w.opening.id == offer.opening_id and w.starts <= offer.starts and offer.ends <= w.ends for w in inside
        )
        assert not any(overlap(offer.starts, offer.ends, c.starts, c.ends) for c in case.table.closures)
        for starts_at, ends_at, lane in case.table.busy:
            occupied = overlap(offer.occupied_from, offer.occupied_until, starts_at, ends_at)
            assert not (occupied and lane in offer.free_lanes)
        for rooms in free_rooms(case.table, case.visit, offer):
            assert rooms
            for room_id, lane in rooms:
                room = next(one for one in case.table.rooms if one.id == room_id)
                for starts_at, ends_at, taken in room.busy:
                    occupied = overlap(offer.occupied_from, offer.occupied_until, starts_at, ends_at)
                    assert not (occupied and lane == taken)


@given(cases(), st.integers(1, 299))
@slowly
def test_only_the_offered_instants_are_explained_as_offered(case: Case, off: int) -> None:
    found = [offer.starts for offer in offers(case.table, case.visit, case.first, case.last, case.now, case.policy)]
    assert set(reasons(case.table, case.visit, found, case.now, case.policy)) <= {Reason.OFFERED}
    beside = [start + off for start in found]
    assert Reason.OFFERED not in reasons(case.table, case.visit, beside, case.now, case.policy)
    for start in found[:3]:
        assert explain(case.table, case.visit, start, case.now, case.policy) is Reason.OFFERED


@given(cases(), st.integers(1, 9))
@slowly
def test_the_next_free_times_and_the_days_hold_the_same_offers(case: Case, limit: int) -> None:
    question = (case.table, case.visit, case.first, case.last, case.now, case.policy)
    found = offers(*question)
    assert next_free(*question, limit=limit) == found[:limit]
    days = by_day(found, case.table.zone)
    assert [offer for group in days.values() for offer in group] == found
    for day, group in days.items():
        assert {datetime.fromtimestamp(offer.starts, case.table.zone).date() for offer in group} == {day}


@given(cases())
@slowly
def test_taking_offered_places_one_by_one_sells_exactly_the_capacity(case: Case) -> None:
    table, sold = replace(case.table, busy=[]), 0
    found = next_free(table, case.visit, case.first, case.last, case.now, case.policy)
    for first_offer in found:
        places, offer = first_offer.places_left, first_offer
        while explain(table, case.visit, first_offer.starts, case.now, case.policy) is Reason.OFFERED:
            sold += 1
            taken = Busy(offer.occupied_from, offer.occupied_until, sold)
            table = replace(table, busy=[*table.busy, taken])
        assert sold == places
        assert explain(table, case.visit, first_offer.starts, case.now, case.policy) is Reason.TAKEN

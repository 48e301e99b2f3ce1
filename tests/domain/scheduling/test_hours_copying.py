"""Hours split by breaks, stretched and copied; what patients would see of them before they are saved."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Invalid, NotFound
from portal.domain.scheduling import availability, booking, hours, hours_copying, hours_preview
from portal.domain.scheduling.hours import OpeningOverlaps
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import Closure, Opening, VisitType
from portal.domain.scheduling.shapes import OpeningShape
from tests.builders import ALGIERS, at, make_practice, working_day

FRIDAY, SATURDAY = 4, 5


def first_of(weekday: int, after: int = 2) -> date:
    """The first such weekday at least `after` days from today."""
    day = clock.today(ALGIERS) + timedelta(days=after)
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def opened(doctor: Any, starts: str = "08:00", ends: str = "12:00", **more: Any) -> Opening:
    wall = {"starts": time.fromisoformat(starts), "ends": time.fromisoformat(ends)}
    return hours.add(doctor.actor, doctor.practice_id, **{"weekday": SATURDAY, **wall, **more})


def spans(doctor: Any, weekday: int | None = None, on: date | None = None) -> list[tuple[str, str]]:
    """The hours of a weekday or of a date as they are written."""
    found = hours.of_practice(doctor.actor, doctor.practice_id)
    wanted = [one for one in found if (one.on_date == on if on else one.weekday == weekday)]
    return [(f"{one.starts:%H:%M}", f"{one.ends:%H:%M}") for one in wanted]


def visit_at(amina: Any, doctor: Any, place: Any, wall: str = "09:00") -> Any:
    made = booking.book(
        amina.actor, practice_id=doctor.practice_id, visit_type_id=place.consultation_id, starts_at=at(wall)
    )
    keep()
    return made


# --- breaks and stretching ---


@pytest.mark.parametrize(
    ("starts", "ends", "left"),
    [
        ("10:00", "10:30", [("08:00", "10:00"), ("10:30", "12:00")]),
        ("08:00", "09:00", [("09:00", "12:00")]),
        ("11:00", "12:00", [("08:00", "11:00")]),
    ],
)
def test_a_break_splits_an_opening_or_makes_it_shorter(
    dr_benali: Any, el_djazair: Any, starts: str, ends: str, left: list[tuple[str, str]]
) -> None:
    opening = opened(dr_benali, visit_type_ids=[el_djazair.consultation_id], capacity=2)
    hours.take_break(dr_benali.actor, opening.id, starts=starts, ends=ends)
    assert spans(dr_benali, SATURDAY) == left
    parts = [one for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id) if one.weekday == SATURDAY]
    assert all(
        one.capacity == 2 and [kind.id for kind in one.visit_types] == [el_djazair.consultation_id] for one in parts
    )
    assert parts[0].id == opening.id


def test_a_break_until_midnight_leaves_the_beginning(dr_benali: Any) -> None:
    hours.take_break(dr_benali.actor, opened(dr_benali, "20:00", "00:00").id, starts="22:00", ends="00:00")
    assert spans(dr_benali, SATURDAY) == [("20:00", "22:00")]


@pytest.mark.parametrize(
    ("starts", "ends"),
    [("07:00", "09:00"), ("11:00", "13:00"), ("08:00", "12:00"), ("10:00", "09:00"), ("11:00", "00:00")],
)
def test_a_break_that_cannot_be_is_refused(dr_benali: Any, starts: str, ends: str) -> None:
    opening = opened(dr_benali)
    with pytest.raises(Invalid):
        hours.take_break(dr_benali.actor, opening.id, starts=starts, ends=ends)


def test_a_break_over_a_booked_visit_names_it(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    visit = visit_at(amina, dr_benali, el_djazair)
    morning = next(
        one
        for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id)
        if one.weekday == working_day().weekday() and one.starts == time(8)
    )
    with pytest.raises(VisitsAffected) as no:
        hours.take_break(dr_benali.actor, morning.id, starts="09:15", ends="09:30")
    assert no.value.facts["visits"] == [visit.id]
    hours.take_break(dr_benali.actor, morning.id, starts="09:30", ends="10:00")
    assert ("08:00", "09:30") in spans(dr_benali, morning.weekday)


def test_an_opening_is_drawn_longer_and_to_another_day(dr_benali: Any) -> None:
    opening = opened(dr_benali)
    hours.stretch(dr_benali.actor, opening.id, starts=time(9), ends=time(13))
    hours.stretch(dr_benali.actor, opening.id, starts=time(9), ends=time(13), day=first_of(FRIDAY))
    assert (spans(dr_benali, FRIDAY), spans(dr_benali, SATURDAY)) == ([("09:00", "13:00")], [])
    once = opened(dr_benali, weekday=None, on_date=first_of(SATURDAY))
    hours.stretch(dr_benali.actor, once.id, starts=time(8), ends=time(9), day=first_of(FRIDAY, 10))
    assert once.on_date == first_of(FRIDAY, 10)


def test_an_opening_is_not_drawn_over_another(dr_benali: Any) -> None:
    opened(dr_benali, "14:00", "16:00")
    with pytest.raises(OpeningOverlaps):
        hours.stretch(dr_benali.actor, opened(dr_benali).id, starts=time(8), ends=time(15))


# --- a day to other days ---


def test_a_day_is_copied_to_other_days_once(dr_benali: Any, el_djazair: Any) -> None:
    opened(dr_benali, visit_type_ids=[el_djazair.follow_up_id], capacity=3)
    about = {"weekday": SATURDAY, "to": [FRIDAY, SATURDAY]}
    assert hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, **about) == 1
    assert hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, **about) == 0
    made = next(one for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id) if one.weekday == FRIDAY)
    assert (made.capacity, [kind.id for kind in made.visit_types]) == (3, [el_djazair.follow_up_id])


def test_a_copied_day_stands_beside_what_is_there_or_instead_of_it(dr_benali: Any) -> None:
    opened(dr_benali)
    opened(dr_benali, "11:00", "14:00", weekday=FRIDAY)
    with pytest.raises(OpeningOverlaps):
        hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, weekday=SATURDAY, to=[FRIDAY])
    hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, weekday=SATURDAY, to=[FRIDAY], replace=True)
    assert spans(dr_benali, FRIDAY) == [("08:00", "12:00")]


def test_a_day_without_hours_is_not_copied(dr_benali: Any) -> None:
    with pytest.raises(Invalid) as no:
        hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, weekday=SATURDAY, to=[FRIDAY])
    assert "weekday" in no.value.fields


def test_copying_over_a_day_with_visits_names_them(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    visit = visit_at(amina, dr_benali, el_djazair)
    opened(dr_benali, "14:00", "16:00")
    about = {"weekday": SATURDAY, "to": [working_day().weekday()], "replace": True}
    with pytest.raises(VisitsAffected) as no:
        hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, **about)
    assert no.value.facts["visits"] == [visit.id]
    hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, keep_visits=True, **about)
    assert spans(dr_benali, working_day().weekday()) == [("14:00", "16:00")]


# --- a week to other weeks and places ---


def test_a_week_becomes_single_dates_within_a_week_and_weekly_hours_beyond(dr_benali: Any) -> None:
    week = first_of(0, 1)
    opened(dr_benali, weekday=None, on_date=week + timedelta(days=FRIDAY))
    short, long = week + timedelta(days=28), week + timedelta(days=56)
    about = {"week": week, "replace": True}
    hours_copying.copy_week(
        dr_benali.actor, dr_benali.practice_id, first=short, last=short + timedelta(days=4), **about
    )
    assert spans(dr_benali, on=short + timedelta(days=FRIDAY)) == [("08:00", "12:00")]
    hours_copying.copy_week(dr_benali.actor, dr_benali.practice_id, first=long, last=long + timedelta(days=27), **about)
    friday = [one for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id) if one.weekday == FRIDAY]
    assert [(one.valid_from, one.valid_until) for one in friday] == [(long, long + timedelta(days=27))]


def test_other_hours_for_some_weeks_leave_those_before_and_after(dr_benali: Any, el_djazair: Any) -> None:
    """The hours of a month in summer, say: every date has its own hours and none has two."""
    kinds, doctor = el_djazair.consultation_id, dr_benali
    week = first_of(0, 1)
    for opening in hours.of_practice(doctor.actor, doctor.practice_id):
        hours.remove(doctor.actor, opening.id)
    opened(doctor, "08:00", "12:00", weekday=0)
    opened(doctor, "18:00", "20:00", weekday=None, on_date=week)
    first, last = week + timedelta(days=7), week + timedelta(days=20)
    hours_copying.copy_week(doctor.actor, doctor.practice_id, week=week, first=first, last=last, replace=True)
    for weeks, expected in ((0, 12), (1, 12), (2, 12), (3, 8)):
        day = week + timedelta(weeks=weeks)
        assert len(availability.offers(doctor.actor, doctor.practice_id, kinds, day, day)) == expected, weeks


def test_a_week_is_copied_to_another_practice_by_the_names_of_its_visit_types(
    dr_benali: Any, superadmin: Any, el_djazair: Any, wahran: Any
) -> None:
    target = _second_practice(dr_benali, wahran)
    week = first_of(0, 1)
    added = hours_copying.copy_week(
        superadmin.actor, dr_benali.practice_id, week=week, first=week, to_practice_id=target
    )
    made = hours.of_practice(superadmin.actor, target)
    assert added == len(made) == len(hours.of_practice(superadmin.actor, dr_benali.practice_id))
    assert {kind.clinic_id for one in made for kind in one.visit_types} == {wahran.clinic_id}


def test_a_visit_type_the_other_clinic_does_not_have_is_named(dr_benali: Any, superadmin: Any, wahran: Any) -> None:
    target = _second_practice(dr_benali, wahran)
    session().get_one(VisitType, wahran.follow_up_id).is_active = False
    week = first_of(0, 1)
    with pytest.raises(Invalid) as no:
        hours_copying.copy_week(superadmin.actor, dr_benali.practice_id, week=week, first=week, to_practice_id=target)
    assert "Video follow-up" in str(no.value.fields["to_practice_id"])


def test_a_week_without_hours_or_in_the_past_is_not_copied(dr_benali: Any) -> None:
    today = clock.today(ALGIERS)
    with pytest.raises(Invalid) as no:
        hours_copying.copy_week(dr_benali.actor, dr_benali.practice_id, week=today, first=today - timedelta(days=1))
    assert "first" in no.value.fields
    for opening in hours.of_practice(dr_benali.actor, dr_benali.practice_id):
        hours.remove(dr_benali.actor, opening.id)
    with pytest.raises(Invalid) as no:
        hours_copying.copy_week(dr_benali.actor, dr_benali.practice_id, week=today, first=today)
    assert "week" in no.value.fields


def test_hours_are_copied_only_where_one_sets_them(dr_benali: Any, dr_haddad: Any, nadia: Any, kamel: Any) -> None:
    week = first_of(0, 1)
    for who, practice, target in (
        (nadia, dr_benali.practice_id, dr_haddad.practice_id),
        (kamel, dr_benali.practice_id, dr_haddad.practice_id),
        (dr_haddad, dr_benali.practice_id, None),
    ):
        with pytest.raises(NotFound):
            hours_copying.copy_week(who.actor, practice, week=week, first=week, to_practice_id=target)
    practice = hours.practice_for(nadia.actor, dr_benali.practice_id)
    assert hours.targets(nadia.actor, practice) == []
    assert [one.id for one in hours.practices_of(nadia.actor)] == [dr_benali.practice_id]


# --- what patients would see ---


def test_the_preview_marks_times_that_come_and_go(dr_benali: Any, el_djazair: Any) -> None:
    opening, day = opened(dr_benali, "08:00", "09:00"), first_of(SATURDAY)
    wanted = OpeningShape(weekday=SATURDAY, starts="08:30", ends="10:00", capacity=2)
    seen = hours_preview.offers(
        dr_benali.actor, dr_benali.practice_id, el_djazair.consultation_id, wanted=wanted, opening_id=opening.id
    )
    marks = [(f"{mark.starts_at.astimezone(ALGIERS):%H:%M}", mark.state) for mark in dict(seen.days)[day]]
    assert marks == [("08:00", "gone"), ("08:30", "same"), ("09:00", "new"), ("09:30", "new")]
    assert dict(seen.days)[day][2].places == 2
    assert session().get_one(Opening, opening.id).starts == time(8)


def test_the_preview_of_hours_past_midnight_puts_each_time_on_its_date(dr_benali: Any, el_djazair: Any) -> None:
    eve = first_of(FRIDAY)
    wanted = OpeningShape(on_date=eve, starts="23:30", ends="01:00", ends_next_day=True)
    seen = hours_preview.offers(dr_benali.actor, dr_benali.practice_id, el_djazair.consultation_id, wanted=wanted)
    new = [(day, mark.starts_at) for day, marks in seen.days for mark in marks if mark.state == "new"]
    assert [(day, f"{starts_at.astimezone(ALGIERS):%H:%M}") for day, starts_at in new] == [
        (eve, "23:30"), (eve + timedelta(days=1), "00:00"), (eve + timedelta(days=1), "00:30"),
    ]  # fmt: skip


def test_hours_past_midnight_are_copied_whole_and_not_onto_the_morning_after(dr_benali: Any) -> None:
    opened(dr_benali, "20:00", "02:00", weekday=FRIDAY, ends_next_day=True)
    assert hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, weekday=FRIDAY, to=[SATURDAY]) == 1
    assert spans(dr_benali, SATURDAY) == [("20:00", "02:00")]
    opened(dr_benali, "01:00", "03:00", weekday=0)  # the morning after a Sunday
    with pytest.raises(OpeningOverlaps):
        hours_copying.copy_day(dr_benali.actor, dr_benali.practice_id, weekday=FRIDAY, to=[6])
    week = first_of(FRIDAY)
    last = week + timedelta(days=27)
    hours_copying.copy_week(dr_benali.actor, dr_benali.practice_id, week=week, first=week, last=last, replace=True)
    assert ("20:00", "02:00") in spans(dr_benali, FRIDAY) and ("20:00", "02:00") in spans(dr_benali, SATURDAY)


def test_the_preview_says_what_offers_say(dr_benali: Any, el_djazair: Any) -> None:
    seen = hours_preview.offers(dr_benali.actor, dr_benali.practice_id, el_djazair.consultation_id)
    assert seen.first == clock.today(ALGIERS)
    offered = availability.next_free(
        [dr_benali.practice_id], visit_type_id=el_djazair.consultation_id, limit=1000, days=13
    )[dr_benali.practice_id]
    assert [mark.starts_at for _day, marks in seen.days for mark in marks] == [slot.starts_at for slot in offered]


def test_the_preview_begins_where_the_hours_begin(dr_benali: Any, el_djazair: Any) -> None:
    day = first_of(FRIDAY, 30)
    wanted = OpeningShape(on_date=day, starts="08:00", ends="09:00")
    seen = hours_preview.offers(dr_benali.actor, dr_benali.practice_id, el_djazair.consultation_id, wanted=wanted)
    assert (seen.first, seen.count("new")) == (day, 2)


def test_the_preview_is_for_those_who_set_the_hours(
    dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any
) -> None:
    with pytest.raises(NotFound):
        hours_preview.offers(dr_haddad.actor, dr_benali.practice_id, el_djazair.consultation_id)
    with pytest.raises(NotFound):
        hours_preview.offers(dr_benali.actor, dr_benali.practice_id, wahran.consultation_id)


def test_a_week_shows_openings_of_its_dates_time_off_and_holidays(dr_benali: Any, admin: Any, el_djazair: Any) -> None:
    from portal.domain.scheduling import closures

    day = first_of(SATURDAY)
    weekly, once = opened(dr_benali), opened(dr_benali, "14:00", "15:00", weekday=None, on_date=day)
    closures.add_holiday(admin.actor, el_djazair.clinic_id, day=day, name="Eid")
    closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, first=day, last=day, starts=time(10), ends=time(11))
    practice = hours.practice_for(dr_benali.actor, dr_benali.practice_id)
    found = hours.of_practice(dr_benali.actor, practice.id)
    shown = {one.date: one for one in hours_preview.week(dr_benali.actor, practice, found, day)}
    assert [one.id for one in shown[day].openings] == [weekly.id, once.id]
    assert shown[day].holiday is not None and shown[day].holiday.name == "Eid"
    assert [type(one.closure) for one in shown[day].off] == [Closure]
    assert shown[day + timedelta(days=6)].holiday is None


def _second_practice(doctor: Any, place: Any) -> Any:
    from portal.domain.clinics.models import Clinic
    from portal.domain.doctors.models import Doctor

    made = make_practice(session().get_one(Doctor, doctor.doctor_id), session().get_one(Clinic, place.clinic_id))
    keep()
    return made.id

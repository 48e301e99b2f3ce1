"""Openings of a practice: who sets them, what overlaps, and which visits a change would leave outside."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.errors import Invalid, NotFound
from portal.domain.scheduling import availability, booking, hours, impact
from portal.domain.scheduling.hours import OpeningOverlaps
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import Opening
from tests.builders import ALGIERS, at, working_day

SATURDAY, FRIDAY = 5, 4


def span(starts: str, ends: str, **more: Any) -> dict[str, Any]:
    """An OpeningShape's values."""
    return {"starts": time.fromisoformat(starts), "ends": time.fromisoformat(ends), **more}


def night(starts: str, ends: str, **more: Any) -> dict[str, Any]:
    """Hours that end on the next day."""
    return span(starts, ends, ends_next_day=True, **more)


def test_added_hours_can_be_booked(dr_benali: Any, el_djazair: Any) -> None:
    day = next_weekday(SATURDAY)
    opened = hours.add(dr_benali.actor, dr_benali.practice_id, **span("09:00", "10:00", weekday=SATURDAY))
    slots = availability.offers(dr_benali.actor, dr_benali.practice_id, el_djazair.consultation_id, day, day)
    assert [f"{slot.starts_at.astimezone(ALGIERS):%H:%M}" for slot in slots] == ["09:00", "09:30"]
    assert {slot.opening_id for slot in slots} == {str(opened.id)}


def test_hours_of_one_date_hold_on_that_date_only(dr_benali: Any, el_djazair: Any) -> None:
    day = next_weekday(FRIDAY)
    hours.add(dr_benali.actor, dr_benali.practice_id, **span("09:00", "10:00", on_date=day))
    for on, expected in ((day, 2), (day + timedelta(days=7), 0)):
        found = availability.offers(dr_benali.actor, dr_benali.practice_id, el_djazair.consultation_id, on, on)
        assert len(found) == expected


@pytest.mark.parametrize(
    ("already", "wanted", "overlaps"),
    [
        (span("09:00", "12:00", weekday=5), span("11:00", "13:00", weekday=5), True),
        (span("09:00", "12:00", weekday=5), span("12:00", "13:00", weekday=5), False),
        (span("09:00", "12:00", weekday=5), span("09:00", "12:00", weekday=4), False),
        (span("20:00", "00:00", weekday=5), span("23:00", "23:30", weekday=5), True),
        (
            span("09:00", "12:00", weekday=5, valid_until=date(2031, 5, 31)),
            span("09:00", "12:00", weekday=5, valid_from=date(2031, 6, 1)),
            False,
        ),
        (
            span("09:00", "12:00", weekday=5, valid_until=date(2031, 5, 31)),
            span("09:00", "12:00", weekday=5, valid_from=date(2031, 5, 31)),
            True,
        ),
        (span("09:00", "12:00", on_date=date(2031, 5, 31)), span("11:00", "13:00", on_date=date(2031, 5, 31)), True),
        (span("09:00", "12:00", on_date=date(2031, 5, 31)), span("11:00", "13:00", on_date=date(2031, 6, 7)), False),
        (span("09:00", "12:00", weekday=5), span("11:00", "13:00", on_date=date(2031, 5, 31)), True),
        (span("09:00", "12:00", on_date=date(2031, 5, 31)), span("11:00", "13:00", weekday=5), True),
        (
            span("09:00", "12:00", weekday=5, valid_until=date(2031, 5, 30)),
            span("11:00", "13:00", on_date=date(2031, 5, 31)),
            False,
        ),
        # nights: 4 is Friday, 6 Sunday, 0 Monday; 31 May 2031 is a Saturday
        (night("20:00", "02:00", weekday=4), span("01:00", "03:00", weekday=5), True),
        (night("20:00", "02:00", weekday=4), span("02:00", "03:00", weekday=5), False),
        (span("01:00", "03:00", weekday=5), night("20:00", "02:00", weekday=4), True),
        (night("20:00", "02:00", weekday=6), span("00:00", "01:00", weekday=0), True),
        (night("20:00", "02:00", weekday=4), night("22:00", "04:00", weekday=4), True),
        (night("20:00", "06:00", weekday=4), night("05:30", "01:00", weekday=5), True),
        (night("20:00", "02:00", weekday=4), span("00:00", "00:00", weekday=5), True),
        (night("20:00", "02:00", weekday=4), span("20:00", "02:30", weekday=3, ends_next_day=True), False),
        (night("20:00", "02:00", on_date=date(2031, 5, 30)), span("01:00", "03:00", weekday=5), True),
        (night("20:00", "02:00", on_date=date(2031, 5, 30)), span("01:00", "03:00", on_date=date(2031, 5, 31)), True),
        (span("01:00", "03:00", on_date=date(2031, 5, 31)), night("20:00", "02:00", weekday=4), True),
        (
            night("20:00", "02:00", weekday=4, valid_until=date(2031, 5, 30)),
            span("01:00", "03:00", weekday=5, valid_from=date(2031, 5, 31)),
            True,
        ),
        (
            night("20:00", "02:00", weekday=4, valid_until=date(2031, 5, 30)),
            span("01:00", "03:00", weekday=5, valid_from=date(2031, 6, 1)),
            False,
        ),
        (
            span("09:00", "12:00", weekday=5, valid_from=date(2031, 6, 1), valid_until=date(2031, 6, 5)),
            span("09:00", "12:00", weekday=5),
            False,  # no Saturday lies in those valid dates
        ),
    ],
)
def test_openings_of_one_day_do_not_overlap(
    dr_benali: Any, already: dict[str, Any], wanted: dict[str, Any], overlaps: bool
) -> None:
    first = hours.add(dr_benali.actor, dr_benali.practice_id, **already)
    if overlaps:
        with pytest.raises(OpeningOverlaps) as no:
            hours.add(dr_benali.actor, dr_benali.practice_id, **wanted)
        assert no.value.facts["opening_id"] == first.id
    else:
        assert hours.add(dr_benali.actor, dr_benali.practice_id, **wanted).id != first.id


@pytest.mark.parametrize(
    "wanted",
    [
        span("12:00", "09:00", weekday=5),
        span("09:00", "12:00", weekday=5, ends_next_day=True),
        span("09:00", "09:00", weekday=5, ends_next_day=True),
        span("09:00", "09:00", weekday=5),
        span("09:00", "12:00"),
        span("09:00", "12:00", weekday=5, on_date=date(2031, 5, 31)),
        span("09:00", "12:00", weekday=5, valid_from=date(2031, 6, 1), valid_until=date(2031, 5, 1)),
        span("09:00", "12:00", weekday=5, capacity=0),
        span("09:00", "12:00", weekday=5, step=1),
        span("09:00", "12:00", weekday=7),
    ],
)
def test_hours_that_make_no_sense_are_refused(dr_benali: Any, wanted: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        hours.add(dr_benali.actor, dr_benali.practice_id, **wanted)


def test_a_visit_type_of_another_clinic_is_refused(dr_benali: Any, wahran: Any) -> None:
    with pytest.raises(Invalid) as no:
        hours.add(
            dr_benali.actor,
            dr_benali.practice_id,
            **span("09:00", "12:00", weekday=SATURDAY, visit_type_ids=[wahran.consultation_id]),
        )
    assert "visit_type_ids" in no.value.fields


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("dr_benali", None), ("nadia", None), ("admin", None), ("superadmin", None), ("dr_haddad", NotFound),
        ("kamel", NotFound), ("amina", NotFound),
    ],
)  # fmt: skip
def test_the_doctor_and_the_clinics_people_set_the_hours(request: Any, dr_benali: Any, who: str, refusal: Any) -> None:
    person = request.getfixturevalue(who)
    wanted = span("09:00", "12:00", weekday=SATURDAY)
    if refusal is None:
        assert hours.add(person.actor, dr_benali.practice_id, **wanted).weekday == SATURDAY
    else:
        with pytest.raises(refusal):
            hours.add(person.actor, dr_benali.practice_id, **wanted)
        with pytest.raises(refusal):
            hours.of_practice(person.actor, dr_benali.practice_id)


def test_an_unknown_opening_is_not_found(dr_benali: Any) -> None:
    with pytest.raises(NotFound):
        hours.remove(dr_benali.actor, dr_benali.practice_id)


def test_removed_hours_that_hold_no_visit_are_gone(dr_benali: Any) -> None:
    opened = hours.add(dr_benali.actor, dr_benali.practice_id, **span("09:00", "12:00", weekday=SATURDAY))
    hours.remove(dr_benali.actor, opened.id)
    assert session().get(Opening, opened.id) is None


def test_hours_with_a_booked_visit_are_not_removed_in_silence(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    opening = _opening_of(dr_benali, visit)
    with pytest.raises(VisitsAffected) as no:
        hours.remove(dr_benali.actor, opening.id)
    assert (no.value.facts["visits"], no.value.facts["count"]) == ([visit.id], 1)
    assert [one.id for one in impact.look(dr_benali.actor, no.value.facts["visits"])] == [visit.id]
    hours.remove(dr_benali.actor, opening.id, keep_visits=True)
    assert session().get(Opening, opening.id) is None
    assert visit.status == "confirmed"


def test_hours_are_changed_when_every_visit_still_fits(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    opening = _opening_of(dr_benali, visit)
    changed = hours.change(dr_benali.actor, opening.id, **span("08:30", "11:00", weekday=opening.weekday))
    assert (changed.starts, changed.ends) == (time(8, 30), time(11))
    assert changed.visit_types == []


@pytest.mark.parametrize("ends", ["09:00", "09:15"])
def test_a_change_that_leaves_a_visit_outside_names_it(dr_benali: Any, amina: Any, el_djazair: Any, ends: str) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    opening = _opening_of(dr_benali, visit)
    with pytest.raises(VisitsAffected) as no:
        hours.change(dr_benali.actor, opening.id, **span("08:00", ends, weekday=opening.weekday))
    assert no.value.facts["visits"] == [visit.id]


def test_a_change_that_no_longer_takes_the_visits_type_names_it(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    opening = _opening_of(dr_benali, visit)
    only = span("08:00", "12:00", weekday=opening.weekday, visit_type_ids=[el_djazair.follow_up_id])
    with pytest.raises(VisitsAffected):
        hours.change(dr_benali.actor, opening.id, **only)


def test_a_visit_that_is_over_stands_in_no_way(dr_benali: Any, amina: Any, el_djazair: Any, standing_at: Any) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    opening = _opening_of(dr_benali, visit)
    with standing_at(at("10:00")):
        hours.remove(dr_benali.actor, opening.id)
    assert session().get(Opening, opening.id) is None


def test_an_opening_is_not_moved_onto_another(dr_benali: Any) -> None:
    day = working_day().weekday()
    morning = next(one for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id) if one.weekday == day)
    with pytest.raises(OpeningOverlaps):
        hours.change(dr_benali.actor, morning.id, **span("08:00", "14:00", weekday=day))


def test_night_hours_are_booked_on_both_days_and_their_visits_are_named_when_they_go(
    dr_benali: Any, amina: Any, el_djazair: Any
) -> None:
    eve = next_weekday(FRIDAY)
    opened = hours.add(dr_benali.actor, dr_benali.practice_id, **night("23:00", "01:00", on_date=eve))
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    slots = availability.offers(amina.actor, *about.values(), eve, eve + timedelta(days=1))
    assert [f"{slot.starts_at.astimezone(ALGIERS):%a %H:%M}" for slot in slots] == [
        "Fri 23:00", "Fri 23:30", "Sat 00:00", "Sat 00:30",
    ]  # fmt: skip
    late = booking.book(amina.actor, **about, starts_at=slots[2].starts_at)
    keep()
    with pytest.raises(VisitsAffected) as no:
        hours.remove(dr_benali.actor, opened.id)
    assert no.value.facts["visits"] == [late.id]
    shorter = hours.change(dr_benali.actor, opened.id, **night("23:00", "00:30", on_date=eve))
    assert shorter.ends_next_day
    with pytest.raises(VisitsAffected):
        hours.change(dr_benali.actor, opened.id, **span("23:00", "00:00", on_date=eve))


@pytest.mark.parametrize(
    ("starts", "ends", "left"),
    [
        ("21:00", "22:00", [(FRIDAY, "20:00", "21:00"), (FRIDAY, "22:00", "02:00")]),
        ("23:00", "00:00", [(FRIDAY, "20:00", "23:00"), (SATURDAY, "00:00", "02:00")]),
        ("23:30", "00:30", [(FRIDAY, "20:00", "23:30"), (SATURDAY, "00:30", "02:00")]),
        ("00:30", "01:00", [(FRIDAY, "20:00", "00:30"), (SATURDAY, "01:00", "02:00")]),
        ("01:00", "02:00", [(FRIDAY, "20:00", "01:00")]),
        ("20:00", "00:30", [(SATURDAY, "00:30", "02:00")]),
    ],
)
def test_a_break_in_the_night_leaves_each_part_on_its_own_day(
    dr_benali: Any, starts: str, ends: str, left: list[tuple[int, str, str]]
) -> None:
    known = {one.id for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id)}
    first, last = date(2031, 5, 2), date(2031, 5, 30)  # Fridays
    about = night("20:00", "02:00", weekday=FRIDAY, valid_from=first, valid_until=last)
    opened = hours.add(dr_benali.actor, dr_benali.practice_id, **about)
    hours.take_break(dr_benali.actor, opened.id, **span(starts, ends))
    parts = [one for one in hours.of_practice(dr_benali.actor, dr_benali.practice_id) if one.id not in known]
    assert [(one.weekday, f"{one.starts:%H:%M}", f"{one.ends:%H:%M}") for one in parts] == left
    for one in parts:
        later = timedelta(days=one.weekday - FRIDAY)  # type: ignore[operator]
        assert (one.valid_from, one.valid_until) == (first + later, last + later)


@pytest.mark.parametrize(("starts", "ends"), [("19:00", "21:00"), ("01:00", "03:00"), ("03:00", "04:00")])
def test_a_break_outside_of_the_night_is_refused(dr_benali: Any, starts: str, ends: str) -> None:
    opened = hours.add(dr_benali.actor, dr_benali.practice_id, **night("20:00", "02:00", weekday=FRIDAY))
    with pytest.raises(Invalid):
        hours.take_break(dr_benali.actor, opened.id, **span(starts, ends))


def next_weekday(weekday: int) -> date:
    """The first such day at least two days from now."""
    day = working_day() - timedelta(days=0)
    while day.weekday() != weekday:
        day += timedelta(days=1)
    return day


def _booked(patient: Any, doctor: Any, place: Any) -> Any:
    made = booking.book(
        patient.actor, practice_id=doctor.practice_id, visit_type_id=place.consultation_id, starts_at=at("09:00")
    )
    keep()
    return made


def _opening_of(doctor: Any, visit: Any) -> Opening:
    day = visit.starts_at.astimezone(ALGIERS).date()
    found = hours.of_practice(doctor.actor, doctor.practice_id)
    return next(one for one in found if one.weekday == day.weekday() and one.starts == time(8))

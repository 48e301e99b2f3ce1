"""Who goes next: booked, late and walk-in patients in one line, by the rule the pages show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.day import queue
from portal.domain.scheduling import booking, visits
from tests.builders import at, make_patient, register_at

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATE = timedelta(minutes=10)


def seen(number: int, booked: int | None = None, came: int = 0, *, urgent: bool = False) -> Any:
    """Somebody booked and arrived so many minutes after nine; without a booking a walk-in."""
    return SimpleNamespace(
        id=number,
        queue_number=number,
        is_urgent=urgent,
        is_walk_in=booked is None,
        starts_at=NINE + timedelta(minutes=came if booked is None else booked),
        checked_in_at=NINE + timedelta(minutes=came),
    )


def order(*people: Any) -> list[int]:
    return [one.queue_number for one in queue.in_turn(people, LATE)]


def test_the_booked_time_counts_for_whoever_came_early() -> None:
    assert order(seen(1, booked=30, came=0), seen(2, booked=15, came=10)) == [2, 1]


@pytest.mark.parametrize(("minutes", "goes_first"), [(0, True), (10, True), (11, False)])
def test_the_booked_time_is_kept_until_the_clinics_late_minutes(minutes: int, goes_first: bool) -> None:
    late_one, other = seen(2, booked=0, came=minutes), seen(1, booked=5, came=-20)
    assert order(other, late_one) == ([2, 1] if goes_first else [1, 2])


def test_whoever_is_late_counts_from_when_they_arrived() -> None:
    late_one = seen(3, booked=0, came=25)
    assert order(late_one, seen(1, came=20), seen(2, booked=24, came=0), seen(4, booked=30, came=1)) == [1, 2, 3, 4]


def test_walk_ins_count_from_when_they_arrived() -> None:
    assert order(seen(1, came=12), seen(2, booked=10, came=11), seen(3, booked=15, came=-30)) == [2, 1, 3]


def test_urgent_patients_go_before_everybody_else_and_among_themselves_by_their_time() -> None:
    assert order(seen(1, booked=0), seen(2, came=40, urgent=True), seen(3, booked=30, urgent=True)) == [3, 2, 1]


def test_of_two_with_the_same_time_the_lower_number_goes_first() -> None:
    assert order(seen(8, booked=0), seen(7, booked=0)) == [7, 8]


def test_a_walk_in_is_never_late() -> None:
    assert not queue.is_late(seen(1, came=300), LATE)
    assert queue.is_late(seen(1, booked=0, came=11), LATE)


people = st.builds(
    seen,
    st.integers(1, 300),
    booked=st.none() | st.integers(-60, 240),
    came=st.integers(-60, 240),
    urgent=st.booleans(),
)


@given(st.lists(people, max_size=12), st.integers(0, 60))
def test_in_any_line_nobody_goes_before_somebody_whose_time_is_earlier(line: list[Any], minutes: int) -> None:
    late = timedelta(minutes=minutes)
    found = queue.in_turn(line, late)
    assert sorted(map(id, found)) == sorted(map(id, line))
    for first, then in pairwise(found):
        assert first.is_urgent or not then.is_urgent
        if first.is_urgent == then.is_urgent:
            assert queue.counts_from(first, late) <= queue.counts_from(then, late)


@given(people, st.integers(0, 60))
def test_nobody_counts_from_later_than_both_their_booking_and_their_arrival(one: Any, minutes: int) -> None:
    counts = queue.counts_from(one, timedelta(minutes=minutes))
    assert counts in {one.starts_at, one.checked_in_at}


# --- a real morning ---


@pytest.fixture
def morning(amina: Any, yacine: Any, nadia: Any, dr_benali: Any, el_djazair: Any, standing_at: Any) -> Any:
    """Amina at nine, Yacine at half past nine; both check in, Yacine first."""
    made = {
        who.name: booking.book(
            who.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall),
        ).id
        for who, wall in ((amina, "09:00"), (yacine, "09:30"))
    }
    keep()
    with standing_at(at("08:50")):
        visits.check_in(nadia.actor, made["Yacine Meziane"])
        visits.check_in(nadia.actor, made["Amina Boudiaf"])
    keep()
    return made


def read(el_djazair: Any) -> queue.Queue:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    return queue.read(clinic, clock.today(clinic.zone))[0]


def test_every_visit_of_the_day_is_in_exactly_one_list(morning: Any, nadia: Any, el_djazair: Any, standing_at: Any):
    with standing_at(at("09:00")):
        visits.start(nadia.actor, morning["Amina Boudiaf"])
        found = read(el_djazair)
    assert [visit.patient.name for visit in found.inside] == ["Amina Boudiaf"]
    assert [place.visit.patient.name for place in found.waiting] == ["Yacine Meziane"]
    assert len(found.all) == 2


def test_numbers_follow_arrival_and_turns_follow_the_rule(morning: Any, el_djazair: Any, standing_at: Any) -> None:
    with standing_at(at("08:55")):
        found = read(el_djazair)
    assert [(place.visit.queue_number, place.before) for place in found.waiting] == [(2, 0), (1, 1)]
    assert found.next is found.waiting[0].visit


def test_whoever_was_called_stands_apart_and_is_not_next(morning: Any, nadia: Any, el_djazair: Any, standing_at: Any):
    with standing_at(at("08:58")):
        visits.call(nadia.actor, morning["Amina Boudiaf"])
        found = read(el_djazair)
    assert [visit.queue_number for visit in found.called] == [2]
    assert found.next is not None
    assert found.next.queue_number == 1
    assert [place.before for place in found.waiting] == [1]


def test_the_whole_clinic_is_read_in_two_statements(
    morning: Any, dr_benali: Any, el_djazair: Any, nadia: Any, statements: Any, standing_at: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    for wall in ("10:00", "10:30", "11:00", "11:30"):
        patient = make_patient(given_name="Guest", family_name=wall.replace(":", ""))
        register_at(patient, clinic)
        booking.book(
            nadia.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall), patient_id=patient.id,
        )  # fmt: skip
    keep()
    session().expunge_all()
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    with standing_at(at("09:00")), statements() as count:
        found = queue.read(clinic, clock.today(clinic.zone))
        assert [visit.patient.name for visit in found[0].all]
    assert count() <= 2


def test_the_rule_names_the_clinics_minutes(el_djazair: Any) -> None:
    assert "10 minutes late" in queue.in_words(session().get_one(Clinic, el_djazair.clinic_id))

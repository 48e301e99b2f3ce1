"""How long somebody waits: an honest range from what this doctor's visits took."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.day import waiting
from portal.domain.day.waiting import Span, Step
from portal.domain.doctors.models import Practice
from portal.domain.scheduling.models import Appointment
from tests.builders import make_patient

minutes = st.integers(0, 300).map(float)
spans = st.tuples(minutes, minutes).map(lambda two: Span(min(two), max(two)))
steps = st.builds(Step, spans, minutes, minutes, st.none() | st.integers(1, 3))


@given(st.lists(steps, max_size=10), st.lists(spans, max_size=3))
def test_a_range_is_never_negative_and_never_upside_down(line: list[Step], inside: list[Span]) -> None:
    for span in waiting.along(line, inside):
        assert 0 <= span.low <= span.high


@given(st.lists(steps, max_size=10), st.lists(spans, max_size=3))
def test_whoever_stands_further_back_never_waits_less(line: list[Step], inside: list[Span]) -> None:
    found = waiting.along(line, inside)
    for first, then in pairwise(found):
        assert first.low <= then.low
        assert first.high <= then.high


@given(spans, spans)
def test_rounding_never_narrows_a_range(one: Span, other: Span) -> None:
    low, high = waiting.rounded(one)
    assert low <= one.low
    assert high >= one.high
    assert low % waiting.STEP == high % waiting.STEP == 0
    if one.high <= other.high:
        assert high <= waiting.rounded(other)[1]


@given(spans, minutes)
def test_a_visit_that_goes_on_always_has_some_time_left(span: Span, lasted: float) -> None:
    left = span.left_after(lasted)
    assert 0 <= left.low <= left.high or left.high == waiting.STEP


def test_a_range_is_the_sum_over_those_before() -> None:
    line = [Step(Span(10, 20)), Step(Span(5, 15)), Step(Span(10, 20))]
    assert waiting.along(line, [Span(3, 8)]) == [Span(3, 8), Span(13, 28), Span(18, 43)]


def test_nobody_who_keeps_a_booked_time_is_promised_less_at_the_high_end() -> None:
    assert waiting.along([Step(Span(10, 20), booked_in=40)]) == [Span(0, 40)]


def test_those_who_may_still_come_before_count_at_the_high_end_only() -> None:
    assert waiting.along([Step(Span(10, 20), may_come_before=25)]) == [Span(0, 25)]


def test_a_group_is_seen_together() -> None:
    line = [Step(Span(60, 60), group="ten o'clock"), Step(Span(60, 60), group="ten o'clock"), Step(Span(5, 5))]
    assert waiting.along(line) == [Span(0, 0), Span(0, 0), Span(60, 60)]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(0, 0), "a few minutes"),
        (Span(2, 4.5), "a few minutes"),
        (Span(1, 12), "up to 15 minutes"),
        (Span(21, 33), "about 20 to 35 minutes"),
        (Span(20, 20), "about 20 minutes"),
        (Span(50, 125), "about 0 h 50 min to 2 h 05 min"),
        (Span(0, 100), "up to 1 h 40 min"),
    ],
)
def test_a_range_is_said_in_plain_words(span: Span, words: str) -> None:
    assert str(span) == words


# --- what the doctor's visits took ---


def seen(doctor: Any, place: Any, kind: Any, took: float, days_ago: int = 3) -> None:
    """One visit of the past that took so many minutes."""
    began = clock.now() - timedelta(days=days_ago, minutes=60)
    practice = session().get_one(Practice, doctor.practice_id)
    session().add(
        Appointment(
            reference=f"P{session().query(Appointment).count():08}", practice_id=practice.id,
            clinic_id=practice.clinic_id, doctor_id=practice.doctor_id, patient_id=make_patient().id,
            visit_type_id=kind, starts_at=began, ends_at=began + timedelta(minutes=30), status="completed",
            mode="in_person", currency="DZD", started_at=began, ended_at=began + timedelta(minutes=took),
        )
    )  # fmt: skip
    session().flush()


def typical(doctor: Any) -> waiting.Typical:
    return waiting.typical([doctor.doctor_id])[doctor.doctor_id]


def test_with_few_visits_the_types_own_duration_is_expected(dr_benali: Any, el_djazair: Any) -> None:
    for _ in range(waiting.ENOUGH - 1):
        seen(dr_benali, el_djazair, el_djazair.consultation_id, 50)
    assert typical(dr_benali).of(el_djazair.consultation_id, 30) == Span(30, 30)


def test_with_enough_visits_of_the_type_their_middle_half_is_expected(dr_benali: Any, el_djazair: Any) -> None:
    for took in (10, 12, 14, 16, 18, 20, 22, 24, 26):
        seen(dr_benali, el_djazair, el_djazair.consultation_id, took)
    assert typical(dr_benali).of(el_djazair.consultation_id, 30) == Span(14, 22)


def test_a_type_with_few_visits_takes_what_all_visits_take(dr_benali: Any, el_djazair: Any) -> None:
    for took in (10, 12, 14, 16, 18, 20, 22, 24, 26):
        seen(dr_benali, el_djazair, el_djazair.consultation_id, took)
    assert typical(dr_benali).of(el_djazair.follow_up_id, 15) == Span(14, 22)


def test_old_visits_and_late_clicks_say_nothing(dr_benali: Any, el_djazair: Any) -> None:
    for _ in range(waiting.ENOUGH):
        seen(dr_benali, el_djazair, el_djazair.consultation_id, 20, days_ago=120)
        seen(dr_benali, el_djazair, el_djazair.consultation_id, 0.3)
        seen(dr_benali, el_djazair, el_djazair.consultation_id, 700)
    assert typical(dr_benali).of(el_djazair.consultation_id, 30) == Span(30, 30)


def test_another_doctors_visits_say_nothing(dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any) -> None:
    for _ in range(waiting.ENOUGH):
        seen(dr_haddad, wahran, wahran.consultation_id, 90)
    keep()
    assert typical(dr_benali).of_all is None

"""Series: looked at first, booked whole or not at all, called off from one on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from portal.core.db import keep, session
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.scheduling import appointments, booking, series
from portal.domain.scheduling.models import Appointment, VisitType
from portal.domain.scheduling.planning import Series
from portal.domain.scheduling.refusals import TooLate, TooManyUpcoming
from portal.domain.scheduling.series import SeriesNotBooked
from portal.domain.scheduling.timetable import Reason
from tests.builders import at, make_closure, make_opening, register_at

WEEK = timedelta(days=7)


@pytest.fixture
def asked(amina: Any, dr_benali: Any, el_djazair: Any) -> dict[str, Any]:
    """Amina with Dr Benali at nine; the clinic knows her."""
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    return {
        "practice_id": dr_benali.practice_id,
        "visit_type_id": el_djazair.consultation_id,
        "patient_id": amina.patient_id,
    }


def _times(count: int, wall: str = "09:00") -> list[datetime]:
    return [at(wall) + n * WEEK for n in range(count)]


def _count(model: Any) -> int:
    return session().scalar(select(func.count()).select_from(model)) or 0


def test_a_plan_has_the_same_wall_time_every_week(nadia: Any, asked: Any) -> None:
    plan = series.plan(nadia.actor, **asked, starts_at=at("09:00"), every_weeks=1, count=6)
    assert [date.wanted for date in plan.dates] == _times(6)
    assert (plan.every_days, plan.free, plan.is_whole) == (7, 6, True)
    assert [date.chosen for date in plan.dates] == _times(6)
    assert _count(Appointment) == 0


def test_days_and_weeks_add_up(nadia: Any, asked: Any) -> None:
    assert series.plan(nadia.actor, **asked, starts_at=at(), every_days=10, count=2).every_days == 10
    assert series.plan(nadia.actor, **asked, starts_at=at(), every_weeks=2, count=2).every_days == 14


def test_a_date_that_is_not_free_says_why_and_proposes_the_nearest_that_is(
    nadia: Any, yacine: Any, asked: Any, dr_benali: Any
) -> None:
    booking.book(yacine.actor, **asked | {"starts_at": at() + WEEK, "patient_id": yacine.patient_id})
    third = at() + 2 * WEEK
    make_closure(third - timedelta(hours=1), third + timedelta(hours=3), practice_id=dr_benali.practice_id)
    dates = series.plan(nadia.actor, **asked, starts_at=at(), every_weeks=1, count=3).dates
    assert [date.reason for date in dates] == [Reason.OFFERED, Reason.TAKEN, Reason.LEAVE]
    assert abs(dates[1].chosen - dates[1].wanted) == timedelta(minutes=30)
    assert dates[2].chosen == third + timedelta(hours=4)
    assert str(dates[1].sentence)


def test_two_dates_never_propose_the_same_time(nadia: Any, asked: Any, dr_benali: Any) -> None:
    make_closure(at("08:00"), at("08:00") + timedelta(days=3), practice_id=dr_benali.practice_id)
    plan = series.plan(nadia.actor, **asked, starts_at=at(), every_days=1, count=14)
    chosen = [date.chosen for date in plan.dates if date.chosen]
    assert len(chosen) == len(set(chosen)) > 8


def test_where_nothing_is_near_the_plan_is_not_whole(nadia: Any, asked: Any, dr_benali: Any) -> None:
    make_closure(at() + timedelta(days=6), at() + 40 * WEEK, practice_id=dr_benali.practice_id)
    plan = series.plan(nadia.actor, **asked, starts_at=at(), every_weeks=3, count=2)
    assert (plan.is_whole, plan.dates[1].chosen, plan.dates[1].others) == (False, None, ())


def test_a_series_across_a_change_of_clocks_keeps_the_wall_time(nadia: Any, asked: Any, el_djazair: Any) -> None:
    paris = ZoneInfo("Europe/Paris")
    session().get_one(Clinic, el_djazair.clinic_id).time_zone = "Europe/Paris"
    session().get_one(VisitType, el_djazair.consultation_id).horizon_days = 730
    session().flush()
    plan = series.plan(nadia.actor, **asked, starts_at=at("09:00", zone=paris), every_weeks=2, count=26)
    assert {date.wanted.astimezone(paris).strftime("%H:%M") for date in plan.dates} == {"09:00"}
    assert len({date.wanted.utcoffset() for date in plan.dates}) == 2
    assert plan.is_whole


def test_a_wall_time_that_a_change_of_clocks_skips_is_not_free(
    nadia: Any, asked: Any, el_djazair: Any, dr_benali: Any
) -> None:
    zone = ZoneInfo("Europe/Paris")
    session().get_one(Clinic, el_djazair.clinic_id).time_zone = "Europe/Paris"
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    spring = next(
        day
        for day in (datetime.now(zone).date() + timedelta(days=n) for n in range(3, 400))
        if datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset() == timedelta(hours=2)
        and datetime(day.year, day.month, day.day, 0, tzinfo=zone).utcoffset() == timedelta(hours=1)
    )
    practice = session().get_one(Practice, dr_benali.practice_id)
    for day in (spring - timedelta(days=1), spring):
        make_opening(practice, [kind], on_date=day, starts="02:00", ends="06:00")
    before = spring - timedelta(days=1)
    first = datetime(before.year, before.month, before.day, 2, 30, tzinfo=zone)
    dates = series.plan(nadia.actor, **asked, starts_at=first, every_days=1, count=2).dates
    assert [date.is_free for date in dates] == [True, False]
    assert dates[1].chosen is not None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"count": 1}, "count"),
        ({"count": 53}, "count"),
        ({"every_weeks": None}, "every"),
        ({"every_weeks": 53}, "every"),
    ],
)
def test_what_is_no_series_is_refused(nadia: Any, asked: Any, wrong: dict[str, Any], field: str) -> None:
    wanted: dict[str, Any] = {"starts_at": at(), "every_weeks": 1, "count": 4} | wrong
    with pytest.raises(Invalid) as no:
        series.plan(nadia.actor, **asked, **wanted)
    assert list(no.value.fields) == [field]


@pytest.mark.parametrize(("who", "refusal"), [("kamel", NotFound), ("yacine", NotFound), ("dr_haddad", NotFound)])
def test_strangers_plan_and_book_nothing(who: str, refusal: Any, asked: Any, request: pytest.FixtureRequest) -> None:
    actor = request.getfixturevalue(who).actor
    with pytest.raises(refusal):
        series.plan(actor, **asked, starts_at=at(), every_weeks=1, count=2)
    with pytest.raises(refusal):
        series.book(actor, **asked, times=_times(2), every_days=7)


def test_another_clinic_s_desk_does_not_book_here_even_for_its_patients(
    kamel: Any, asked: Any, amina: Any, wahran: Any
) -> None:
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, wahran.clinic_id))
    with pytest.raises(Forbidden):
        series.book(kamel.actor, **asked, times=_times(2), every_days=7)


@pytest.mark.parametrize("who", ["nadia", "admin", "superadmin", "dr_benali"])
def test_the_clinic_s_people_book_a_series(who: str, asked: Any, request: pytest.FixtureRequest) -> None:
    made, visits = series.book(request.getfixturevalue(who).actor, **asked, times=_times(5), every_days=7)
    assert [visit.starts_at for visit in visits] == _times(5)
    assert {visit.series_id for visit in visits} == {made.id}
    assert (made.count, made.every_days) == (5, 7)


def test_one_time_that_is_lost_loses_them_all(nadia: Any, yacine: Any, asked: Any) -> None:
    booking.book(yacine.actor, **asked | {"starts_at": at() + 2 * WEEK, "patient_id": yacine.patient_id})
    keep()
    with pytest.raises(SeriesNotBooked) as no, session().begin_nested():
        series.book(nadia.actor, **asked, times=_times(4), every_days=7)
    assert no.value.facts["starts_at"] == at() + 2 * WEEK
    assert no.value.facts["alternatives"]
    assert "Nothing was booked" in str(no.value)
    assert (_count(Appointment), _count(Series)) == (1, 0)


def test_the_same_time_twice_is_one(nadia: Any, asked: Any) -> None:
    with pytest.raises(Invalid):
        series.book(nadia.actor, **asked, times=[at(), at()], every_days=7)


def test_patients_book_a_series_as_far_as_the_clinic_s_limit_goes(amina: Any, asked: Any) -> None:
    _made, visits = series.book(amina.actor, **asked, times=_times(3), every_days=7)
    assert len(visits) == 3
    booking.cancel(amina.actor, visits[2].id)
    session().flush()
    with pytest.raises(TooManyUpcoming):
        series.book(amina.actor, **asked, times=_times(2, "11:00"), every_days=7)


@pytest.fixture
def run(nadia: Any, asked: Any) -> list[Appointment]:
    return series.book(nadia.actor, **asked, times=_times(4), every_days=7)[1]


def test_a_visit_knows_its_place_in_the_series(amina: Any, run: list[Appointment]) -> None:
    found = series.of(amina.actor, run[1])
    assert found is not None
    assert (found.number, len(found.visits), len(found.following)) == (2, 4, 3)
    assert found.visits[0].doctor.name


def test_a_visit_by_itself_is_in_no_series(amina: Any, asked: Any) -> None:
    alone = booking.book(amina.actor, **asked, starts_at=at("11:00"))
    assert series.of(amina.actor, alone) is None
    assert [one.id for one in series.cancel(amina.actor, alone.id, following=True)] == [alone.id]


def test_this_one_is_called_off_alone(nadia: Any, run: list[Appointment]) -> None:
    assert [one.id for one in series.cancel(nadia.actor, run[1].id)] == [run[1].id]
    assert [one.status for one in run] == ["confirmed", "cancelled", "confirmed", "confirmed"]


def test_this_one_and_all_that_follow_are_called_off(nadia: Any, run: list[Appointment]) -> None:
    booking.cancel(nadia.actor, run[2].id)
    ended = series.cancel(nadia.actor, run[1].id, following=True, code="no_time", version=1)
    assert [one.id for one in ended] == [run[1].id, run[3].id]
    assert [one.status for one in run] == ["confirmed", "cancelled", "cancelled", "cancelled"]
    assert {run[1].end_code, run[3].end_code} == {"no_time"}


def test_a_patient_who_is_too_late_for_this_one_calls_none_off(
    amina: Any, run: list[Appointment], standing_at: Any
) -> None:
    with standing_at(run[0].starts_at - timedelta(hours=1)):
        with pytest.raises(TooLate):
            series.cancel(amina.actor, run[0].id, following=True)
        assert len(series.cancel(amina.actor, run[1].id, following=True)) == 3
    assert run[0].status == "confirmed"


def test_strangers_call_nothing_off(yacine: Any, kamel: Any, run: list[Appointment]) -> None:
    for person in (yacine, kamel):
        with pytest.raises(NotFound):
            series.cancel(person.actor, run[0].id, following=True)


def test_a_moved_visit_stays_in_its_series(nadia: Any, run: list[Appointment]) -> None:
    booking.reschedule(nadia.actor, run[0].id, starts_at=at("11:00") + 5 * WEEK)
    found = series.of(nadia.actor, appointments.find(nadia.actor, run[0].id))
    assert found is not None
    assert (found.number, len(found.visits)) == (4, 4)

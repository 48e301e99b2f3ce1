"""Figures: what counts and what does not, each checked with visits whose numbers can be done by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import new_id, session
from portal.core.errors import NotFound
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.doctors.models import Practice
from portal.domain.insights import figures
from portal.domain.insights.measures import Figures, Period
from portal.domain.scheduling import booking, hours
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import ALGIERS, at, make_closure, make_doctor, make_practice, make_week

NUMBERS = count(1)


@pytest.fixture(autouse=True)
def long_here(dr_benali: Any) -> None:
    """The doctor came to the clinic long ago, so that the past has open hours."""
    session().get_one(Practice, dr_benali.practice_id).created_at = clock.now() - timedelta(days=900)
    session().flush()


def day_back(ago: int = 1) -> date:
    """The latest working day (Sunday to Thursday) at least `ago` days before today."""
    day = clock.today(ALGIERS) - timedelta(days=ago)
    while day.weekday() in {4, 5}:
        day -= timedelta(days=1)
    return day


def past(doctor: Any, place: Any, patient: Any, status: str, *, ago: int = 1, wall: str = "09:00", **more: Any) -> None:
    """A visit that is over."""
    starts_at = datetime.combine(day_back(ago), time.fromisoformat(wall), ALGIERS)
    facts = {
        "reference": f"R{next(NUMBERS):08d}", "practice_id": doctor.practice_id, "clinic_id": place.clinic_id,
        "doctor_id": doctor.doctor_id, "patient_id": patient.patient_id, "visit_type_id": place.consultation_id,
        "starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=30), "status": status, "mode": "in_person",
        "currency": "DZD", "created_at": starts_at - timedelta(days=4),
    }  # fmt: skip
    session().add(Appointment(id=new_id(), **{**facts, **more}))
    session().flush()


def of(doctor: Any, weeks: int = 4) -> Figures:
    return figures.of_doctor(doctor.actor, weeks).total


def test_open_time_is_the_hours_without_holidays_and_time_off(dr_benali: Any, el_djazair: Any) -> None:
    assert of(dr_benali).open_minutes == 4 * 5 * 7 * 60
    session().add(Holiday(clinic_id=el_djazair.clinic_id, day=day_back(), name="Holiday"))
    session().flush()
    assert of(dr_benali).open_minutes == (4 * 5 - 1) * 7 * 60
    morning = datetime.combine(day_back(8), time(7), ALGIERS)
    make_closure(morning, morning + timedelta(hours=3), doctor_id=dr_benali.doctor_id)
    assert of(dr_benali).open_minutes == (4 * 5 - 1) * 7 * 60 - 120


def test_hours_past_midnight_count_whole_but_for_a_holiday_that_takes_one_of_their_days(
    dr_benali: Any, el_djazair: Any
) -> None:
    before, eve = of(dr_benali).open_minutes, day_back(8)
    night = {"starts": time(22), "ends": time(2), "ends_next_day": True, "on_date": eve}
    hours.add(dr_benali.actor, dr_benali.practice_id, **night)
    assert of(dr_benali).open_minutes == before + 4 * 60
    session().add(Holiday(clinic_id=el_djazair.clinic_id, day=eve + timedelta(days=1), name="Holiday"))
    session().flush()
    after = (eve + timedelta(days=1)).weekday() in {6, 0, 1, 2, 3}
    assert of(dr_benali).open_minutes == before + 2 * 60 - (7 * 60 if after else 0)


def test_hours_with_several_places_are_open_several_times(dr_benali: Any, el_djazair: Any) -> None:
    from portal.domain.scheduling.models import Opening

    for opening in session().query(Opening).filter_by(practice_id=dr_benali.practice_id):
        opening.capacity = 3
    session().flush()
    assert of(dr_benali).open_minutes == 3 * 4 * 5 * 7 * 60


def test_a_doctor_has_no_open_time_before_they_came(dr_benali: Any) -> None:
    session().get_one(Practice, dr_benali.practice_id).created_at = clock.now() + timedelta(days=1)
    session().flush()
    assert of(dr_benali).open_minutes == 0
    assert of(dr_benali).utilisation is None


def test_use_is_booked_over_open_time_and_cancelled_visits_are_not_booked(
    dr_benali: Any, el_djazair: Any, amina: Any
) -> None:
    past(dr_benali, el_djazair, amina, "completed")
    past(dr_benali, el_djazair, amina, "no_show", wall="10:00")
    past(dr_benali, el_djazair, amina, "cancelled", wall="11:00")
    past(dr_benali, el_djazair, amina, "declined", wall="11:30")
    found = of(dr_benali)
    assert (found.booked, found.booked_minutes) == (2, 60)
    assert found.utilisation == 60 / (4 * 5 * 7 * 60)


def test_missed_visits_are_counted_over_those_that_came_or_did_not(dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    for n, status in enumerate(("completed", "completed", "in_progress", "no_show", "confirmed")):
        past(dr_benali, el_djazair, amina, status, wall=f"{8 + n:02d}:00")
    found = of(dr_benali)
    assert (found.attended, found.no_shows, found.unrecorded, found.no_show_rate) == (3, 1, 1, 0.25)


@pytest.mark.parametrize(
    ("hours_before", "code", "by", "is_late"),
    [
        (2, "better", "patient", True),
        (2, "elsewhere", "staff", True),
        (30, "better", "patient", False),
        (2, "doctor_away", "doctor", False),
        (2, "clinic_closed", "staff", False),
        (2, "mistake", "staff", False),
        (2, "other", "system", False),
    ],
)
def test_late_is_called_off_after_the_cut_off_for_the_patients_reasons(
    dr_benali: Any, el_djazair: Any, amina: Any, hours_before: int, code: str, by: str, is_late: bool
) -> None:
    ended = datetime.combine(day_back(), time(9), ALGIERS) - timedelta(hours=hours_before)
    past(dr_benali, el_djazair, amina, "cancelled", ended_at=ended, end_code=code, ended_by=by)
    past(dr_benali, el_djazair, amina, "completed", wall="10:00")
    found = of(dr_benali)
    assert (found.late_cancels, found.late_cancel_rate) == (int(is_late), 0.5 if is_late else 0)


def test_booked_ahead_is_the_middle_and_leaves_walk_ins_out(dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    starts = datetime.combine(day_back(), time(9), ALGIERS)
    for n, days in enumerate((1, 3, 20)):
        past(dr_benali, el_djazair, amina, "completed", wall=f"09:{n:02d}", created_at=starts - timedelta(days=days))
    past(dr_benali, el_djazair, amina, "completed", wall="09:30", is_walk_in=True, created_at=starts)
    assert of(dr_benali).lead_days == pytest.approx(3, abs=0.01)


def test_waits_and_lengths_are_of_what_was_recorded(dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    starts = datetime.combine(day_back(), time(9), ALGIERS)
    for n, (wait, length) in enumerate(((10, 20), (20, 25), (60, 60))):
        seen = starts + timedelta(minutes=wait)
        past(
            dr_benali, el_djazair, amina, "completed", wall=f"09:{n:02d}", checked_in_at=starts, started_at=seen,
            ended_at=seen + timedelta(minutes=length),
        )  # fmt: skip
    past(dr_benali, el_djazair, amina, "completed", wall="11:00")
    found = of(dr_benali)
    assert (found.wait, found.length, found.planned_length) == (20, 25, 30)
    assert found.wait_most == pytest.approx(52)


def test_the_period_ends_yesterday_and_is_compared_with_the_one_before(
    dr_benali: Any, el_djazair: Any, amina: Any
) -> None:
    past(dr_benali, el_djazair, amina, "completed", ago=1)
    past(dr_benali, el_djazair, amina, "no_show", ago=34)
    past(dr_benali, el_djazair, amina, "completed", ago=70)
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    report = figures.of_doctor(dr_benali.actor, 4)
    assert (report.total.booked, report.before.no_shows) == (1, 1)
    assert report.period.last == clock.today(ALGIERS) - timedelta(days=1)
    assert figures.of_doctor(dr_benali.actor, 12).total.booked == 3


def test_the_weeks_add_up_to_the_whole(dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    for n, ago in enumerate((1, 9, 16, 26)):
        past(dr_benali, el_djazair, amina, "completed", ago=ago, wall=f"09:{n:02d}")
    report = figures.of_doctor(dr_benali.actor, 4)
    assert [first for first, _ in report.weeks] == [report.period.week(n) for n in range(4)]
    assert sum(week.booked for _, week in report.weeks) == report.total.booked == 4
    assert sum(week.open_minutes for _, week in report.weeks) == report.total.open_minutes


def test_a_clinics_figures_name_each_doctor(admin: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    other = make_practice(
        make_doctor(given_name="Amel", family_name="Aziz"), session().get_one(Clinic, el_djazair.clinic_id)
    )
    past(dr_benali, el_djazair, amina, "completed")
    report = figures.of_clinic(admin.actor, el_djazair.clinic_id, 4)
    assert [(row.practice.id, row.figures.booked) for row in report.rows] == [(other.id, 0), (dr_benali.practice_id, 1)]
    assert report.total.booked == 1


def test_nothing_of_another_clinic_is_counted(
    dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any, amina: Any
) -> None:
    past(dr_haddad, wahran, amina, "completed")
    assert of(dr_benali).booked == 0


@pytest.mark.parametrize("who", ["nadia", "kamel", "amina", "dr_benali"])
def test_a_clinics_figures_are_for_those_who_run_it(el_djazair: Any, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotFound):
        figures.of_clinic(request.getfixturevalue(who).actor, el_djazair.clinic_id, 4)


def test_only_a_doctor_has_figures_and_only_of_the_periods_that_are_offered(nadia: Any, dr_benali: Any) -> None:
    with pytest.raises(NotFound):
        figures.of_doctor(nadia.actor, 4)
    with pytest.raises(NotFound):
        figures.of_doctor(dr_benali.actor, 5)
    with pytest.raises(ValueError, match="7"):
        Period.until(date(2026, 1, 1), 7)


def test_the_third_next_time_is_the_one_after_two_others(dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    before = {one.names["en"]: one for one in figures.of_doctor(dr_benali.actor, 4).access}["Consultation"]
    for starts_at in _first_two(before, dr_benali, el_djazair, amina):
        assert starts_at < before.third_next
    after = {one.names["en"]: one for one in figures.of_doctor(dr_benali.actor, 4).access}["Consultation"]
    assert after.soonest == before.third_next
    assert (before.doctors, before.doctors_without, before.days is not None) == (1, 0, True)


def _first_two(access: Any, doctor: Any, place: Any, patient: Any) -> list[datetime]:
    from portal.domain.scheduling import availability

    slots = availability.next_free([doctor.practice_id], visit_type_id=place.consultation_id, limit=2)
    taken = [slot.starts_at for slot in slots[doctor.practice_id]]
    assert taken[0] == access.soonest
    for starts_at in taken:
        booking.book(
            patient.actor, practice_id=doctor.practice_id, visit_type_id=place.consultation_id, starts_at=starts_at
        )
    return taken


def test_a_day_that_is_full_has_no_third_next_time(dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    session().get_one(VisitType, el_djazair.consultation_id).most_per_day = 1
    session().flush()
    before = figures.of_doctor(dr_benali.actor, 4).access[0]
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id,
        starts_at=before.soonest,
    )  # fmt: skip
    after = figures.of_doctor(dr_benali.actor, 4).access[0]
    assert after.soonest.astimezone(ALGIERS).date() > before.soonest.astimezone(ALGIERS).date()


def test_access_leaves_out_what_patients_cannot_book_and_counts_doctors_without_a_third_time(
    dr_benali: Any, el_djazair: Any, admin: Any
) -> None:
    session().get_one(VisitType, el_djazair.follow_up_id).bookable_by = "desk"
    other = make_practice(make_doctor(family_name="Empty"), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(
        other,
        [session().get_one(VisitType, el_djazair.consultation_id)],
        valid_until=clock.today(ALGIERS) - timedelta(days=1),
    )
    session().flush()
    found = figures.of_clinic(admin.actor, el_djazair.clinic_id, 4).access
    assert [one.names["en"] for one in found] == ["Consultation"]
    assert (found[0].doctors, found[0].doctors_without) == (2, 1)


def test_a_report_is_read_in_few_statements(admin: Any, dr_benali: Any, el_djazair: Any, statements: Any) -> None:
    who = admin.actor
    with statements() as number:
        figures.of_clinic(who, el_djazair.clinic_id, 52)
    assert number() <= 6

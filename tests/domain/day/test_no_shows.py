"""Visits nobody came to, marked by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.day.no_shows import mark_missed
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import at


@pytest.fixture(autouse=True)
def strict(el_djazair: Any) -> None:
    """El Djazair gives a visit up after twenty minutes."""
    session().get_one(Clinic, el_djazair.clinic_id).no_show_minutes = 20
    keep()


@pytest.fixture
def clock_at(standing_at: Any) -> Any:
    """Let the clock make its round at this wall time."""

    def do(wall: str, days: int = 0) -> None:
        with standing_at(at(wall) + timedelta(days=days)):
            mark_missed()
            keep()

    return do


def status(key: Any) -> str:
    return session().get_one(Appointment, key).status


def test_a_visit_is_given_up_after_the_clinics_minutes_and_not_before(booked: Any, clock_at: Any) -> None:
    clock_at("09:19")
    assert status(booked.amina) == "confirmed"
    clock_at("09:20")
    assert status(booked.amina) == "no_show"
    assert session().get_one(Appointment, booked.amina).ended_by == "system"
    assert status(booked.yacine) == "confirmed"


def test_whoever_is_checked_in_is_not_given_up(booked: Any, clock_at: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("09:15")):
        visits.check_in(nadia.actor, booked.amina)
    clock_at("11:00")
    assert status(booked.amina) == "checked_in"


def test_a_clinic_that_leaves_it_to_people_is_left_alone(booked: Any, clock_at: Any, el_djazair: Any) -> None:
    session().get_one(Clinic, el_djazair.clinic_id).no_show_minutes = None
    keep()
    clock_at("12:00")
    assert status(booked.amina) == "confirmed"


def test_a_video_visit_is_left_to_the_doctor(amina: Any, dr_benali: Any, el_djazair: Any, clock_at: Any) -> None:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.follow_up_id, starts_at=at("09:00")
    )
    booking.confirm(dr_benali.actor, made.id)
    keep()
    clock_at("12:00")
    assert status(made.id) == "confirmed"


def test_after_a_downtime_the_day_is_caught_up_with_and_older_days_are_not(booked: Any, clock_at: Any) -> None:
    clock_at("09:10", days=1)
    assert status(booked.amina) == "confirmed"
    assert status(booked.yacine) == "no_show"


def test_a_late_patient_is_checked_in_with_one_click(booked: Any, clock_at: Any, nadia: Any, standing_at: Any) -> None:
    clock_at("09:25")
    with standing_at(at("09:40")):
        here = visits.check_in(nadia.actor, booked.amina)
    assert (here.status, here.checked_in_at, here.ended_at, here.ended_by) == ("checked_in", at("09:40"), None, None)


def test_a_mark_that_was_taken_back_is_not_set_again(booked: Any, clock_at: Any, nadia: Any, standing_at: Any) -> None:
    clock_at("09:25")
    with standing_at(at("09:26")):
        visits.take_back(nadia.actor, booked.amina)
    clock_at("09:30")
    assert status(booked.amina) == "confirmed"


def test_it_is_on_the_clocks_page() -> None:
    from portal.schedule import SCHEDULE

    assert (timedelta(minutes=5), mark_missed) in SCHEDULE

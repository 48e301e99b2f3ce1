"""A series against single bookings, other series and moves: no double booking, no deadlock, all or none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from portal.core.db import session
from portal.core.errors import Refused
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from portal.domain.scheduling import anyone, booking, series
from portal.domain.scheduling.models import Appointment, Hold, Occupancy, VisitType
from portal.domain.scheduling.planning import Series
from tests.builders import (
    actor_of,
    at,
    make_doctor,
    make_patient,
    make_practice,
    make_user,
    make_week,
    register_at,
)

WEEK = timedelta(days=7)
ROUNDS = range(4)


@pytest.fixture
def crowd(committed, el_djazair):
    """Patients of the clinic with accounts: who they are and their actors."""

    def gathered(count: int):
        clinic = session().get_one(Clinic, el_djazair.clinic_id)
        found = []
        for number in range(count):
            user = make_user(f"Patient{number}", "Race")
            patient = make_patient(user)
            register_at(patient, clinic)
            found.append((patient.id, user))
        session().commit()
        return [(patient_id, actor_of(user)) for patient_id, user in found]

    return gathered


def _series(actor, patient_id, doctor, clinic, times):
    return lambda: series.book(
        actor,
        practice_id=doctor.practice_id,
        visit_type_id=clinic.consultation_id,
        patient_id=patient_id,
        times=times,
        every_days=7,
    )


def _single(actor, doctor, clinic, starts_at):
    return lambda: booking.book(
        actor, practice_id=doctor.practice_id, visit_type_id=clinic.consultation_id, starts_at=starts_at
    )


def _times(count, wall="09:00"):
    return [at(wall) + n * WEEK for n in range(count)]


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_series_and_single_bookings_of_its_times_never_both_win(race, round_, crowd, nadia, dr_benali, el_djazair):
    people = crowd(7)
    times, desk = _times(6), nadia.actor
    whole = _series(desk, people[0][0], dr_benali, el_djazair, times)
    singles = [_single(actor, dr_benali, el_djazair, when) for (_, actor), when in zip(people[1:], times, strict=True)]
    results = race([whole, *singles])
    _only_answers(results)
    booked = [one for one in results[1:] if isinstance(one, Appointment)]
    if isinstance(results[0], Refused):
        assert booked, "the series lost to nobody"
        assert _count(Series) == 0
    else:
        assert booked == []
    assert _count(Appointment) == (len(booked) or len(times))
    _nothing_overlaps()


@pytest.mark.parametrize("round_", ROUNDS)
def test_of_two_series_of_one_doctor_that_meet_one_is_booked_whole(race, round_, crowd, nadia, dr_benali, el_djazair):
    people, times, desk = crowd(3), _times(8), nadia.actor
    runners = [
        _series(desk, people[0][0], dr_benali, el_djazair, times),
        _series(desk, people[1][0], dr_benali, el_djazair, list(reversed(times))),
        _series(desk, people[2][0], dr_benali, el_djazair, times[3:]),
    ]
    results = race(runners)
    _only_answers(results)
    won = [one for one in results if not isinstance(one, Refused)]
    assert len(won) == 1
    assert _count(Appointment) == len(won[0][1])
    _nothing_overlaps()


@pytest.mark.parametrize("round_", ROUNDS)
def test_one_patient_s_series_with_two_doctors_at_the_same_times_wait_in_no_circle(
    race, round_, crowd, nadia, dr_benali, el_djazair
):
    people, times = crowd(1), _times(6)
    clinic, kind = (
        session().get_one(Clinic, el_djazair.clinic_id),
        session().get_one(VisitType, el_djazair.consultation_id),
    )
    other = make_practice(make_doctor(), clinic)
    make_week(other, [kind])
    session().commit()
    desk, patient_id, other_id = nadia.actor, people[0][0], other.id

    class Other:
        practice_id = other_id

    results = race(
        [
            _series(desk, patient_id, dr_benali, el_djazair, times),
            _series(desk, patient_id, Other, el_djazair, times),
        ]
    )
    _only_answers(results)
    assert sum(not isinstance(one, Refused) for one in results) == 1
    _nothing_overlaps()


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_series_against_moves_into_and_out_of_its_times(race, round_, crowd, nadia, dr_benali, el_djazair):
    people, times, desk = crowd(4), _times(5), nadia.actor
    held = _single(people[1][1], dr_benali, el_djazair, times[2])().id
    elsewhere = _single(people[2][1], dr_benali, el_djazair, times[0] + timedelta(minutes=30))().id
    session().commit()
    results = race(
        [
            _series(desk, people[0][0], dr_benali, el_djazair, times),
            lambda: booking.reschedule(desk, held, starts_at=times[2] + timedelta(minutes=30)),
            lambda: booking.reschedule(desk, elsewhere, starts_at=times[4]),
            _single(people[3][1], dr_benali, el_djazair, times[1]),
        ]
    )
    _only_answers(results)
    _nothing_overlaps()


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_patient_s_own_series_and_single_booking_keep_to_the_limit(race, round_, crowd, dr_benali, el_djazair):
    ((patient_id, actor),) = crowd(1)
    results = race(
        [
            _series(actor, patient_id, dr_benali, el_djazair, _times(3)),
            _single(actor, dr_benali, el_djazair, at("11:00")),
            _single(actor, dr_benali, el_djazair, at("11:30")),
        ]
    )
    _only_answers(results)
    assert _count(Appointment) <= 3
    _nothing_overlaps()


@pytest.mark.parametrize("round_", ROUNDS)
def test_many_ask_for_any_doctor_at_one_time_and_each_place_is_held_once(
    race, round_, committed, crowd, dr_benali, el_djazair
):
    clinic, kind = (
        session().get_one(Clinic, el_djazair.clinic_id),
        session().get_one(VisitType, el_djazair.consultation_id),
    )
    for number in range(2):
        make_week(make_practice(make_doctor(given_name=f"Doctor{number}"), clinic), [kind])
    people = crowd(8)
    session().commit()

    def ask(actor):
        return lambda: anyone.hold(
            actor, anyone.choice(el_djazair.clinic_id, el_djazair.consultation_id, "cardiology"), at()
        )[0]

    results = race([ask(actor) for _, actor in people])
    _only_answers(results)
    assert sum(isinstance(one, Hold) for one in results) == 3
    assert _count(Hold) == 3
    _nothing_overlaps()


def _only_answers(results) -> None:
    """Everybody got an answer: a refusal in a sentence, or what they asked for; no deadlock, no fault."""
    faults = [one for one in results if isinstance(one, BaseException) and not isinstance(one, Refused)]
    assert faults == []


def _count(model) -> int:
    session().rollback()
    return session().scalar(select(func.count()).select_from(model))


def _nothing_overlaps() -> None:
    session().rollback()
    overlapping = session().scalar(
        text(
            "SELECT count(*) FROM occupancies a JOIN occupancies b ON a.id < b.id AND a.resource_id = b.resource_id"
            " AND a.lane = b.lane AND a.during && b.during"
        )
    )
    assert overlapping == 0
    live = session().scalar(select(func.count()).where(Appointment.status.in_(("pending", "confirmed"))))
    doctors = session().scalar(select(func.count()).where(Occupancy.kind == "doctor", Occupancy.hold_id.is_(None)))
    patients = session().scalar(select(func.count()).where(Occupancy.kind == "patient"))
    assert (doctors, patients) == (live, live)
    assert session().scalar(select(func.count()).select_from(Patient)) > 0

"""Many people after the same time: the right number win, the others are told so, and nobody waits in a circle."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import func, select, text

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.core.errors import Refused
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import booking, holds
from portal.domain.scheduling.models import Appointment, Hold, Occupancy, VisitType
from tests.builders import at, make_opening, make_patient, make_user, working_day


def crowd(size: int) -> list[Actor]:
    """So many patients who may book."""
    people = []
    for number in range(size):
        user = make_user("Guest", f"Number{number}")
        patient = make_patient(user, phone=f"+2135500{number:05d}")
        people.append(Actor(user_id=user.id, patient_id=patient.id, email_verified=True, door="web"))
    keep()
    return people


def ways(results: list[object]) -> Counter[str]:
    return Counter(result.code if isinstance(result, Refused) else type(result).__name__ for result in results)


def test_forty_clients_after_the_last_place_make_one_appointment(committed, race, dr_benali, el_djazair):
    starts_at = at("09:00")
    results = race([_book(one, dr_benali, el_djazair, starts_at) for one in crowd(40)])
    assert ways(results) == {"Appointment": 1, "taken": 39}
    assert session().scalar(select(func.count()).select_from(Appointment)) == 1


def test_forty_clients_after_ten_places_make_ten_appointments(committed, race, dr_benali, el_djazair):
    _group(dr_benali, el_djazair, places=10)
    results = race([_book(one, dr_benali, el_djazair, at("18:00", 5)) for one in crowd(40)])
    assert ways(results) == {"Appointment": 10, "taken": 30}
    lanes = session().scalars(select(Occupancy.lane).where(Occupancy.kind == "doctor")).all()
    assert sorted(lanes) == list(range(1, 11))


def test_one_patient_clicking_at_two_doctors_gets_one_visit(
    committed, race, amina, dr_benali, el_djazair, dr_haddad, wahran
):
    actor = amina.actor
    doors = [(dr_benali, el_djazair), (dr_haddad, wahran)] * 5
    results = race([_book(actor, doctor, clinic, at("09:00")) for doctor, clinic in doors])
    assert ways(results)["Appointment"] == 1
    assert set(ways(results)) <= {"Appointment", "taken", "patient_busy"}


def test_a_double_click_on_a_held_time_makes_one_appointment_and_both_get_it(
    committed, race, amina, dr_benali, el_djazair
):
    actor = amina.actor
    _, token = holds.place(
        actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00"),
    )
    results = race([_book(actor, dr_benali, el_djazair, at("09:00"), hold_token=token)] * 6)
    assert ways(results) == {"Appointment": 6}
    assert session().scalar(select(func.count()).select_from(Appointment)) == 1


def test_an_expiring_hold_and_its_owners_post_never_double_book(committed, race, amina, yacine, dr_benali, el_djazair):
    owner, other = amina.actor, yacine.actor
    for wall in ("08:00", "08:30", "09:00", "09:30", "10:00"):
        _, token = holds.place(
            owner, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at(wall, 3)
        )
        session().execute(text("UPDATE holds SET expires_at = now() - interval '1 second'"))
        session().execute(
            text("UPDATE occupancies SET expires_at = now() - interval '1 second' WHERE hold_id IS NOT NULL")
        )
        results = race(
            [
                _book(owner, dr_benali, el_djazair, at(wall, 3), hold_token=token),
                _book(other, dr_benali, el_djazair, at(wall, 3)),
                _book(other, dr_benali, el_djazair, at(wall, 3)),
            ]
        )
        assert ways(results)["Appointment"] == 1, results
        session().execute(text("UPDATE appointments SET status = 'completed'"))
        session().execute(text("DELETE FROM occupancies WHERE kind = 'patient'"))
        keep()
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_two_visits_moved_into_each_others_times_never_hang(committed, race, amina, yacine, dr_benali, el_djazair):
    first = _book(amina.actor, dr_benali, el_djazair, at("09:00"))().id
    second = _book(yacine.actor, dr_benali, el_djazair, at("10:00"))().id
    one, two = amina.actor, yacine.actor
    results = race(
        [
            lambda: booking.reschedule(one, first, starts_at=at("10:00")),
            lambda: booking.reschedule(two, second, starts_at=at("09:00")),
        ]
    )
    assert all(isinstance(result, (Refused, Appointment)) for result in results), results
    _nothing_overlaps()


def test_cancelling_and_moving_at_once_does_one_of_them(committed, race, amina, nadia, dr_benali, el_djazair):
    made = _book(amina.actor, dr_benali, el_djazair, at("09:00"))().id
    patient, desk = amina.actor, nadia.actor
    results = race(
        [
            lambda: booking.cancel(patient, made, version=1),
            lambda: booking.reschedule(desk, made, starts_at=at("11:00"), version=1),
        ]
    )
    assert sorted(ways(results).elements())[0] == "Appointment"
    assert ways(results)["Appointment"] == 1
    taken = session().scalar(select(func.count()).select_from(Occupancy))
    cancelled = session().get_one(Appointment, made, populate_existing=True).status == "cancelled"
    assert taken == (0 if cancelled else 2)


def test_the_days_limit_holds_when_all_come_at_once(committed, race, dr_benali, el_djazair):
    session().get_one(VisitType, el_djazair.consultation_id).most_per_day = 3
    keep()
    walls = ("08:00", "08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "11:30")
    people = crowd(len(walls))
    results = race([_book(one, dr_benali, el_djazair, at(wall)) for one, wall in zip(people, walls, strict=True)])
    assert ways(results) == {"Appointment": 3, "day_full": 5}


def test_a_patients_own_limit_holds_when_they_click_everywhere(committed, race, amina, dr_benali, el_djazair):
    session().get_one(VisitType, el_djazair.consultation_id).most_upcoming = 2
    keep()
    actor = amina.actor
    walls = ("08:00", "08:30", "09:00", "09:30", "10:00", "10:30")
    for wall in walls[:1]:
        _book(actor, dr_benali, el_djazair, at(wall))()
    results = race([_book(actor, dr_benali, el_djazair, at(wall)) for wall in walls[1:]])
    assert ways(results) == {"Appointment": 1, "too_many_upcoming": 4}


@pytest.mark.parametrize("round_", range(3))
def test_moves_holds_and_bookings_all_at_once_leave_nothing_overlapping(committed, race, round_, dr_benali, el_djazair):
    people = crowd(12)
    walls = ("09:00", "09:30", "10:00", "10:30")
    made = [_book(one, dr_benali, el_djazair, at(wall))().id for one, wall in zip(people, walls, strict=False)]
    keep()
    runners = [_book(one, dr_benali, el_djazair, at(wall)) for one, wall in zip(people[4:], walls * 2, strict=False)]
    runners += [
        (lambda one=one, key=key, wall=wall: booking.reschedule(one, key, starts_at=at(wall)))
        for one, key, wall in zip(people, made, ("09:30", "10:00", "10:30", "11:00"), strict=False)
    ]
    runners += [(lambda key=made[0]: booking.cancel(people[0], key))]
    results = race(runners)
    assert all(isinstance(result, (Refused, Appointment)) for result in results), results
    _nothing_overlaps()


def _book(actor: Actor, doctor, clinic, starts_at, **more):
    return lambda: booking.book(
        actor,
        practice_id=doctor.practice_id,
        visit_type_id=clinic.consultation_id,
        starts_at=starts_at,
        **more,
    )


def _group(doctor, clinic, places: int) -> None:
    practice = session().get_one(Practice, doctor.practice_id)
    kind = session().get_one(VisitType, clinic.consultation_id)
    make_opening(practice, [kind], on_date=working_day(5), starts="18:00", ends="18:30", capacity=places)
    keep()


def _nothing_overlaps() -> None:
    session().rollback()
    overlapping = session().scalar(
        text(
            "SELECT count(*) FROM occupancies a JOIN occupancies b ON a.id < b.id AND a.resource_id = b.resource_id"
            " AND a.lane = b.lane AND a.during && b.during"
        )
    )
    assert overlapping == 0
    coming = Appointment.status.in_(("pending", "confirmed")) & (Appointment.starts_at > clock.now())
    live = session().scalar(select(func.count()).where(coming))
    assert session().scalar(select(func.count()).where(Occupancy.kind == "doctor")) == live

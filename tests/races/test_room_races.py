"""Races for rooms, for moves between doctors, and of bookings against somebody who closes hours."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from portal.core.db import keep, session
from portal.core.errors import Refused
from portal.domain.clinics.models import Clinic, Resource, ResourceGroup
from portal.domain.scheduling import booking, closures, taking
from portal.domain.scheduling.models import Appointment, Closure, Occupancy, VisitType, visit_type_needs
from tests.builders import at, make_doctor, make_practice, make_week
from tests.people import Person
from tests.races.test_booking_races import _nothing_overlaps, crowd, ways


@pytest.fixture
def doctors(committed, dr_benali, el_djazair) -> list[Person]:
    """Four doctors of one clinic, whose consultations need one of its two rooms."""
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    found = [dr_benali]
    for number in range(3):
        doctor = make_doctor(given_name=f"Doctor{number}")
        practice = make_practice(doctor, clinic)
        make_week(practice, [kind])
        found.append(Person(doctor.name, "", doctor.id, doctor_id=doctor.id, practice_id=practice.id))
    group = ResourceGroup(clinic_id=clinic.id, kind="room", name="Treatment room")
    session().add(group)
    session().flush()
    session().add_all(Resource(group_id=group.id, name=f"Room {number}") for number in (1, 2))
    session().execute(visit_type_needs.insert().values(visit_type_id=kind.id, group_id=group.id))
    keep()
    return found


def after(actor, doctor, clinic, starts_at, **more):
    return lambda: booking.book(
        actor,
        practice_id=doctor.practice_id,
        visit_type_id=clinic.consultation_id,
        starts_at=starts_at,
        **more,
    )


def test_the_last_room_goes_to_one(committed, race, doctors, el_djazair):
    people = crowd(24)
    results = race([after(one, doctors[n % 4], el_djazair, at("09:00")) for n, one in enumerate(people)])
    assert ways(results)["Appointment"] == 2
    assert set(ways(results)) == {"Appointment", "taken", "room"}
    rooms = session().scalars(select(Occupancy.resource_id).where(Occupancy.kind == "room")).all()
    assert len(rooms) == len(set(rooms)) == 2
    _nothing_overlaps()


def test_two_desks_move_visits_into_each_others_times_and_doctors(committed, race, doctors, el_djazair, nadia):
    people, desk = crowd(2), nadia.actor
    for _round in range(4):
        one = after(people[0], doctors[0], el_djazair, at("09:00"))().id
        two = after(people[1], doctors[1], el_djazair, at("10:00"))().id
        results = race(
            [
                lambda one=one: booking.reschedule(
                    desk, one, starts_at=at("10:00"), practice_id=doctors[1].practice_id
                ),
                lambda two=two: booking.reschedule(
                    desk, two, starts_at=at("09:00"), practice_id=doctors[0].practice_id
                ),
            ]
        )
        assert all(isinstance(result, (Refused, Appointment)) for result in results), results
        _nothing_overlaps()
        session().execute(text("UPDATE appointments SET status = 'cancelled'"))
        session().execute(text("DELETE FROM occupancies"))
        keep()


def test_moves_between_doctors_and_rooms_all_at_once_never_hang(committed, race, doctors, el_djazair, nadia):
    people, desk = crowd(8), nadia.actor
    walls = ("08:00", "08:30", "09:00", "09:30")
    made = [
        after(one, doctors[n % 4], el_djazair, at(wall))().id
        for n, (one, wall) in enumerate(zip(people, walls, strict=False))
    ]
    runners = [
        (
            lambda key=key, n=n: booking.reschedule(
                desk, key, starts_at=at(walls[(n + 1) % 4]), practice_id=doctors[(n + 1) % 4].practice_id
            )
        )
        for n, key in enumerate(made)
    ]
    runners += [after(one, doctors[n], el_djazair, at(walls[n])) for n, one in enumerate(people[4:])]
    results = race(runners)
    assert all(isinstance(result, (Refused, Appointment)) for result in results), results
    _nothing_overlaps()


def test_a_booking_and_a_closure_at_once_leave_no_visit_inside_unseen(committed, race, dr_benali, el_djazair):
    """Whichever is first, the other knows of it: never a closure that hit nothing with a visit inside."""
    doctor = dr_benali.actor
    walls = ("08:00", "08:30", "09:00", "09:30", "10:00")
    people = crowd(len(walls))
    day = at("09:00").date()

    def close() -> Closure:
        taking.closing([dr_benali.practice_id])
        return closures.close_practice(doctor, dr_benali.practice_id, first=day, last=day)

    results = race(
        [close, *(after(one, dr_benali, el_djazair, at(wall)) for one, wall in zip(people, walls, strict=True))]
    )
    closed = isinstance(results[0], Closure)
    booked = session().scalar(select(func.count()).select_from(Appointment))
    assert closed or results[0].code == "visits_affected"
    assert booked == (0 if closed else ways(results)["Appointment"])
    assert not closed or ways(results) == {"Closure": 1, "leave": len(walls)}

"""Why not? Each reason with what stands in the way, told only to those who may know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.errors import NotFound
from portal.domain.clinics.models import Clinic, Holiday, Resource, ResourceGroup
from portal.domain.doctors.models import Doctor
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, holds, why_not
from portal.domain.scheduling.models import VisitType, visit_type_needs
from portal.domain.scheduling.timetable import Reason
from tests.builders import at, make_closure, make_doctor, make_practice, make_week, register_at, working_day


def asked(who: Any, doctor: Any, place: Any, wall: str = "09:00", **more: Any) -> why_not.Answer:
    about = {"practice_id": doctor.practice_id, "visit_type_id": place.consultation_id, "starts_at": at(wall), **more}
    return why_not.ask(who.actor, **about)


def booked(who: Any, doctor: Any, place: Any, wall: str = "09:00", **more: Any) -> Any:
    about = {"practice_id": doctor.practice_id, "visit_type_id": place.consultation_id, "starts_at": at(wall), **more}
    return booking.book(who.actor, **about)


def kind(place: Any) -> VisitType:
    return session().get_one(VisitType, place.consultation_id)


def test_a_free_time_says_so_and_that_patients_see_it_too(nadia: Any, dr_benali: Any, el_djazair: Any) -> None:
    answer = asked(nadia, dr_benali, el_djazair)
    assert (answer.is_free, answer.next_free, answer.can_be_overbooked) == (True, [], False)
    assert answer.ends_at - answer.starts_at == timedelta(minutes=30)
    assert answer.for_patients == "Patients can book it online, too."


def test_a_taken_time_names_the_visit_and_the_free_times_around_it(
    nadia: Any, dr_benali: Any, el_djazair: Any, amina: Any
) -> None:
    booked(amina, dr_benali, el_djazair, "09:30")
    answer = asked(nadia, dr_benali, el_djazair, "09:30")
    assert (answer.reason, answer.can_be_overbooked) == (Reason.TAKEN, True)
    assert [one.visit.patient.name for one in answer.visits if one.visit] == ["Amina Boudiaf"]
    assert answer.next_free[:3] == [at("08:30"), at("09:00"), at("10:00")]


def test_a_visit_of_another_doctors_clinic_is_in_the_way_without_its_name(
    nadia: Any, dr_benali: Any, el_djazair: Any, wahran: Any, amina: Any
) -> None:
    doctor = session().get_one(Doctor, dr_benali.doctor_id)
    there = make_practice(doctor, session().get_one(Clinic, wahran.clinic_id))
    make_week(there, [session().get_one(VisitType, wahran.consultation_id)])
    booking.book(amina.actor, practice_id=there.id, visit_type_id=wahran.consultation_id, starts_at=at("09:00"))
    answer = asked(nadia, dr_benali, el_djazair)
    assert [(one.visit, one.starts_at) for one in answer.visits] == [(None, at("09:00"))]


def test_a_kept_time_is_named(nadia: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    about = {
        "practice_id": dr_benali.practice_id,
        "visit_type_id": el_djazair.consultation_id,
        "starts_at": at("09:00"),
    }
    holds.place(amina.actor, **about)
    answer = asked(nadia, dr_benali, el_djazair)
    assert answer.reason is Reason.TAKEN
    assert [one.starts_at for one in answer.kept] == [at("09:00")]


def test_time_off_and_holidays_are_named(nadia: Any, dr_benali: Any, el_djazair: Any) -> None:
    make_closure(at("08:00"), at("12:00"), doctor_id=dr_benali.doctor_id)
    answer = asked(nadia, dr_benali, el_djazair)
    assert (answer.reason, [one.closure.kind for one in answer.off]) == (Reason.LEAVE, ["leave"])
    session().add(Holiday(clinic_id=el_djazair.clinic_id, day=working_day(), name="Revolution Day"))
    session().flush()
    shut = asked(nadia, dr_benali, el_djazair, "14:00")
    assert (shut.reason, [one.name for one in shut.holidays]) == (Reason.HOLIDAY, ["Revolution Day"])


@pytest.mark.parametrize(("wall", "reason"), [("12:15", Reason.NO_OPENING), ("09:10", Reason.NOT_ON_GRID)])
def test_outside_the_hours_the_hours_of_that_day_are_named(
    nadia: Any, dr_benali: Any, el_djazair: Any, wall: str, reason: Reason
) -> None:
    answer = asked(nadia, dr_benali, el_djazair, wall)
    assert (answer.reason, [one.starts_at for one in answer.hours]) == (reason, [at("08:00"), at("13:00")])


def test_a_full_day_says_how_full(nadia: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    kind(el_djazair).most_per_day = 1
    booked(amina, dr_benali, el_djazair, "08:00")
    answer = asked(nadia, dr_benali, el_djazair)
    assert (answer.reason, answer.booked_that_day) == (Reason.DAY_FULL, 1)


def test_a_room_in_use_names_the_visit_that_uses_it(nadia: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    group = ResourceGroup(clinic_id=clinic.id, kind="room", name="Treatment room")
    group.resources = [Resource(name="Room 1")]
    session().add(group)
    session().flush()
    session().execute(visit_type_needs.insert().values(visit_type_id=el_djazair.consultation_id, group_id=group.id))
    other = make_practice(make_doctor(given_name="Amel", family_name="Aziz"), clinic)
    make_week(other, [kind(el_djazair)])
    booking.book(amina.actor, practice_id=other.id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00"))
    answer = asked(nadia, dr_benali, el_djazair)
    assert answer.reason is Reason.ROOM
    assert [(one.group, one.name, one.use.visit.patient.name) for one in answer.rooms if one.use.visit] == [
        ("Treatment room", "Room 1", "Amina Boudiaf")
    ]


def test_the_patients_own_visit_elsewhere_is_in_the_way_and_nobody_overbooks_it(
    nadia: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any, amina: Any
) -> None:
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    booked(amina, dr_haddad, wahran)
    answer = asked(nadia, dr_benali, el_djazair, patient_id=amina.patient_id)
    assert (answer.reason, answer.can_be_overbooked) == (Reason.PATIENT_BUSY, False)
    assert [one.visit for one in answer.elsewhere] == [None], "a visit at a clinic that is not the desk's"


def test_the_past_is_past_and_what_is_free_next_lies_ahead(nadia: Any, dr_benali: Any, el_djazair: Any) -> None:
    answer = asked(nadia, dr_benali, el_djazair, starts_at=at("09:00") - timedelta(days=70))
    assert (answer.reason, answer.can_be_overbooked) == (Reason.PAST, False)
    assert answer.next_free[0] > clock.now()


def test_what_patients_are_told_differs_from_what_the_desk_may_do(nadia: Any, dr_benali: Any, el_djazair: Any) -> None:
    kind(el_djazair).lead_minutes = 60 * 24 * 30
    session().flush()
    answer = asked(nadia, dr_benali, el_djazair)
    assert answer.is_free
    assert "too soon to book online" in answer.for_patients
    kind(el_djazair).bookable_by = "desk"
    session().flush()
    assert "the front desk does it" in asked(nadia, dr_benali, el_djazair).for_patients
    kind(el_djazair).bookable_by = "invited"
    session().flush()
    assert "invited" in asked(nadia, dr_benali, el_djazair).for_patients
    session().get_one(Doctor, dr_benali.doctor_id).licence_verified_at = None
    session().flush()
    assert "do not see this doctor" in asked(nadia, dr_benali, el_djazair).for_patients


def test_a_doctor_asks_about_their_own_clinic(dr_benali: Any, el_djazair: Any) -> None:
    assert asked(dr_benali, dr_benali, el_djazair).is_free


@pytest.mark.parametrize("who", ["kamel", "amina", "dr_haddad"])
def test_nobody_asks_about_another_clinic(
    dr_benali: Any, el_djazair: Any, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotFound):
        asked(request.getfixturevalue(who), dr_benali, el_djazair)


def test_another_clinics_visit_type_and_a_patient_unknown_here_are_not_found(
    nadia: Any, dr_benali: Any, el_djazair: Any, wahran: Any, yacine: Any
) -> None:
    with pytest.raises(NotFound):
        asked(nadia, dr_benali, el_djazair, visit_type_id=wahran.consultation_id)
    with pytest.raises(NotFound):
        asked(nadia, dr_benali, el_djazair, patient_id=yacine.patient_id)

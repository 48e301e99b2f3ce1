"""People who come without a booking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.core.errors import Conflict, NotFound
from portal.core.events import Event
from portal.domain.clinics.models import Clinic
from portal.domain.day import walk_ins
from portal.domain.patients.models import Patient
from portal.domain.scheduling import availability, booking, visits
from portal.domain.scheduling.models import Appointment, Occupancy, VisitType
from portal.domain.scheduling.timetable import OVERBOOKED_FROM
from tests.builders import at, make_patient, register_at, working_day


@pytest.fixture
def stranger(el_djazair: Any) -> Any:
    """Somebody the clinic knows, without an account."""
    patient = make_patient(given_name="Rachid", family_name="Toumi")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return patient.id


@pytest.fixture
def add(nadia: Any, dr_benali: Any, el_djazair: Any, standing_at: Any) -> Any:
    """Put somebody on Dr Benali's list at a quarter past nine."""

    def do(patient_id: Any, *, by: Any = nadia, when: str = "09:15", **more: Any) -> Appointment:
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id} | more
        with standing_at(at(when)):
            return walk_ins.add(by.actor, patient_id=patient_id, **about)

    return do


def test_a_walk_in_is_checked_in_at_once_with_a_number(add: Any, stranger: Any) -> None:
    made = add(stranger, urgent=True, reason="A cut")
    assert (made.status, made.is_walk_in, made.is_urgent, made.queue_number) == ("checked_in", True, True, 1)
    assert (made.starts_at, made.checked_in_at, made.reason) == (at("09:15"), at("09:15"), "A cut")


def test_it_needs_no_free_time_and_takes_none(
    add: Any, stranger: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    kind = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(amina.actor, starts_at=at("09:00"), **kind)
    keep()
    made = add(stranger)
    lanes = session().scalars(
        select(Occupancy.lane).where(Occupancy.appointment_id == made.id, Occupancy.kind == "doctor")
    )
    assert lanes.one() >= OVERBOOKED_FROM
    assert booking.book(yacine.actor, starts_at=at("09:30"), **kind).status == "confirmed"


def test_it_comes_in_outside_the_hours_and_over_the_days_limit(add: Any, stranger: Any, el_djazair: Any) -> None:
    session().get_one(VisitType, el_djazair.consultation_id).most_per_day = 1
    keep()
    assert add(stranger, when="19:30").queue_number == 1
    other = make_patient(given_name="Other", family_name="One")
    register_at(other, session().get_one(Clinic, el_djazair.clinic_id))
    assert add(other.id, when="19:31").queue_number == 2


def test_it_is_an_event_of_its_own_and_nobody_is_mailed_a_booking(add: Any, stranger: Any, mailbox: Any) -> None:
    made = add(stranger)
    keep()
    names = session().scalars(select(Event.name).where(Event.subject_id == made.id)).all()
    assert names == ["appointment.walked_in"]
    assert mailbox.all() == []


def test_the_same_patient_is_not_put_on_the_list_twice(add: Any, stranger: Any) -> None:
    first = add(stranger)
    with pytest.raises(walk_ins.AlreadyOnTheList) as no:
        add(stranger, when="09:20")
    assert no.value.facts["appointment_id"] == first.id


def test_whoever_has_a_booking_today_is_checked_in_for_that(
    add: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("11:00")
    )
    keep()
    with pytest.raises(walk_ins.AlreadyOnTheList):
        add(amina.patient_id)


def test_nobody_is_in_two_places(
    add: Any, amina: Any, dr_haddad: Any, wahran: Any, el_djazair: Any, dr_benali: Any
) -> None:
    booking.book(
        amina.actor, practice_id=dr_haddad.practice_id, visit_type_id=wahran.consultation_id, starts_at=at("09:30")
    )
    register_at(session().get_one(Patient, amina.patient_id), session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    with pytest.raises(walk_ins.ElsewhereNow):
        add(amina.patient_id)


def test_a_video_visit_is_nothing_to_walk_in_for(add: Any, stranger: Any, el_djazair: Any) -> None:
    with pytest.raises(Conflict) as no:
        add(stranger, visit_type_id=el_djazair.follow_up_id)
    assert no.value.code == "not_in_person"


@pytest.mark.parametrize("who", ["nadia", "admin", "superadmin", "dr_benali"])
def test_the_clinics_people_add_walk_ins(request: Any, add: Any, stranger: Any, who: str) -> None:
    assert add(stranger, by=request.getfixturevalue(who)).booked_by


@pytest.mark.parametrize("who", ["kamel", "dr_haddad", "amina"])
def test_nobody_else_does(request: Any, add: Any, stranger: Any, who: str) -> None:
    with pytest.raises(NotFound):
        add(stranger, by=request.getfixturevalue(who))


def test_a_patient_the_clinic_does_not_know_is_not_found(add: Any, yacine: Any) -> None:
    with pytest.raises(NotFound):
        add(yacine.patient_id)


def test_a_wrong_walk_in_is_called_off_by_undo(add: Any, stranger: Any, nadia: Any, standing_at: Any) -> None:
    made = add(stranger)
    with standing_at(at("09:16")):
        back = visits.take_back(nadia.actor, made.id)
    assert (back.status, back.end_code) == ("cancelled", "mistake")
    assert session().scalars(select(Occupancy).where(Occupancy.appointment_id == made.id)).all() == []
    assert add(stranger, when="09:17").status == "checked_in"


def test_free_times_of_others_stay_as_they_were(
    add: Any, stranger: Any, amina: Any, dr_benali: Any, el_djazair: Any, standing_at: Any
) -> None:
    day, before_it = working_day(), at("08:00") - timedelta(days=1)

    def free() -> list[Any]:
        with standing_at(before_it):
            found = availability.offers(amina.actor, dr_benali.practice_id, el_djazair.consultation_id, day, day)
        return [one.starts_at for one in found]

    before = free()
    assert before
    add(stranger)
    assert free() == before

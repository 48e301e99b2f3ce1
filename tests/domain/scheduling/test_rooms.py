"""Rooms and devices are taken with the doctor: any of a kind, atomically, or the time is not to be had."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.core.db import session
from portal.core.errors import Gone, Refused
from portal.domain.clinics.models import Clinic, Resource, ResourceGroup
from portal.domain.scheduling import availability, booking, holds, rooms
from portal.domain.scheduling.models import Appointment, Occupancy, VisitType, visit_type_needs
from portal.domain.scheduling.refusals import NotOffered
from portal.domain.scheduling.timetable import OVERBOOKED_FROM, Reason
from tests.builders import actor_of, at, make_doctor, make_patient, make_practice, make_user, make_week

pytestmark = pytest.mark.usefixtures("database")


def make_group(clinic_id, name="Treatment room", count=1, kind="room", places=1) -> list[Resource]:
    group = ResourceGroup(clinic_id=clinic_id, kind=kind, name=name)
    session().add(group)
    session().flush()
    made = [Resource(group_id=group.id, name=f"{name} {number + 1}", places=places) for number in range(count)]
    session().add_all(made)
    session().flush()
    return made


def needs(visit_type_id, *resources: Resource) -> None:
    for group_id in {one.group_id for one in resources}:
        session().execute(visit_type_needs.insert().values(visit_type_id=visit_type_id, group_id=group_id))


@pytest.fixture
def second(el_djazair):
    """Another doctor of the clinic, with the same hours and visit types."""
    practice = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(practice, [session().get_one(VisitType, el_djazair.consultation_id)])
    return practice


def book(person, practice_id, clinic, wall="09:00", **more) -> Appointment:
    return booking.book(
        person.actor,
        practice_id=practice_id,
        visit_type_id=clinic.consultation_id,
        starts_at=more.pop("starts_at", at(wall)),
        **more,
    )


def taken(kind="room") -> int:
    return session().scalar(select(func.count()).where(Occupancy.kind == kind)) or 0


def test_a_visit_takes_any_one_room_of_the_kind_it_needs(amina, yacine, dr_benali, second, el_djazair):
    two = make_group(el_djazair.clinic_id, count=2)
    needs(el_djazair.consultation_id, *two)
    first = book(amina, dr_benali.practice_id, el_djazair)
    other = book(yacine, second.id, el_djazair)
    names = rooms.of_appointments([first.id, other.id])
    assert sorted(name for found in names.values() for name in found) == ["Treatment room 1", "Treatment room 2"]


def test_without_a_room_the_time_is_not_offered_and_the_reason_is_said(amina, yacine, dr_benali, second, el_djazair):
    needs(el_djazair.consultation_id, *make_group(el_djazair.clinic_id))
    book(amina, dr_benali.practice_id, el_djazair)
    why = availability.explain(yacine.actor, second.id, el_djazair.consultation_id, at("09:00"))
    day = at("09:00").date()
    offered = availability.offers(yacine.actor, second.id, el_djazair.consultation_id, day, day)
    assert why is Reason.ROOM
    assert at("09:00") not in [slot.starts_at for slot in offered]
    with pytest.raises(NotOffered) as no:
        book(yacine, second.id, el_djazair)
    assert no.value.code == "room" and no.value.facts["alternatives"]


def test_a_need_that_no_room_can_meet_is_never_offered(amina, dr_benali, el_djazair):
    (only,) = make_group(el_djazair.clinic_id)
    needs(el_djazair.consultation_id, only)
    only.is_active = False
    session().flush()
    assert availability.explain(amina.actor, dr_benali.practice_id, el_djazair.consultation_id, at()) is Reason.ROOM


def test_one_of_each_kind_is_taken_or_nothing(amina, yacine, dr_benali, second, el_djazair):
    needs(
        el_djazair.consultation_id,
        *make_group(el_djazair.clinic_id, count=2),
        *make_group(el_djazair.clinic_id, "Ultrasound", kind="device"),
    )
    book(amina, dr_benali.practice_id, el_djazair)
    with pytest.raises(NotOffered):
        book(yacine, second.id, el_djazair)
    assert (taken(), taken("doctor"), taken("patient")) == (2, 1, 1)


def test_a_room_with_places_takes_as_many_visits(amina, yacine, dr_benali, second, el_djazair):
    needs(el_djazair.consultation_id, *make_group(el_djazair.clinic_id, places=2))
    book(amina, dr_benali.practice_id, el_djazair)
    book(yacine, second.id, el_djazair)
    assert sorted(session().scalars(select(Occupancy.lane).where(Occupancy.kind == "room"))) == [1, 2]


def test_a_hold_keeps_the_room_too_and_booking_uses_it(amina, yacine, dr_benali, second, el_djazair):
    needs(el_djazair.consultation_id, *make_group(el_djazair.clinic_id))
    place = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    _, token = holds.place(amina.actor, **place, starts_at=at())
    with pytest.raises(NotOffered):
        book(yacine, second.id, el_djazair)
    made = book(amina, dr_benali.practice_id, el_djazair, hold_token=token)
    assert rooms.of_appointments([made.id]) == {made.id: ["Treatment room 1"]}


def test_moving_and_cancelling_give_the_room_back(amina, yacine, dr_benali, second, el_djazair):
    needs(el_djazair.consultation_id, *make_group(el_djazair.clinic_id))
    made = book(amina, dr_benali.practice_id, el_djazair)
    booking.reschedule(amina.actor, made.id, starts_at=at("10:00"))
    other = book(yacine, second.id, el_djazair)
    with pytest.raises(NotOffered):
        booking.reschedule(yacine.actor, other.id, starts_at=at("10:00"))
    booking.cancel(amina.actor, made.id)
    booking.reschedule(yacine.actor, other.id, starts_at=at("10:00"))
    assert taken() == 1


def test_the_clinic_moves_a_visit_to_another_doctor_of_its_own(amina, nadia, dr_benali, second, el_djazair):
    made = book(amina, dr_benali.practice_id, el_djazair)
    booking.reschedule(nadia.actor, made.id, starts_at=at("10:00"), practice_id=second.id)
    resources = set(session().scalars(select(Occupancy.resource_id)))
    assert (made.practice_id, made.doctor_id) == (second.id, second.doctor_id)
    assert resources == {second.doctor_id, amina.patient_id}


def test_only_the_clinic_moves_to_another_doctor_and_only_to_its_own(
    amina, nadia, dr_benali, second, el_djazair, dr_haddad
):
    made = book(amina, dr_benali.practice_id, el_djazair)
    with pytest.raises(Refused):
        booking.reschedule(amina.actor, made.id, starts_at=at("10:00"), practice_id=second.id)
    with pytest.raises(Refused) as no:
        booking.reschedule(nadia.actor, made.id, starts_at=at("10:00"), practice_id=dr_haddad.practice_id)
    assert no.value.code == "not_found"


def test_overbooking_is_the_clinics_with_a_reason_and_beside_what_is_there(amina, yacine, nadia, dr_benali, el_djazair):
    book(amina, dr_benali.practice_id, el_djazair)
    with pytest.raises(Refused) as no:
        book(yacine, dr_benali.practice_id, el_djazair, overbook="I want it")
    made = book(nadia, dr_benali.practice_id, el_djazair, patient_id=_known(el_djazair), overbook="In pain")
    lanes = sorted(session().scalars(select(Occupancy.lane).where(Occupancy.kind == "doctor")))
    assert no.value.code == "forbidden"
    assert made.overbooked == "In pain" and lanes[0] == 1 and lanes[1] >= OVERBOOKED_FROM


def test_what_is_free_is_not_overbooked_whatever_was_said(nadia, dr_benali, el_djazair):
    made = book(nadia, dr_benali.practice_id, el_djazair, patient_id=_known(el_djazair), overbook="In pain")
    assert made.overbooked is None


def test_nobody_is_overbooked_into_the_past_or_into_two_places(nadia, dr_benali, second, el_djazair):
    patient = _known(el_djazair)
    book(nadia, dr_benali.practice_id, el_djazair, patient_id=patient)
    with pytest.raises(NotOffered) as twice:
        book(nadia, second.id, el_djazair, patient_id=patient, overbook="Both")
    earlier = at() - timedelta(days=9)
    with pytest.raises(NotOffered) as past:
        book(nadia, second.id, el_djazair, patient_id=patient, starts_at=earlier, overbook="Late")
    assert (twice.value.code, past.value.code) == ("patient_busy", "past")


def test_a_time_the_portal_keeps_is_the_patients_and_nobody_elses(amina, yacine, dr_benali, el_djazair):
    place = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    kept = holds.keep(**place, starts_at=at(), patient_id=amina.patient_id, until=at() - timedelta(hours=1))
    for wrong in (None, kept.id):
        with pytest.raises(Refused):
            book(yacine, dr_benali.practice_id, el_djazair, hold_id=wrong)
    made = book(amina, dr_benali.practice_id, el_djazair, hold_id=kept.id)
    assert made.starts_at == at() and taken("doctor") == 1


def test_a_visit_moves_to_a_kept_time_after_the_cut_off_and_without_counting(amina, dr_benali, el_djazair):
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    kind.cutoff_minutes, kind.most_moves = 60 * 24 * 30, 0
    made = book(amina, dr_benali.practice_id, el_djazair)
    with pytest.raises(Refused):
        booking.reschedule(amina.actor, made.id, starts_at=at("10:00"))
    place = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    kept = holds.keep(**place, starts_at=at("10:00"), patient_id=amina.patient_id, until=at(), moving_id=made.id)
    booking.reschedule(amina.actor, made.id, starts_at=at("10:00"), hold_id=kept.id)
    assert (made.starts_at, made.moves, taken("doctor")) == (at("10:00"), 0, 1)


def test_a_kept_time_that_is_over_is_said_so(amina, dr_benali, el_djazair):
    place = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    kept = holds.keep(**place, starts_at=at(), patient_id=amina.patient_id, until=at())
    holds.prolong(kept.id, at() - timedelta(days=30))
    with pytest.raises(Gone):
        book(amina, dr_benali.practice_id, el_djazair, hold_id=kept.id)


def _known(clinic):
    from tests.builders import register_at

    patient = make_patient(make_user("Karima", "Saidi"))
    register_at(patient, session().get_one(Clinic, clinic.clinic_id))
    assert actor_of(patient.user_id)
    return patient.id

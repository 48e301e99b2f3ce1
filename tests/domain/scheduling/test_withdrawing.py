"""What else follows when a licence or an account goes, and whom a held time is judged by."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.domain.clinics.models import Clinic
from portal.domain.doctors import profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients import family
from portal.domain.scheduling import booking, holds, withdrawing
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.planning import CallItem
from portal.domain.scheduling.refusals import NotOffered
from tests.builders import actor_of, at, make_practice, make_week


@pytest.fixture
def book(dr_benali, el_djazair, amina):
    def at_(wall="09:00", practice_id=None, visit_type_id=None):
        made = booking.book(
            amina.actor,
            practice_id=practice_id or dr_benali.practice_id,
            visit_type_id=visit_type_id or el_djazair.consultation_id,
            starts_at=at(wall),
        )
        keep()
        return made

    return at_


def test_visits_at_other_clinics_are_their_desks_to_decide_when_a_licence_is_withdrawn(
    book, admin, dr_benali, el_djazair, wahran
):
    doctor = session().get_one(Doctor, dr_benali.doctor_id)
    elsewhere = make_practice(doctor, session().get_one(Clinic, wahran.clinic_id))
    make_week(elsewhere, [session().get_one(VisitType, wahran.consultation_id)])
    here, there = book(), book("14:00", elsewhere.id, wahran.consultation_id)
    with pytest.raises(VisitsAffected) as no:
        withdrawing.withdraw_licence(admin.actor, dr_benali.slug)
    assert no.value.facts == {"visits": [here.id], "count": 1}
    withdrawing.withdraw_licence(admin.actor, dr_benali.slug, keep_visits=True)
    asked = session().execute(select(CallItem.clinic_id, CallItem.appointment_id, CallItem.code)).all()
    assert asked == [(wahran.clinic_id, there.id, "licence_withdrawn")]


def test_a_licence_that_lapses_by_a_take_over_puts_the_visits_on_the_desks_lists(book, superadmin, dr_benali, drain):
    visit = book()
    profiles.unverify(superadmin.actor, session().get_one(Doctor, dr_benali.doctor_id), undecided=True)
    keep()
    drain()
    assert session().scalars(select(CallItem.appointment_id)).all() == [visit.id]


def test_a_doctor_is_booked_only_while_the_account_is_open(book, superadmin, dr_benali):
    withdrawing.shut_account(superadmin.actor, dr_benali.user_id)
    keep()
    with pytest.raises(NotFound):
        book()
    withdrawing.open_account(superadmin.actor, dr_benali.user_id)
    keep()
    assert book().status == "confirmed"


def test_a_parent_keeps_for_a_child_the_time_of_an_own_visit(book, amina, dr_haddad, wahran):
    wanted = {"practice_id": dr_haddad.practice_id, "visit_type_id": wahran.consultation_id, "starts_at": at("09:00")}
    book("09:00")
    with pytest.raises(NotOffered) as no:
        holds.place(amina.actor, **wanted)
    assert no.value.code == "patient_busy"
    child = family.add_dependant(amina.actor, given_name="Adam", family_name="Boudiaf", birth_date=date(2019, 5, 4))
    keep()
    parent = actor_of(amina.user_id)
    with pytest.raises(NotOffered):
        holds.place(parent, patient_id=amina.patient_id, **wanted)
    _hold, token = holds.place(parent, **wanted)
    keep()
    with pytest.raises(NotOffered):
        booking.book(parent, hold_token=token, patient_id=amina.patient_id, **wanted)
    session().rollback()
    made = booking.book(parent, hold_token=token, patient_id=child.patient_id, **wanted)
    assert (made.patient_id, session().get_one(Practice, made.practice_id).doctor_id) == (
        child.patient_id,
        dr_haddad.doctor_id,
    )

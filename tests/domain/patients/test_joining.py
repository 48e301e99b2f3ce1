"""Joining two records of one person: nothing is left behind, and nobody comes to read more than before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import UniqueConstraint, func, select

from portal.core.db import Base, keep, session
from portal.core.errors import Conflict, NotFound
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.patients import care, desk, family, joining
from portal.domain.patients.models import SCOPES, Patient
from portal.domain.scheduling import booking, glance
from portal.domain.scheduling.models import Appointment
from tests.builders import at, make_patient, register_at

BORN = date(1988, 4, 12)


@pytest.fixture
def here(el_djazair: Any) -> Clinic:
    return session().get_one(Clinic, el_djazair.clinic_id)


@pytest.fixture
def elsewhere(dr_haddad: Any, wahran: Any) -> dict[str, Any]:
    """What is booked with Dr Haddad in Oran."""
    return {"practice_id": dr_haddad.practice_id, "visit_type_id": wahran.consultation_id}


@pytest.fixture
def entered(here: Clinic) -> Patient:
    """A second record of Amina, as the desk of El Djazair entered her."""
    patient = make_patient(given_name="Amina", family_name="Boudiaf", birth_date=BORN, phone="+213550000001")
    register_at(patient, here)
    keep()
    return patient


def visit_of(nadia: Any, patient_id: Any, dr_benali: Any, el_djazair: Any, wall: str) -> Appointment:
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    return booking.book(nadia.actor, patient_id=patient_id, starts_at=at(wall, 5), **about)


def test_every_visit_goes_along_and_the_patient_s_time_with_it(
    amina: Any, nadia: Any, dr_benali: Any, el_djazair: Any, elsewhere: Any, entered: Patient
) -> None:
    visit_of(nadia, entered.id, dr_benali, el_djazair, "10:00")
    keep()
    joining.join(amina.actor, amina.patient_id, entered.id)
    keep()
    assert [one.starts_at for one in glance.mine(amina.actor, limit=5).items] == [at("10:00", 5)]
    with pytest.raises(Conflict):  # she cannot be in two places
        booking.book(amina.actor, starts_at=at("10:00", 5), **elsewhere)


def test_two_visits_at_the_same_time_are_not_joined(
    amina: Any, nadia: Any, dr_benali: Any, el_djazair: Any, elsewhere: Any, entered: Patient
) -> None:
    visit_of(nadia, entered.id, dr_benali, el_djazair, "10:00")
    booking.book(amina.actor, starts_at=at("10:00", 5), **elsewhere)
    keep()
    with pytest.raises(joining.BothBusy):
        joining.join(amina.actor, amina.patient_id, entered.id)


def test_nothing_of_the_record_that_goes_is_left_behind(
    database: Any, amina: Any, nadia: Any, entered: Patient
) -> None:
    joining.join(amina.actor, amina.patient_id, entered.id)
    keep()
    left = {
        f"{table.name}.{column.name}"
        for table, column in joining.places()
        if session().scalar(select(func.count()).select_from(table).where(column == entered.id))
    }
    assert left == set()
    assert [one.id for one in desk.search(nadia.actor, "boudiaf")] == [amina.patient_id]


def test_who_cares_for_the_whole_of_the_one_does_not_come_to_care_for_the_other(
    database: Any, amina: Any, yacine: Any, nadia: Any, entered: Patient, here: Clinic
) -> None:
    user = session().get_one(User, yacine.user_id)
    care.begin(nadia.actor, entered, user, relation="spouse", scopes=SCOPES, until=None)
    care.begin(nadia.actor, entered, user, relation="spouse", scopes=["view"], until=None, clinic_id=here.id)
    keep()
    joining.join(amina.actor, amina.patient_id, entered.id)
    keep()
    assert (yacine.actor.dependants, set(yacine.actor.dependants_at)) == ({}, {(amina.patient_id, here.id)})
    assert [one.user_id for one in family.carers(amina.actor, amina.patient_id)] == [yacine.user_id]


@pytest.mark.parametrize("what", ["account", "twice", "itself"])
def test_a_record_with_an_account_or_joined_before_goes_nowhere(
    database: Any, amina: Any, yacine: Any, entered: Patient, what: str
) -> None:
    if what == "twice":
        joining.join(amina.actor, amina.patient_id, entered.id)
    gone = {"account": yacine.patient_id, "twice": entered.id, "itself": amina.patient_id}[what]
    with pytest.raises(joining.Joined):
        joining.join(amina.actor, amina.patient_id, gone)


def test_what_the_kept_record_says_stays(database: Any, amina: Any, entered: Patient) -> None:
    mine = session().get_one(Patient, amina.patient_id)
    mine.blood_group, entered.blood_group, entered.phone = None, "O+", "+213660000000"
    joining.join(amina.actor, amina.patient_id, entered.id)
    assert (mine.blood_group, mine.phone) == ("O+", "+213550000001")


def test_a_record_that_is_gone_is_seen_by_nobody(
    database: Any, amina: Any, nadia: Any, superadmin: Any, entered: Patient
) -> None:
    joining.join(amina.actor, amina.patient_id, entered.id)
    keep()
    for one in (nadia, superadmin, amina):
        assert session().scalar(select(Patient.id).where(Patient.id == entered.id, Patient.visible(one.actor))) is None
    with pytest.raises(NotFound):
        family.carers(superadmin.actor, entered.id)


def test_every_table_with_one_row_a_patient_says_what_makes_two_rows_the_same() -> None:
    known = {table.name for table in Base.metadata.sorted_tables if table.name in joining.ONCE}
    found = set()
    for table, column in joining.places():
        for one in [*table.constraints, *table.indexes]:
            unique = isinstance(one, UniqueConstraint) or getattr(one, "unique", False)
            names = [part.name for part in getattr(one, "columns", [])]
            if unique and column.name in names:
                assert joining.ONCE.get(table.name) == tuple(name for name in names if name != column.name), table.name
                found.add(table.name)
    assert found == known


def test_the_patient_s_time_is_among_the_places() -> None:
    assert {"appointments.patient_id", "occupancies.resource_id", "waitlist_entries.patient_id"} <= {
        f"{table.name}.{column.name}" for table, column in joining.places()
    }

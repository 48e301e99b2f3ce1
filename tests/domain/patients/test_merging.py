"""Two records of one person on a clinic's list: looked at side by side, joined at the desk, and parted again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Gone, NotFound
from portal.core.events import Event
from portal.domain.access import acting
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.patients import care, desk, merging
from portal.domain.patients.models import SCOPES, Allergy, Patient
from portal.domain.patients.parting import Undone
from portal.domain.patients.requests import NobodyToAsk
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment
from tests.builders import at, make_patient, register_at

BORN = date(1988, 4, 12)
OMAR = {"given_name": "Omar", "family_name": "Saidi", "birth_date": BORN}
PHONE = "+213550112233"


@pytest.fixture
def here(el_djazair: Any) -> Clinic:
    return session().get_one(Clinic, el_djazair.clinic_id)


@pytest.fixture
def first(here: Clinic) -> Patient:
    return on_list(here, **OMAR, phone=PHONE)


@pytest.fixture
def second(here: Clinic) -> Patient:
    return on_list(here, given_name="Omar", family_name="Saïdi", phone=PHONE, birth_date=None)


def on_list(clinic: Clinic, **about: Any) -> Patient:
    patient = make_patient(**{"email": "", **about})
    register_at(patient, clinic)
    keep()
    return patient


def book(nadia: Any, patient: Patient, dr_benali: Any, el_djazair: Any, wall: str) -> Appointment:
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    made = booking.book(nadia.actor, patient_id=patient.id, starts_at=at(wall, 5), **about)
    keep()
    return made


def whose(visit_id: Any) -> Any:
    return session().scalar(select(Appointment.patient_id).where(Appointment.id == visit_id))


def test_the_desk_sees_both_side_by_side_and_joins_them(
    nadia: Any, dr_benali: Any, el_djazair: Any, first: Patient, second: Patient
) -> None:
    visit = book(nadia, second, dr_benali, el_djazair, "10:00")
    assert [one.id for one in merging.alike(nadia.actor, first)] == [second.id]
    seen = merging.preview(nadia.actor, first.id, second.id)
    assert (seen.how, seen.kept.visits, seen.gone.visits) == (merging.AT_ONCE, 0, 1)
    assert seen.after["birth_date"] == BORN and seen.after["phone"] == PHONE
    done = merging.merge(nadia.actor, first.id, second.id)
    keep()
    assert done.request is None and whose(visit.id) == first.id
    assert desk.get(nadia.actor, second.id).id == first.id
    told = session().scalars(select(Event).where(Event.name == "patient.joined")).one()
    assert told.actor_id == nadia.user_id


def test_an_undo_gives_back_what_the_ledger_names_and_tells_what_came_after(
    nadia: Any, dr_benali: Any, el_djazair: Any, first: Patient, second: Patient
) -> None:
    moved = book(nadia, second, dr_benali, el_djazair, "10:00")
    session().add(Allergy(patient_id=second.id, substance="Latex"))
    first.birth_date, second.birth_date, first.no_known_allergies = None, BORN, True
    keep()
    made = merging.merge(nadia.actor, first.id, second.id).join
    keep()
    assert not first.no_known_allergies  # the other one knew of one
    later = book(nadia, first, dr_benali, el_djazair, "11:00")
    assert made is not None
    parted = merging.undo(nadia.actor, made.id)
    keep()
    assert parted.visits_since == 1
    assert (whose(moved.id), whose(later.id)) == (second.id, first.id)
    assert session().scalars(select(Allergy.patient_id)).all() == [second.id]
    assert session().get_one(Patient, first.id).birth_date is None and first.no_known_allergies
    assert {one.id for one in desk.search(nadia.actor, "omar")} == {first.id, second.id}
    with pytest.raises(Undone):
        merging.undo(nadia.actor, made.id)
    assert session().scalars(select(Event).where(Event.name == "patient.parted")).one().facts["visits_since"] == 1


def test_the_time_of_a_visit_that_was_moved_since_goes_back_with_it(
    nadia: Any, dr_benali: Any, el_djazair: Any, first: Patient, second: Patient
) -> None:
    visit = book(nadia, second, dr_benali, el_djazair, "10:00")
    made = merging.merge(nadia.actor, first.id, second.id).join
    keep()
    booking.reschedule(nadia.actor, visit.id, starts_at=at("09:00", 5))
    keep()
    assert made is not None
    merging.undo(nadia.actor, made.id)
    keep()
    book(nadia, first, dr_benali, el_djazair, "10:00")
    assert whose(visit.id) == second.id


def test_a_desk_chooses_nobody_s_contact(nadia: Any, here: Clinic, first: Patient) -> None:
    """Records that have stood for long keep the contact they have: to join is no way to be reached instead."""
    other = on_list(here, **OMAR, phone="+213661000000")
    for one in (first, other):
        one.created_at = clock.now() - timedelta(days=3)
    keep()
    assert merging.preview(nadia.actor, first.id, other.id).how == merging.DIFFERENT
    with pytest.raises(merging.DifferentContacts):
        merging.merge(nadia.actor, other.id, first.id)


def test_a_record_made_to_be_joined_brings_no_contact_along(nadia: Any, here: Clinic, first: Patient) -> None:
    first.created_at = clock.now() - timedelta(days=3)
    keep()
    fake, _may = desk.enter(nadia.actor, here.id, as_new=True, **OMAR, phone="+213661000000", email="thief@example.dz")
    merging.merge(nadia.actor, fake.id, first.id)
    keep()
    kept = desk.get(nadia.actor, first.id)
    assert (kept.id, kept.phone, kept.email) == (fake.id, PHONE, "")


def test_only_a_desk_that_has_both_on_its_list_joins(
    nadia: Any, kamel: Any, dr_benali: Any, wahran: Any, first: Patient, second: Patient
) -> None:
    elsewhere = on_list(session().get_one(Clinic, wahran.clinic_id), **OMAR, phone=PHONE)
    for who, other in ((nadia, elsewhere), (kamel, second), (dr_benali, second)):
        with pytest.raises(NotFound):
            merging.merge(who.actor, first.id, other.id)


@pytest.mark.parametrize("known_by", ["account", "clinic", "carer"])
def test_where_somebody_else_knows_one_of_them_the_patient_is_asked(
    known_by: str, amina: Any, yacine: Any, nadia: Any, wahran: Any, here: Clinic, first: Patient, second: Patient
) -> None:
    if known_by == "account":
        second = session().get_one(Patient, amina.patient_id)
        register_at(second, here)
        second.phone = PHONE
    elif known_by == "clinic":
        register_at(second, session().get_one(Clinic, wahran.clinic_id))
    else:
        user = session().get_one(User, yacine.user_id)
        care.begin(nadia.actor, second, user, relation="other", scopes=SCOPES, until=None)
    keep()
    done = merging.merge(nadia.actor, first.id, second.id)
    keep()
    assert done.join is None and done.request is not None
    assert (done.request.patient_id, done.request.entered_id) == (second.id, first.id)
    first.phone = ""
    keep()
    with pytest.raises(NobodyToAsk):  # there is no contact that both have
        merging.merge(nadia.actor, first.id, second.id)


def test_links_to_a_contact_end_with_it(first: Patient) -> None:
    token = acting.link("attendance", patient_id=first.id, subject_id=first.id).removeprefix("/go/")
    acting.read(token)
    with clock.standing_at(clock.now() + timedelta(minutes=1)):
        first.phone = "+213661000000"
        keep()
        with pytest.raises(Gone):
            acting.read(token)
        acting.read(acting.link("attendance", patient_id=first.id, subject_id=first.id).removeprefix("/go/"))

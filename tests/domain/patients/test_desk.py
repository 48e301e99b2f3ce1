"""Patients at the desk: found, entered as this clinic's own, told of another record only that it may exist."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.db import session
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.domain.clinics.models import Clinic
from portal.domain.patients import desk
from portal.domain.patients.desk import LikelyKnown
from portal.domain.patients.models import Patient, Registration
from tests.builders import make_patient, make_user, register_at

ABOUT = {
    "given_name": "Sélma", "family_name": "Bensalem", "birth_date": date(1991, 4, 3), "phone": "0550 11 22 33",
}  # fmt: skip


@pytest.fixture
def here(el_djazair: Any) -> Clinic:
    return session().get_one(Clinic, el_djazair.clinic_id)


@pytest.fixture
def there(wahran: Any) -> Clinic:
    return session().get_one(Clinic, wahran.clinic_id)


@pytest.fixture
def selma(here: Clinic) -> Patient:
    """Known at El Djazair."""
    born, phone = date(1991, 4, 3), "+213550112233"
    patient = make_patient(given_name="Sélma", family_name="Bensalem", birth_date=born, phone=phone)
    register_at(patient, here)
    return patient


def _names(found: list[Patient]) -> list[str]:
    return [patient.name for patient in found]


@pytest.mark.parametrize(
    "typed",
    [
        "selma", "SELMA bensalem", "Bensalem Sélma", "bensalm", "selma bensalim", "03/04/1991", "1991-04-03",
        "3.4.1991", "0550 11 22 33", "+213 550 11 22 33", "112233", "00213550112233", "selma 03/04/1991",
        "٠٥٥٠١١٢٢٣٣",
    ],
)  # fmt: skip
def test_a_patient_is_found_however_somebody_writes_it(nadia: Any, selma: Patient, typed: str) -> None:
    assert _names(desk.search(nadia.actor, typed)) == ["Sélma Bensalem"]


@pytest.mark.parametrize(
    "typed", ["", " ", "?", "12", "Karima", "04/04/1991", "0661 00 00 00", "karima 03/04/1991", "\x00"]
)
def test_what_matches_nobody_finds_nobody(nadia: Any, selma: Patient, typed: str) -> None:
    assert desk.search(nadia.actor, typed) == []


def test_only_ones_own_clinic_s_patients_are_found(nadia: Any, kamel: Any, superadmin: Any, selma: Patient) -> None:
    assert desk.search(kamel.actor, "selma") == []
    assert _names(desk.search(superadmin.actor, "selma")) == ["Sélma Bensalem"]
    with pytest.raises(NotFound):
        desk.get(kamel.actor, selma.id)
    assert desk.get(nadia.actor, selma.id).id == selma.id


def test_a_doctor_finds_the_patients_of_the_clinic_too_and_a_patient_nobody(
    dr_benali: Any, amina: Any, selma: Patient
) -> None:
    assert _names(desk.search(dr_benali.actor, "selma")) == ["Sélma Bensalem"]
    assert desk.search(amina.actor, "amina") == []


def test_a_name_as_typed_comes_before_names_written_alike(nadia: Any, here: Clinic, selma: Patient) -> None:
    register_at(make_patient(given_name="Salma", family_name="Bensalim"), here)
    assert _names(desk.search(nadia.actor, "selma")) == ["Sélma Bensalem"]
    assert _names(desk.search(nadia.actor, "zelma"))[:1] == ["Sélma Bensalem"]


def test_somebody_new_is_entered_without_an_account_and_known_here_at_once(nadia: Any, here: Clinic) -> None:
    patient, may_exist = desk.enter(nadia.actor, here.id, **ABOUT)
    assert (patient.user_id, patient.phone, may_exist) == (None, "+213550112233", False)
    assert _names(desk.search(nadia.actor, "selma")) == ["Sélma Bensalem"]


@pytest.mark.parametrize("who", ["admin", "superadmin", "dr_benali"])
def test_the_clinic_s_people_enter_patients(who: str, here: Clinic, request: pytest.FixtureRequest) -> None:
    person = request.getfixturevalue(who)
    assert desk.enter(person.actor, here.id, **ABOUT)[0].id


@pytest.mark.parametrize("who", ["kamel", "amina", "dr_haddad"])
def test_nobody_else_does(who: str, here: Clinic, request: pytest.FixtureRequest) -> None:
    with pytest.raises(Forbidden):
        desk.enter(request.getfixturevalue(who).actor, here.id, **ABOUT)


@pytest.mark.parametrize(
    "about",
    [
        ABOUT,
        ABOUT | {"given_name": "Bensalem", "family_name": "Selma"},
        ABOUT | {"given_name": "Selm", "phone": ""},
        ABOUT | {"given_name": "Somebody", "family_name": "Else", "birth_date": None},
        ABOUT | {"birth_date": None, "phone": ""},
    ],
)
def test_somebody_like_one_who_is_there_is_shown_first(
    nadia: Any, here: Clinic, selma: Patient, about: dict[str, Any]
) -> None:
    with pytest.raises(LikelyKnown) as no:
        desk.enter(nadia.actor, here.id, **about)
    assert no.value.facts["patients"] == [selma.id]
    assert _names(desk.by_ids(nadia.actor, no.value.facts["patients"])) == ["Sélma Bensalem"]


def test_somebody_of_the_same_name_born_on_another_day_is_another(nadia: Any, here: Clinic, selma: Patient) -> None:
    about = ABOUT | {"birth_date": date(1960, 1, 1), "phone": "0770000000"}
    assert desk.enter(nadia.actor, here.id, **about)[0].id != selma.id


def test_looked_at_and_said_to_be_new_they_are_entered(nadia: Any, here: Clinic, selma: Patient) -> None:
    assert desk.enter(nadia.actor, here.id, as_new=True, **ABOUT)[0].id != selma.id


def test_who_is_known_elsewhere_is_entered_anew_and_the_desk_learns_only_that_they_may_exist(
    kamel: Any, there: Clinic, selma: Patient
) -> None:
    patient, may_exist = desk.enter(kamel.actor, there.id, **ABOUT | {"given_name": "Selma"})
    assert (patient.id != selma.id, may_exist) == (True, True)
    assert session().scalar(select(func.count()).where(Registration.patient_id == selma.id)) == 1
    assert [one.id for one in desk.search(kamel.actor, "selma")] == [patient.id]


@pytest.mark.parametrize(
    "changed", [{"phone": "0550112234"}, {"birth_date": date(1991, 4, 4)}, {"given_name": "Nour"}, {"birth_date": None}]
)
def test_anything_less_tells_nothing_of_other_clinics(
    kamel: Any, there: Clinic, selma: Patient, changed: dict[str, Any]
) -> None:
    patient, may_exist = desk.enter(kamel.actor, there.id, **ABOUT | changed)
    assert patient.id != selma.id
    assert not may_exist


def test_a_slip_of_the_pen_is_corrected_at_once_by_the_desk_that_made_it(nadia: Any, kamel: Any, here: Clinic) -> None:
    entered, _ = desk.enter(nadia.actor, here.id, **ABOUT)
    changed, asked = desk.change(nadia.actor, entered.id, **ABOUT | {"phone": "0550112244", "language": "ar"})
    assert (changed.phone, changed.preferred_language, asked) == ("+213550112244", "ar", None)
    with pytest.raises(NotFound):
        desk.change(kamel.actor, entered.id, **ABOUT)


def test_name_and_language_change_at_once_and_a_contact_only_once_the_patient_allows_it(
    nadia: Any, kamel: Any, selma: Patient
) -> None:
    wanted = ABOUT | {"given_name": "Salma", "phone": "0660000000", "email": "new@example.dz", "language": "ar"}
    changed, asked = desk.change(nadia.actor, selma.id, **wanted)
    assert (changed.given_name, changed.preferred_language) == ("Salma", "ar")
    assert (changed.phone, changed.email) == ("+213550112233", "")
    assert asked and asked.wanted == {"phone": "+213660000000", "email": "new@example.dz"}
    with pytest.raises(NotFound):
        desk.change(kamel.actor, selma.id, **ABOUT)


def test_an_account_s_address_is_its_owner_s(nadia: Any, here: Clinic) -> None:
    user = make_user("Hind", "Kadi", email="hind@example.dz")
    patient = make_patient(user, email="hind@example.dz")
    register_at(patient, here)
    desk.change(nadia.actor, patient.id, **ABOUT | {"email": "other@example.dz"})
    assert (patient.email, patient.given_name) == ("hind@example.dz", "Sélma")


def test_a_doctor_does_not_rewrite_a_patient(dr_benali: Any, selma: Patient) -> None:
    with pytest.raises(Forbidden):
        desk.change(dr_benali.actor, selma.id, **ABOUT)


@pytest.mark.parametrize(
    "wrong", [{"phone": "12"}, {"email": "no"}, {"birth_date": date(2200, 1, 1)}, {"family_name": " "}, {"sex": "x"}]
)
def test_what_cannot_be_is_refused_beside_its_field(nadia: Any, here: Clinic, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as no:
        desk.enter(nadia.actor, here.id, **ABOUT | wrong)
    assert list(no.value.fields) == list(wrong)


def test_the_clinics_one_arranges_for(
    nadia: Any, dr_haddad: Any, superadmin: Any, amina: Any, here: Any, there: Any
) -> None:
    assert [one.id for one in desk.clinics(nadia.actor)] == [here.id]
    assert [one.id for one in desk.clinics(dr_haddad.actor)] == [there.id]
    assert {here.id, there.id} <= {one.id for one in desk.clinics(superadmin.actor)}
    assert desk.clinics(amina.actor) == []

"""Who may see and change what is known about a patient."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.core.policy import find
from portal.domain.patients import profiles
from portal.domain.patients.models import Patient
from portal.domain.patients.shapes import AllergyShape, PatientDetails
from tests.builders import register_at

NOTHING = PatientDetails.parse({}).values()


def known_to(person: Any, place: Any) -> None:
    from portal.core.db import session
    from portal.domain.clinics.models import Clinic

    register_at(session().get_one(Patient, person.patient_id), session().get_one(Clinic, place.clinic_id))


def test_a_patient_changes_their_own_details(database: Any, amina: Any) -> None:
    given = PatientDetails.parse(
        {"phone": "0550 12 34 56", "birth_date": "1990-05-14", "conditions": "Asthma\n\n Asthma \nDiabetes",
         "contact_name": "Karim", "blood_group": "O+"}
    )  # fmt: skip
    patient = profiles.change(amina.actor, amina.patient_id, **given.values())
    assert (patient.phone, str(patient.birth_date), patient.conditions) == (
        "+213550123456", "1990-05-14", ["Asthma", "Diabetes"],
    )  # fmt: skip
    assert patient.emergency_contact == {"name": "Karim"}


def test_the_event_names_fields_and_nothing_in_them(database: Any, amina: Any, drain: Any) -> None:
    profiles.change(amina.actor, amina.patient_id, **(NOTHING | {"conditions": ["Asthma"], "city": "Oran"}))
    drain()
    event = database.scalars(select(Event).where(Event.name == "patient.changed")).one()
    assert set(event.facts["fields"]) >= {"conditions", "city"}
    assert "Asthma" not in str(event.facts)
    assert event.patient_id == amina.patient_id


def test_saving_what_is_there_already_is_no_event(database: Any, amina: Any, drain: Any) -> None:
    profiles.change(amina.actor, amina.patient_id, **NOTHING)
    profiles.change(amina.actor, amina.patient_id, **NOTHING)
    drain()
    assert len(database.scalars(select(Event).where(Event.name == "patient.changed")).all()) <= 1


def test_a_stranger_finds_nobody(database: Any, amina: Any, yacine: Any, nadia: Any, dr_benali: Any) -> None:
    for person in (yacine, nadia, dr_benali):
        with pytest.raises(NotFound):
            profiles.change(person.actor, amina.patient_id, **NOTHING)
        with pytest.raises(NotFound):
            profiles.allergies(person.actor, amina.patient_id)


def test_a_clinic_that_knows_the_patient_reads_the_profile_and_changes_nothing_in_it(
    database: Any, amina: Any, nadia: Any, kamel: Any, dr_benali: Any, superadmin: Any, el_djazair: Any
) -> None:
    known_to(amina, el_djazair)
    assert profiles.allergies(dr_benali.actor, amina.patient_id) == []
    for one in (nadia, superadmin, dr_benali):
        with pytest.raises(Forbidden):
            profiles.change(one.actor, amina.patient_id, **(NOTHING | {"city": "Blida"}))
    with pytest.raises(NotFound):
        profiles.change(kamel.actor, amina.patient_id, **NOTHING)
    assert find(nadia.actor, Patient, amina.patient_id).city != "Blida"


def test_allergies_are_listed_worst_first_and_once_each(database: Any, amina: Any) -> None:
    for substance, severity in (
        ("Pollen", "mild"),
        ("Penicillin", "severe"),
        ("pénicillin", "moderate"),
        ("Nuts", "severe"),
    ):
        profiles.add_allergy(amina.actor, amina.patient_id, substance=substance, severity=severity)
    listed = profiles.allergies(amina.actor, amina.patient_id)
    assert [(one.substance, one.severity) for one in listed] == [
        ("Nuts", "severe"), ("pénicillin", "moderate"), ("Pollen", "mild"),
    ]  # fmt: skip


def test_an_allergy_is_removed_by_who_may_change_the_patient(database: Any, amina: Any, yacine: Any) -> None:
    allergy = profiles.add_allergy(amina.actor, amina.patient_id, substance="Latex", severity="mild")
    with pytest.raises(NotFound):
        profiles.remove_allergy(yacine.actor, allergy.id)
    profiles.remove_allergy(amina.actor, allergy.id)
    assert profiles.allergies(amina.actor, amina.patient_id) == []
    with pytest.raises(NotFound):
        profiles.remove_allergy(amina.actor, allergy.id)


def test_a_list_of_allergies_ends_somewhere(database: Any, amina: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(profiles, "MOST_ALLERGIES", 1)
    profiles.add_allergy(amina.actor, amina.patient_id, substance="Latex", severity="mild")
    with pytest.raises(Conflict):
        profiles.add_allergy(amina.actor, amina.patient_id, substance="Nuts", severity="mild")


def test_a_new_name_is_found_under_and_reaches_the_account(database: Any, amina: Any) -> None:
    profiles.call_me(amina.actor, given_name="Amîna", family_name="Ould Ali", locale="ar")
    patient = profiles.mine(amina.actor)
    assert patient
    assert (patient.search_name, patient.preferred_language) == ("amina ould ali", "ar")
    assert (amina.actor.name, amina.actor.locale) == ("Amîna Ould Ali", "ar")


def test_who_is_no_patient_has_no_profile(database: Any, nadia: Any) -> None:
    assert profiles.mine(nadia.actor) is None
    profiles.call_me(nadia.actor, given_name="Nadia", family_name="Slimani", locale="fr")
    assert nadia.actor.locale == "fr"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birth_date", (clock.now() + timedelta(days=2)).date().isoformat()),
        ("birth_date", "1800-01-01"),
        ("birth_date", "14/05/90"),
        ("phone", "12"),
        ("contact_phone", "call me"),
        ("sex", "robot"),
        ("blood_group", "C+"),
        ("city", "x" * 81),
        ("address", "two\nlines"),
        ("conditions", "\n".join(f"c{n}" for n in range(31))),
        ("contact_name", "nul\x00"),
    ],
)
def test_details_that_make_no_sense_are_refused_at_their_field(field: str, value: str) -> None:
    with pytest.raises(Invalid) as no:
        PatientDetails.parse({field: value})
    assert [name.partition(".")[0] for name in no.value.fields] == [field]


@pytest.mark.parametrize("extra", ["user_id", "is_superadmin", "search_name"])
def test_extra_keys_are_refused(extra: str) -> None:
    with pytest.raises(Invalid):
        PatientDetails.parse({extra: "x"})
    with pytest.raises(Invalid):
        AllergyShape.parse({"substance": "Latex", extra: "x"})

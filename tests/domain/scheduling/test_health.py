"""What must be known before somebody is treated: who reads which part of it, and that each reading is written down."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.core.actor import SYSTEM
from portal.core.db import keep, session
from portal.core.errors import Invalid, NotFound
from portal.core.events import Event, write_pending
from portal.domain.clinics.models import Clinic
from portal.domain.patients import joining, profiles
from portal.domain.patients.models import Patient
from portal.domain.patients.shapes import PatientDetails
from portal.domain.scheduling import booking, health
from tests.builders import actor_of, make_doctor, make_patient, make_practice, make_user, register_at
from tests.domain.patients.test_family import booked

CONTACT = {"contact_name": "Karim", "contact_phone": "+213550654321", "contact_relation": "Brother"}


def says(who: Any, **about: Any) -> None:
    given = CONTACT | {"blood_group": "O+", "conditions": ["Asthma"]} | about
    profiles.change(who.actor, who.patient_id, **PatientDetails.parse(given).values())


def reacts(who: Any, substance: str, severity: str = "mild") -> None:
    profiles.add_allergy(who.actor, who.patient_id, substance=substance, severity=severity)


def readings(who: Any) -> list[Event]:
    write_pending()
    mine = select(Event).where(Event.name == "health.read", Event.actor_id == who.user_id)
    return list(session().scalars(mine.order_by(Event.seq)))


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Any:
    """Amina has a visit with Dr Benali, whose clinic should know what she said."""
    says(amina)
    reacts(amina, "Latex")
    reacts(amina, "Penicillin", "severe")
    return booked(amina, dr_benali, el_djazair, amina.patient_id)


def test_the_doctor_of_a_visit_reads_all_of_it_the_worst_allergy_first(visit: Any, amina: Any, dr_benali: Any) -> None:
    known = health.read(dr_benali.actor, amina.patient_id)
    assert [one.substance for one in known.allergies] == ["Penicillin", "Latex"]
    assert (known.blood_group, known.conditions, known.is_clinical) == ("O+", ["Asthma"], True)
    assert known.emergency_contact["phone"] == CONTACT["contact_phone"]


def test_the_desk_reads_allergies_and_whom_to_call_and_nothing_clinical(visit: Any, amina: Any, nadia: Any) -> None:
    known = health.read(nadia.actor, amina.patient_id)
    assert ([one.substance for one in known.allergies], known.is_clinical) == (["Penicillin", "Latex"], False)
    assert (known.blood_group, known.conditions) == (None, [])
    assert known.emergency_contact["name"] == "Karim"


def test_a_doctor_of_the_clinic_without_a_visit_reads_as_much_as_its_desk(
    visit: Any, amina: Any, el_djazair: Any
) -> None:
    colleague = make_user("Rym", "Saadi")
    make_practice(make_doctor(colleague), session().get_one(Clinic, el_djazair.clinic_id))
    assert not health.read(actor_of(colleague), amina.patient_id).is_clinical


def test_a_visit_that_was_called_off_opens_nothing_clinical(visit: Any, amina: Any, dr_benali: Any) -> None:
    booking.cancel(amina.actor, visit.id)
    assert not health.read(dr_benali.actor, amina.patient_id).is_clinical


def test_nobody_else_reads_any_of_it(
    visit: Any, amina: Any, yacine: Any, kamel: Any, dr_haddad: Any, superadmin: Any
) -> None:
    for stranger in (yacine, kamel, dr_haddad, superadmin, amina):
        with pytest.raises(NotFound):
            health.read(stranger.actor, amina.patient_id)
        assert not readings(stranger)


def test_each_reading_stands_in_the_audit_log_with_its_parts_and_without_their_content(
    visit: Any, amina: Any, dr_benali: Any, nadia: Any, el_djazair: Any
) -> None:
    for reader, parts in ((dr_benali, health.CLINICAL), (nadia, health.AT_DESK)):
        health.read(reader.actor, amina.patient_id)
        health.read(reader.actor, amina.patient_id)
        first, second = readings(reader)
        assert first.facts == second.facts == {"fields": list(parts)}
        assert (first.patient_id, first.clinic_id) == (amina.patient_id, el_djazair.clinic_id)


def test_none_known_and_not_asked_are_different_and_an_allergy_ends_the_statement(
    amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    booked(amina, dr_benali, el_djazair, amina.patient_id)

    def status() -> str:
        return health.read(dr_benali.actor, amina.patient_id).allergy_status

    assert status() == "not_asked"
    says(amina, no_known_allergies=True)
    assert status() == "none_known"
    reacts(amina, "Latex")
    assert status() == "known"
    with pytest.raises(Invalid):
        says(amina, no_known_allergies=True)
    (latex,) = profiles.allergies(amina.actor, amina.patient_id)
    profiles.remove_allergy(amina.actor, latex.id)
    assert status() == "not_asked"


def test_joining_a_record_with_an_allergy_ends_the_statement_of_the_one_that_stays(amina: Any, el_djazair: Any) -> None:
    says(amina, no_known_allergies=True)
    other = make_patient()
    register_at(other, session().get_one(Clinic, el_djazair.clinic_id))
    profiles.add_allergy(SYSTEM, other.id, substance="Iodine", severity="severe")
    keep()
    joining.join(SYSTEM, amina.patient_id, other.id)
    assert not session().get_one(Patient, amina.patient_id).no_known_allergies


def test_the_desk_enters_no_such_statement_by_joining(amina: Any, el_djazair: Any) -> None:
    other = make_patient(no_known_allergies=True)
    register_at(other, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    joining.join(SYSTEM, amina.patient_id, other.id)
    assert not session().get_one(Patient, amina.patient_id).no_known_allergies

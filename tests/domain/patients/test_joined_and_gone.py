"""A record that became part of another is found by nobody, wherever it stood; and who may be second to a paper."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients import deciding, desk, inviting, joining, requests
from portal.domain.patients.models import Patient
from portal.domain.patients.request_models import RecordJoin
from tests.builders import actor_of, make_member, make_patient, make_user, register_at

OMAR = {"given_name": "Omar", "family_name": "Saidi", "birth_date": date(1988, 4, 12)}
PHONE = "+213550112233"


@pytest.fixture
def here(el_djazair: Any) -> Clinic:
    return session().get_one(Clinic, el_djazair.clinic_id)


@pytest.fixture
def there(wahran: Any) -> Clinic:
    return session().get_one(Clinic, wahran.clinic_id)


def known_at(*clinics: Clinic, **more: Any) -> Patient:
    patient = make_patient(**{**OMAR, "phone": PHONE, **more})
    for clinic in clinics:
        register_at(patient, clinic)
    return patient


def test_a_record_that_went_is_not_found_where_both_were_on_the_list(kamel: Any, here: Clinic, there: Clinic) -> None:
    gone, kept = known_at(there), known_at(here, there)
    joining.join(kamel.actor, kept.id, gone.id)
    keep()
    assert [one.id for one in desk.search(kamel.actor, "saidi")] == [kept.id]
    assert set(session().scalars(select(Patient.id).where(Patient.visible(kamel.actor)))) == {kept.id}
    assert desk.get(kamel.actor, gone.id).id == kept.id


def test_an_address_from_before_two_joinings_finds_the_record(kamel: Any, here: Clinic, there: Clinic) -> None:
    first, second, third = known_at(there), known_at(there), known_at(here)
    joining.join(kamel.actor, second.id, first.id)
    joining.join(kamel.actor, third.id, second.id)
    keep()
    assert desk.get(kamel.actor, first.id).id == third.id
    ledger = session().scalars(select(RecordJoin).where(RecordJoin.kept_id == third.id)).one()
    assert ledger.moved["patients"] == [str(first.id)]


def test_somebody_without_a_letter_in_the_name_is_like_nobody(kamel: Any, here: Clinic, there: Clinic) -> None:
    known_at(here)
    nameless = {"given_name": "-", "family_name": "'", "birth_date": OMAR["birth_date"], "phone": PHONE}
    entered, may_exist = desk.enter(kamel.actor, there.id, **nameless)
    assert (may_exist, desk.ask_to_join(kamel.actor, entered.id)) == (False, None)


@pytest.fixture
def rachid(here: Clinic) -> Any:
    """A second person at the desk of El Djazair."""
    user = make_user("Rachid", "Amrani", email="rachid@example.dz")
    make_member(user, here, "staff")
    return user


@pytest.mark.parametrize("kind", ["carer", "hand_over", "contact"])
def test_whom_a_paper_lets_in_is_not_its_second_person(nadia: Any, rachid: Any, here: Clinic, kind: str) -> None:
    patient, email = known_at(here), "Rachid@Example.dz"
    asks = {
        "carer": lambda: requests.ask_for_carer(
            nadia.actor, patient.id, email=email, relation="other", scopes=["view"], on_paper=True
        ),
        "hand_over": lambda: requests.ask_to_hand_over(nadia.actor, patient.id, email=email, on_paper=True),
        "contact": lambda: desk.change(nadia.actor, patient.id, **OMAR, phone=PHONE, email=email, on_paper=True)[1],
    }
    asked = asks[kind]()
    assert asked
    with pytest.raises(deciding.SecondPerson):
        deciding.confirm(actor_of(rachid.id), asked.id)


def test_a_paper_from_before_an_account_does_not_change_its_address(nadia: Any, rachid: Any, here: Clinic) -> None:
    patient = known_at(here, email="")
    wanted = {**OMAR, "phone": PHONE, "email": "new@example.dz"}
    _patient, asked = desk.change(nadia.actor, patient.id, **wanted, on_paper=True)
    assert asked
    patient.user_id = make_user("Omar", "Saidi").id
    session().flush()
    with pytest.raises(inviting.HasAccount):
        deciding.confirm(actor_of(rachid.id), asked.id)
    assert patient.email == ""

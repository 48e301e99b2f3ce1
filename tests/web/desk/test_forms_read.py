"""What is typed into a form is read as people write it, and what cannot be read is not lost."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import session
from portal.domain.clinics.models import Clinic
from portal.domain.patients import desk
from portal.domain.patients.models import Patient

NEW = {"given_name": "Yasmine", "family_name": "Hamdi", "sex": "female", "phone": "", "email": "", "language": "ar"}


@pytest.mark.parametrize("typed", ["03/02/1990", "3.2.1990", "٠٣/٠٢/١٩٩٠", "۰۳-۰۲-۱۹۹۰", "1990-02-03"])
def test_the_desk_types_a_birth_date_as_it_is_written_on_the_card(client: Any, nadia: Any, typed: str) -> None:
    client.sign_in(nadia).post("/desk/patients/new", data=NEW | {"birth_date": typed})
    assert [one.birth_date.isoformat() for one in desk.search(nadia.actor, f"hamdi {typed}") if one.birth_date] == [
        "1990-02-03"
    ]


def test_what_was_typed_comes_back_with_a_refused_form(client: Any, nadia: Any) -> None:
    read = client.sign_in(nadia).post("/desk/patients/new", data=NEW | {"birth_date": "03/02/1990", "phone": "12"})
    assert (read.status_code, 'value="1990-02-03"' in read.text) == (422, True)
    unread = client.post("/desk/patients/new", data=NEW | {"birth_date": "in spring 1990"})
    assert (unread.status_code, 'value="in spring 1990"' in unread.text) == (422, True)


def test_a_number_at_the_desk_is_meant_in_the_country_of_the_clinic(client: Any, nadia: Any, el_djazair: Any) -> None:
    session().get_one(Clinic, el_djazair.clinic_id).country = "FR"
    session().flush()
    client.sign_in(nadia).post("/desk/patients/new", data=NEW | {"phone": "06 12 34 56 78"})
    assert [one.phone for one in desk.search(nadia.actor, "hamdi")] == ["+33612345678"]


def test_the_desk_is_warned_of_one_person_in_two_spellings(nadia: Any, el_djazair: Any) -> None:
    born = "1990-02-03"
    first, _known = desk.enter(
        nadia.actor, el_djazair.clinic_id, given_name="علي", family_name="كريمي", birth_date=born
    )
    with pytest.raises(desk.LikelyKnown) as no:
        desk.enter(nadia.actor, el_djazair.clinic_id, given_name="علی", family_name="کریمی", birth_date=born)
    assert no.value.facts["patients"] == [first.id]
    assert [one.id for one in desk.search(nadia.actor, "علی کریمی")] == [first.id]
    assert session().get_one(Patient, first.id).search_name == "علي كريمي"

"""One's own profile: each part saved for itself, what was entered never lost."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from portal.domain.patients import profiles

HTMX = {"HX-Request": "true"}
DETAILS = {"birth_date": "1990-05-14", "sex": "female", "phone": "0550 12 34 56", "conditions": "Asthma"}


def test_a_patient_fills_in_their_details(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post("/account/profile/details", data=DETAILS)
    assert answer.location == "/account/profile#details"
    page = client.get("/account/profile").text
    assert 'value="1990-05-14"' in page
    assert "+213 550 12 34 56" in page
    assert ">Asthma</textarea>" in page.replace("\r\n", "")


def test_a_refusal_keeps_every_answer(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post("/account/profile/details", data=DETAILS | {"phone": "12", "city": "Blida"})
    assert answer.status_code == 422
    assert 'href="#phone"' in answer.text
    assert 'value="12"' in answer.text
    assert 'value="Blida"' in answer.text
    assert 'value="1990-05-14"' in answer.text
    assert amina.name.split()[0] in answer.text


def test_one_bad_line_marks_the_whole_list(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post("/account/profile/details", data=DETAILS | {"conditions": "Asthma\n" + "x" * 121})
    assert answer.status_code == 422
    assert 'href="#conditions"' in answer.text


def test_the_name_is_changed_everywhere(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    client.post("/account/profile", data={"given_name": "Amel", "family_name": "Saadi", "locale": "fr"})
    page = client.get("/account/profile").text
    assert "Amel Saadi" in page
    assert '<html lang="fr"' in page
    patient = profiles.mine(amina.actor)
    assert patient
    assert patient.name == "Amel Saadi"


@pytest.mark.parametrize(
    "wrong", [{"given_name": ""}, {"locale": "xx"}, {"family_name": "x" * 81}, {"given_name": "a\nb"}]
)
def test_a_name_that_cannot_be_is_refused(client: Any, amina: Any, wrong: dict[str, str]) -> None:
    client.sign_in(amina)
    answer = client.post("/account/profile", data={"given_name": "A", "family_name": "B", "locale": "en"} | wrong)
    assert answer.status_code == 422


def test_extra_fields_change_nothing(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    data = {"given_name": "A", "family_name": "B", "locale": "en", "is_superadmin": "1", "email": "x@example.dz"}
    client.post("/account/profile", data=data)
    assert not amina.actor.is_superadmin
    assert amina.actor.email == amina.email


def test_allergies_come_and_go_in_place(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post("/account/allergies", data={"substance": "Penicillin", "severity": "severe"}, headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<section")
    assert "Penicillin" in answer.text
    key = profiles.allergies(amina.actor, amina.patient_id)[0].id
    assert client.post(f"/account/allergies/{key}/remove", headers=HTMX).status_code == 200
    assert profiles.allergies(amina.actor, amina.patient_id) == []


def test_allergies_come_and_go_without_javascript(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post("/account/allergies", data={"substance": "Penicillin", "severity": "severe"})
    assert (answer.status_code, answer.location) == (303, "/account/profile#allergies")
    assert "Penicillin" in client.get("/account/profile").text


def test_an_allergy_without_a_substance_is_refused_in_place(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    answer = client.post("/account/allergies", data={"substance": "", "reaction": "Hives"}, headers=HTMX)
    assert answer.status_code == 422
    assert answer.text.lstrip().startswith("<section")
    assert 'value="Hives"' in answer.text
    whole = client.post("/account/allergies", data={"substance": "", "reaction": "Hives"})
    assert "<html" in whole.text


def test_nobody_removes_somebody_elses_allergy(client: Any, amina: Any, yacine: Any) -> None:
    allergy = profiles.add_allergy(amina.actor, amina.patient_id, substance="Latex", severity="mild")
    client.sign_in(yacine)
    for key in (allergy.id, uuid4()):
        assert client.post(f"/account/allergies/{key}/remove").status_code == 404


def test_a_colleague_becomes_a_patient(client: Any, nadia: Any) -> None:
    client.sign_in(nadia)
    assert "/account/profile/details" not in client.get("/account/profile").text
    assert client.post("/account/profile/details", data=DETAILS).status_code == 404
    assert client.post("/account/profile/patient").status_code == 303
    assert "/account/profile/details" in client.get("/account/profile").text
    assert client.post("/account/profile/patient").status_code == 409


def test_the_page_takes_few_queries(client: Any, amina: Any, statements: Any) -> None:
    for name in ("Latex", "Nuts", "Pollen"):
        profiles.add_allergy(amina.actor, amina.patient_id, substance=name, severity="mild")
    client.sign_in(amina)
    with statements() as asked:
        assert client.get("/account/profile").status_code == 200
    assert asked() <= 6

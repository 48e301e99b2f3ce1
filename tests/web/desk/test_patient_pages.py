"""The desk's pages of patients: found while one types, entered, kept right."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients import requests
from portal.domain.patients.models import Patient
from portal.domain.scheduling.models import Appointment
from tests.builders import (
    HTMX,
    make_patient,
    register_at,
)

# --- patients ---


def test_the_search_answers_with_a_page_and_while_one_types_with_its_results(
    client: Any, nadia: Any, selma: Patient, visit: Any
) -> None:
    client.sign_in(nadia)
    assert "Type a name" in client.get("/desk/patients").text
    whole = client.search("/desk/patients", "bensalem").text
    assert "Selma Bensalem" in whole
    assert "Dr Samira Benali" in whole
    part = client.search("/desk/patients", "selma", headers=HTMX).text
    assert part.lstrip().startswith('<div id="found"')
    assert "Nobody like this" in client.search("/desk/patients", "karima").text


def test_the_reference_of_a_visit_finds_its_patient(client: Any, nadia: Any, kamel: Any, visit: Appointment) -> None:
    assert "Selma Bensalem" in client.sign_in(nadia).search("/desk/patients", visit.reference.lower()).text
    assert "Selma Bensalem" not in client.sign_in(kamel).search("/desk/patients", visit.reference).text


def test_a_card_shows_contact_and_visits_here(client: Any, nadia: Any, kamel: Any, visit: Appointment) -> None:
    page = client.sign_in(nadia).get(f"/desk/patients/{visit.patient_id}").text
    for expected in ("+213550112233", "Visits to come", f"/desk/appointments/{visit.id}", "Confirmed"):
        assert expected in page
    assert client.sign_in(kamel).get(f"/desk/patients/{visit.patient_id}").status_code == 404


def test_the_past_visits_of_a_card_go_on_page_by_page_and_hold_none_that_is_still_to_come(
    client: Any, nadia: Any, visit: Appointment
) -> None:
    facts = {column.key: getattr(visit, column.key) for column in Appointment.__table__.columns}
    for number in range(20):
        begins = visit.starts_at - timedelta(days=number + 20)
        over = {"id": uuid4(), "reference": f"PAST{number}", "starts_at": begins, "status": "completed"}
        session().add(Appointment(**facts | over | {"ends_at": begins + timedelta(minutes=30)}))
    visit.status = "cancelled"
    session().flush()
    first = client.sign_in(nadia).get(f"/desk/patients/{visit.patient_id}").text
    assert "Called off" in first
    past = first.split("Past visits")[1]
    assert f"/desk/appointments/{visit.id}" not in past
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = client.get(unescape(following.group(1))).text.split("Past visits")[1]
    assert len(set(re.findall(r"/desk/appointments/[0-9a-f-]{36}", past + second))) == 20


def test_a_birth_date_agrees_in_french_with_the_sex_that_is_recorded(
    client: Any, nadia: Any, visit: Appointment
) -> None:
    client.sign_in(nadia)
    client.post("/account/language", data={"locale": "fr"})
    patient = session().get_one(Patient, visit.patient_id)
    for sex, words in (("female", "née le 17 mai"), ("male", "né le 17 mai"), ("unknown", "né(e) le 17 mai")):
        patient.sex = sex
        keep()
        assert words in client.get(f"/desk/patients/{patient.id}").text
        assert words in client.search("/desk/patients", "bensalem").text


def test_who_was_asked_whether_the_clinic_may_read_their_record_is_not_offered_to_be_asked_again(
    client: Any, kamel: Any, selma: Patient, wahran: Any
) -> None:
    client.sign_in(kamel)
    about = {"given_name": "Selma", "family_name": "Bensalem", "birth_date": "1990-05-17", "phone": selma.phone}
    card = client.post("/desk/patients/new", data=about | {"sex": "female", "language": "fr"}).location
    assert "Ask them" in client.get(card).text
    assert client.post(f"{card}/ask-to-join").status_code == 303
    page = client.get(card).text
    assert "To read a record" in page and "Ask them" not in page


def test_what_waits_for_consent_stands_under_patients_in_the_navigation(client: Any, nadia: Any) -> None:
    page = client.sign_in(nadia).get("/desk/requests").text
    current = re.findall(r'<a[^>]*href="([^"]*)"[^>]*aria-current="page"', page)
    assert set(current) == {"/desk/patients"}


def test_somebody_new_is_entered_and_shown(client: Any, nadia: Any, el_djazair: Any) -> None:
    client.sign_in(nadia)
    nobody = client.search("/desk/patients", "Karima Ould 12/04/1980").text
    form = client.get(html.unescape(re.search(r'href="(/desk/patients/new[^"]*)"', nobody)[1])).text  # type: ignore[index]
    assert 'value="Karima"' in form
    assert 'value="1980-04-12"' in form
    sent = {
        "given_name": "Karima",
        "family_name": "Ould",
        "birth_date": "1980-04-12",
        "sex": "female",
        "phone": "0661 22 33 44",
        "language": "ar",
    }
    answer = client.post("/desk/patients/new", data=sent)
    made = session().scalars(select(Patient).where(Patient.given_name == "Karima")).one()
    assert answer.location == f"/desk/patients/{made.id}"
    assert (made.phone, made.preferred_language) == ("+213661223344", "ar")


def test_who_is_likely_known_is_shown_first_and_can_still_be_new(client: Any, nadia: Any, selma: Patient) -> None:
    client.sign_in(nadia)
    sent = {
        "given_name": "Selma",
        "family_name": "Bensalem",
        "birth_date": "1990-05-17",
        "sex": "female",
        "language": "fr",
    }
    answer = client.post("/desk/patients/new", data=sent)
    assert answer.status_code == 409
    assert "Is it one of these?" in answer.text
    assert f"/desk/patients/{selma.id}" in answer.text
    assert client.post("/desk/patients/new", data=sent | {"as_new": "yes"}).status_code == 303


def test_wrong_answers_come_back_beside_their_fields(client: Any, nadia: Any) -> None:
    sent = {"given_name": "", "family_name": "X", "phone": "12", "sex": "female", "language": "fr"}
    answer = client.sign_in(nadia).post("/desk/patients/new", data=sent)
    assert answer.status_code == 422
    assert "This number is too short" in answer.text


def test_a_new_patient_leads_on_to_the_booking_that_was_begun(client: Any, nadia: Any, dr_benali: Any) -> None:
    client.sign_in(nadia)
    who = client.search("/desk/book", "karima", practice_id=dr_benali.practice_id).text
    link = html.unescape(re.search(r'href="(/desk/patients/new[^"]*then=book[^"]*)"', who)[1])  # type: ignore[index]
    assert str(dr_benali.practice_id) in client.get(link).text
    sent = {
        "given_name": "Karima",
        "family_name": "Ould",
        "sex": "female",
        "language": "fr",
        "then": "book",
        "practice_id": str(dr_benali.practice_id),
    }
    answer = client.post("/desk/patients/new", data=sent)
    assert answer.location.startswith("/desk/book?patient_id=")
    assert str(dr_benali.practice_id) in answer.location


def test_a_contact_is_changed_by_the_desk_once_the_patient_allows_it(client: Any, nadia: Any, selma: Patient) -> None:
    client.sign_in(nadia)
    assert "Selma" in client.get(f"/desk/patients/{selma.id}/edit").text
    sent = {
        "given_name": "Selma",
        "family_name": "Bensalem",
        "sex": "female",
        "phone": "0770 00 00 01",
        "language": "fr",
    }
    selma.email, old = "selma@example.dz", selma.phone
    keep()
    answer = client.post(f"/desk/patients/{selma.id}/edit", data=sent | {"email": "selma@example.dz"})
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"]).text
    assert "The patient is asked. It counts once they allow it." in page and "To change a contact" in page
    assert session().get_one(Patient, selma.id).phone == old
    (asked,) = requests.of_clinics(nadia.actor)
    assert client.post(f"/desk/requests/{asked.id}/confirm").status_code == 403  # there is no paper
    assert client.post(f"/desk/requests/{asked.id}/withdraw").status_code == 303
    assert client.post(f"/desk/patients/{selma.id}/edit", data=sent | {"phone": "1"}).status_code == 422


def test_two_records_are_seen_side_by_side_joined_and_parted_without_scripts(
    client: Any, nadia: Any, el_djazair: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    one, other = (make_patient(given_name=name, family_name="Saidi") for name in ("Omar", "Omer"))
    for each in (one, other):
        register_at(each, clinic)
    keep()
    client.sign_in(nadia)
    assert "Omer Saidi" in client.get(f"/desk/patients/{one.id}/merge").text
    assert "Omer Saidi" in client.post(f"/desk/patients/{one.id}/merge", data={"q": "omer"}).text
    page = client.get(f"/desk/patients/{one.id}/merge/{other.id}").text
    assert "This record stays" in page and "Join these records" in page
    assert client.post(f"/desk/patients/{one.id}/merge/{other.id}").status_code == 303
    card = client.get(f"/desk/patients/{one.id}").text
    undo = re.search(r"/desk/patients/[\w-]+/merges/[\w-]+/undo", card)
    assert undo and "Omer Saidi was joined" in re.sub("[\u2066-\u2069]", "", card)
    assert client.post(undo.group(0)).status_code == 303
    assert "Omer Saidi" in client.get(f"/desk/patients/{other.id}").text

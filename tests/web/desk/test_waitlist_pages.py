"""The desk's waitlist: who waits, adding a patient, urgency, ending, and offering a free time by hand."""

from __future__ import annotations

from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from portal.domain.scheduling.models import Appointment
from portal.domain.waitlist import joining
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from tests.builders import HTMX, at, make_patient, register_at
from tests.domain.waitlist.conftest import NOON


@pytest.fixture(autouse=True)
def noon(where: Any) -> Any:
    with standing_at(NOON):
        yield NOON


@pytest.fixture
def entry(amina: Any, dr_benali: Any, el_djazair: Any) -> WaitlistEntry:
    """Amina waits for Dr Benali."""
    made = joining.join(amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id)
    keep()
    return made


@pytest.fixture
def patient(el_djazair: Any) -> Patient:
    """Somebody the clinic knows."""
    made = make_patient(given_name="Sonia", family_name="Taleb")
    register_at(made, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return made


@pytest.fixture
def desk(client: Any, nadia: Any) -> Any:
    return client.sign_in(nadia)


def said(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


def test_the_list_names_who_waits_and_can_be_narrowed(desk: Any, entry: Any, dr_benali: Any) -> None:
    assert "Amina Boudiaf" in said(desk.get("/desk/waitlist"))
    assert "Amina Boudiaf" not in said(desk.search("/desk/waitlist", "zzz"))
    for narrowed in ("urgency=urgent", "state=ended", f"practice={uuid4()}"):
        assert "Amina Boudiaf" not in said(desk.get(f"/desk/waitlist?{narrowed}")), narrowed
    found = said(desk.search("/desk/waitlist", "amina", practice=dr_benali.practice_id, headers=HTMX))
    assert found.strip().startswith('<div id="waiting"')
    assert "Amina Boudiaf" in found


def test_another_clinics_desk_sees_and_does_nothing_here(client: Any, kamel: Any, entry: Any) -> None:
    client.sign_in(kamel)
    assert "Amina Boudiaf" not in said(client.get("/desk/waitlist"))
    assert client.get(f"/desk/waitlist/{entry.id}").status_code == 404
    for more in ("", "/end", "/offer"):
        assert client.post(f"/desk/waitlist/{entry.id}{more}", data={}).status_code == 404
    assert client.get(f"/desk/waitlist?clinic={entry.clinic_id}").status_code == 200


def test_an_admin_and_the_superadmin_keep_the_list_too(client: Any, admin: Any, superadmin: Any, entry: Any) -> None:
    for who in (admin, superadmin):
        client.sign_in(who)
        assert "Amina Boudiaf" in said(client.get("/desk/waitlist"))


def test_a_patient_is_added_by_name_doctor_and_type(desk: Any, patient: Any, dr_benali: Any, el_djazair: Any) -> None:
    found = said(desk.search("/desk/waitlist/new", "sonia"))
    assert f"patient={patient.id}" in found
    doctors = said(desk.get(f"/desk/waitlist/new?patient={patient.id}"))
    assert "Dr Samira Benali" in doctors
    url = f"/desk/waitlist/new?patient={patient.id}&practice={dr_benali.practice_id}&type={el_djazair.consultation_id}"
    assert "How urgent?" in said(desk.get(url))
    about = {
        "patient_id": patient.id,
        "practice_id": dr_benali.practice_id,
        "visit_type_id": el_djazair.consultation_id,
    }
    data = {key: str(value) for key, value in about.items()} | {"urgency": "urgent", "days": "3"}
    wrong = desk.post(url, data=data | {"last": "2027-01-01"})
    assert wrong.status_code == 422 and "This day is over." in said(wrong)
    done = desk.post(url, data=data)
    entry = session().query(WaitlistEntry).one()
    assert (done.status_code, done.location) == (303, f"/desk/waitlist/{entry.id}")
    assert (entry.patient_id, entry.urgency, entry.windows[0]["weekday"]) == (patient.id, "urgent", 3)
    assert desk.post(url, data=data).location == f"/desk/waitlist/{entry.id}"  # the same wish stands already


def test_nobody_unknown_to_the_clinic_is_found_or_added(desk: Any, yacine: Any) -> None:
    assert "Nobody at your clinics matches" in said(desk.search("/desk/waitlist/new", "yacine"))
    assert desk.get(f"/desk/waitlist/new?patient={yacine.patient_id}").status_code == 404
    assert desk.post("/desk/waitlist/new", data={}).status_code == 404


def test_urgency_is_changed_and_a_wrong_window_is_said(desk: Any, entry: Any) -> None:
    assert desk.post(f"/desk/waitlist/{entry.id}", data={"urgency": "soon", "note": "by phone"}).status_code == 303
    session().refresh(entry)
    assert (entry.urgency, entry.note) == ("soon", "by phone")
    wrong = desk.post(f"/desk/waitlist/{entry.id}", data={"urgency": "soon", "starts": "10:00", "until": "09:00"})
    assert wrong.status_code == 422
    assert "The end must be after the start." in said(wrong)


def test_ending_tells_the_patient_in_the_app(desk: Any, entry: Any, amina: Any, drain: Any, new_client: Any) -> None:
    assert desk.post(f"/desk/waitlist/{entry.id}/end").location == "/desk/waitlist"
    drain()
    assert "has ended" in said(new_client().sign_in(amina).get("/notifications"))
    assert desk.post(f"/desk/waitlist/{entry.id}/end").status_code == 409


def test_a_free_time_is_offered_by_hand_and_answered_on_the_phone(
    desk: Any, entry: Any, dr_benali: Any, mailbox: Any, amina: Any
) -> None:
    page = said(desk.get(f"/desk/waitlist/{entry.id}"))
    assert "Offer a free time now" in page
    wish = {"practice_id": str(dr_benali.practice_id), "starts_at": at("09:00", 3).isoformat()}
    offered = desk.post(f"/desk/waitlist/{entry.id}/offer", data=wish, headers=HTMX)
    assert "Offered now" in said(offered)
    assert mailbox.to(amina.email)
    refused = desk.post(f"/desk/waitlist/{entry.id}/offer", data=wish)
    assert refused.status_code == 409
    offer = session().query(WaitlistOffer).one()
    done = desk.post(f"/desk/waitlist/offers/{offer.id}", data={"answer": "yes"})
    assert done.location == f"/desk/waitlist/{entry.id}"
    assert session().query(Appointment).one().patient_id == amina.patient_id
    late = desk.post(f"/desk/waitlist/offers/{offer.id}", data={"answer": "no"})
    assert late.status_code == 410


def test_on_the_phone_the_patient_lets_it_go(desk: Any, entry: Any, dr_benali: Any) -> None:
    wish = {"practice_id": str(dr_benali.practice_id), "starts_at": at("09:00", 3).isoformat()}
    desk.post(f"/desk/waitlist/{entry.id}/offer", data=wish)
    offer = session().query(WaitlistOffer).one()
    desk.post(f"/desk/waitlist/offers/{offer.id}", data={"answer": "no"})
    assert session().get_one(WaitlistOffer, offer.id, populate_existing=True).state == "declined"
    assert "Let go" in said(desk.get(f"/desk/waitlist/{entry.id}"))


def test_a_time_that_is_none_or_taken_is_refused(desk: Any, entry: Any, dr_benali: Any) -> None:
    assert desk.post(f"/desk/waitlist/{entry.id}/offer", data={}).status_code == 422
    night = {"practice_id": str(dr_benali.practice_id), "starts_at": at("03:00", 3).isoformat()}
    no = desk.post(f"/desk/waitlist/{entry.id}/offer", data=night)
    assert no.status_code == 409
    assert "The doctor does not receive at this time." in said(no)


def test_the_pages_ask_few_questions_of_the_database(desk: Any, entry: Any, statements: Any) -> None:
    for url in ("/desk/waitlist", f"/desk/waitlist/{entry.id}"):
        desk.get(url)
        with statements() as count:
            desk.get(url)
            assert count() <= 12, url

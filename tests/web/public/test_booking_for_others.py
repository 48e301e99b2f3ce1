"""The public booking for those one cares for, and with any doctor of a clinic."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.patients import family
from portal.domain.patients.models import Delegation, Patient
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import at, make_doctor, make_patient, make_practice, make_week, working_day

DETAILS = "/book/details"


@pytest.fixture
def child(amina: Any) -> Delegation:
    """Amina's son Ilyes."""
    care = family.add_dependant(amina.actor, given_name="Ilyes", family_name="Boudiaf", birth_date=date(2019, 6, 1))
    keep()
    return care


@pytest.fixture
def colleague(dr_benali: Any, el_djazair: Any) -> Practice:
    """Another cardiologist of the clinic with the same week."""
    practice = make_practice(
        make_doctor(given_name="Nadir", family_name="Amrani"), session().get_one(Clinic, el_djazair.clinic_id)
    )
    make_week(practice, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    return practice


def _hold(client: Any, doctor: Any, clinic: Any, wall: str = "09:00") -> Any:
    url = f"/book/{doctor.practice_id}/{clinic.consultation_id}"
    return client.post(url, data={"starts_at": at(wall).isoformat()})


def _send(client: Any, doctor: Any, clinic: Any, wall: str = "09:00", **more: Any) -> Any:
    with client.session_transaction() as kept:
        token = kept["hold"]["token"]
    sent = {"practice_id": str(doctor.practice_id), "visit_type_id": str(clinic.consultation_id), "hold_token": token}
    return client.post(DETAILS, data=sent | {"starts_at": at(wall).isoformat(), **more})


def _visits() -> list[Appointment]:
    return list(session().scalars(select(Appointment)))


def test_whoever_books_for_nobody_else_is_not_asked(client: Any, amina: Any, dr_benali: Any, el_djazair: Any) -> None:
    client.sign_in(amina)
    _hold(client, dr_benali, el_djazair)
    page = client.get(DETAILS).text
    assert "Who is the visit for?" not in page
    assert "For Amina Boudiaf" in page


def test_a_mother_is_asked_for_whom_and_books_for_her_child(
    client: Any, amina: Any, child: Delegation, dr_benali: Any, el_djazair: Any, mailbox: Any
) -> None:
    client.sign_in(amina)
    _hold(client, dr_benali, el_djazair)
    page = client.get(DETAILS).text
    assert "Who is the visit for?" in page
    assert "Ilyes Boudiaf" in page
    answer = _send(client, dr_benali, el_djazair, patient_id=str(child.patient_id))
    (made,) = _visits()
    assert made.patient_id == child.patient_id
    done = client.get(answer.location).text
    assert "Ilyes Boudiaf" in done
    assert "Ilyes Boudiaf" in mailbox.text(amina.email)


def test_what_was_chosen_stays_when_something_is_wrong(
    client: Any, amina: Any, child: Delegation, dr_benali: Any, el_djazair: Any
) -> None:
    client.sign_in(amina)
    _hold(client, dr_benali, el_djazair)
    answer = _send(client, dr_benali, el_djazair, patient_id=str(child.patient_id), reason="x" * 600)
    assert answer.status_code == 422
    (own,) = re.findall(rf'<input[^>]*value="{child.patient_id}"[^>]*>', answer.text)
    assert " checked" in own


def test_care_that_may_only_look_does_not_book(
    client: Any, amina: Any, child: Delegation, dr_benali: Any, el_djazair: Any
) -> None:
    session().get_one(Delegation, child.id).scopes = ["view"]
    keep()
    client.sign_in(amina)
    _hold(client, dr_benali, el_djazair)
    assert "Who is the visit for?" not in client.get(DETAILS).text
    assert _send(client, dr_benali, el_djazair, patient_id=str(child.patient_id)).status_code in {403, 404, 409}
    assert _visits() == []


def test_a_stranger_s_child_is_nobody_here(
    client: Any, yacine: Any, child: Delegation, dr_benali: Any, el_djazair: Any
) -> None:
    client.sign_in(yacine)
    _hold(client, dr_benali, el_djazair)
    assert _send(client, dr_benali, el_djazair, patient_id=str(child.patient_id)).status_code == 404
    assert _visits() == []


# --- any doctor ---


def test_a_clinic_with_two_of_a_field_offers_any_of_them(
    client: Any, dr_benali: Any, colleague: Practice, el_djazair: Any
) -> None:
    assert f"/clinics/{el_djazair.slug}/book" in client.get(f"/clinics/{el_djazair.slug}").text
    page = client.get(f"/clinics/{el_djazair.slug}/book").text
    assert "Cardiology" in page
    assert "2 doctors" in page


def test_a_clinic_with_one_of_each_does_not(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    assert "Book with any doctor" not in client.get(f"/clinics/{el_djazair.slug}").text
    assert "Nothing can be booked here online" in client.get(f"/clinics/{el_djazair.slug}/book").text


def test_the_usual_screens_name_the_doctor_whose_turn_it_is(
    client: Any, amina: Any, yacine: Any, dr_benali: Any, colleague: Practice, el_djazair: Any
) -> None:
    booking.book(
        yacine.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("11:00")
    )
    keep()
    client.sign_in(amina)
    url = f"/clinics/{el_djazair.slug}/book/{el_djazair.consultation_id}?specialty=cardiology"
    assert at("09:00").isoformat() in html.unescape(client.get(f"{url}&from={working_day()}").text)
    answer = client.post(url, data={"starts_at": at("09:00").isoformat()})
    assert answer.location == DETAILS
    page = client.get(DETAILS).text
    assert "Nadir Amrani receives you at this time" in page
    assert html.escape(f"/clinics/{el_djazair.slug}/book/{el_djazair.consultation_id}?specialty=cardiology") in page
    sent = {
        "practice_id": str(colleague.id),
        "visit_type_id": str(el_djazair.consultation_id),
        "starts_at": at("09:00").isoformat(),
    }
    with client.session_transaction() as kept:
        sent["hold_token"] = kept["hold"]["token"]
    assert client.post(DETAILS, data=sent).location.startswith("/book/done/")
    assert {one.practice_id for one in _visits()} == {dr_benali.practice_id, colleague.id}


def test_a_time_nobody_has_is_refused_with_others(
    client: Any, dr_benali: Any, colleague: Practice, el_djazair: Any
) -> None:
    url = f"/clinics/{el_djazair.slug}/book/{el_djazair.consultation_id}?specialty=cardiology"
    answer = client.post(url, data={"starts_at": at("20:00").isoformat()})
    assert answer.status_code == 409
    assert "These are free:" in answer.text
    assert client.post(url, data={}).status_code == 422
    assert client.post(url, data={"starts_at": "soon"}).status_code == 422


def test_what_cannot_be_asked_is_not_there(client: Any, dr_benali: Any, colleague: Practice, el_djazair: Any) -> None:
    base = f"/clinics/{el_djazair.slug}/book/{el_djazair.consultation_id}"
    assert client.get(base).status_code == 404
    assert client.get(f"{base}?specialty=surgery").status_code == 404
    assert client.get("/clinics/nowhere/book").status_code == 404


def test_the_child_of_somebody_else_is_never_listed(
    client: Any, amina: Any, child: Delegation, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    make_patient(given_name="Other", family_name="Child")
    keep()
    assert session().scalars(select(Patient).where(Patient.given_name == "Other")).one()
    client.sign_in(yacine)
    _hold(client, dr_benali, el_djazair)
    page = client.get(DETAILS).text
    assert "Ilyes" not in page
    assert "Other Child" not in page

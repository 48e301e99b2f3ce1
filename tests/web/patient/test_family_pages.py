"""The pages of a family: children, carers, invitations; what somebody may not do has no button and no way."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.patients import care, family, requests
from portal.domain.patients.models import Delegation, Patient
from portal.domain.scheduling.models import Appointment
from tests.builders import at, make_member, make_patient, register_at
from tests.domain.patients.test_family import BORN, TODAY, booked, child_of, let
from tests.domain.patients.test_inviting_carers import newcomer
from tests.domain.patients.two_clinics import named_by

CHILD = {
    "given_name": "Ilyes", "family_name": "Boudiaf", "birth_date": str(BORN), "sex": "male", "relation": "child",
}  # fmt: skip


def text_of(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


@pytest.fixture
def as_amina(client: Any, amina: Any) -> Any:
    return client.sign_in(amina)


# --- a mother without JavaScript ---


def test_a_mother_adds_her_child_and_finds_it_everywhere(as_amina: Any, amina: Any) -> None:
    assert "Nobody yet" in text_of(as_amina.get("/patient/family"))
    added = as_amina.post("/patient/family/new", data=CHILD)
    (held,) = family.mine(amina.actor)
    assert (added.status_code, added.location) == (303, f"/patient/family/{held.patient_id}")
    assert "Ilyes Boudiaf" in text_of(as_amina.get("/patient/family"))
    page = text_of(as_amina.get(added.location))
    assert "Book for Ilyes" in page and "Hand the record over" in page


def test_what_was_typed_wrong_stays_with_a_sentence(as_amina: Any, amina: Any) -> None:
    answer = as_amina.post("/patient/family/new", data={**CHILD, "birth_date": str(TODAY + timedelta(days=3))})
    assert answer.status_code == 422
    assert "lies in the future" in text_of(answer) and 'value="Ilyes"' in text_of(answer)
    as_amina.post("/patient/family/new", data=CHILD)
    again = as_amina.post("/patient/family/new", data=CHILD)
    assert (again.status_code, "in your family already" in text_of(again)) == (409, True)
    grown = as_amina.post("/patient/family/new", data={**CHILD, "birth_date": "1990-01-01"})
    assert (grown.status_code, "is an adult" in text_of(grown)) == (409, True)


def test_she_changes_the_childs_data_with_the_forms_of_her_own(as_amina: Any, amina: Any) -> None:
    key = child_of(amina).patient_id
    assert "Ilyes" in text_of(as_amina.get(f"/patient/family/{key}/profile"))
    named = {"given_name": "Ilyès", "family_name": "Boudiaf", "locale": "fr"}
    assert as_amina.post(f"/patient/family/{key}/name", data=named).status_code == 303
    details = {"birth_date": str(BORN), "sex": "male", "phone": "0550 12 34 56", "conditions": "Asthma"}
    assert as_amina.post(f"/patient/family/{key}/profile", data=details).status_code == 303
    patient = session().get_one(Patient, key)
    assert (patient.name, patient.phone, patient.conditions) == ("Ilyès Boudiaf", "+213550123456", ["Asthma"])
    wrong = as_amina.post(f"/patient/family/{key}/profile", data={**details, "phone": "12"})
    assert wrong.status_code == 422
    assert as_amina.post(f"/patient/family/{key}/name", data={**named, "given_name": ""}).status_code == 422


def test_the_list_says_whose_a_visit_is_and_narrows_to_one(
    as_amina: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    key = child_of(amina).patient_id
    own = booked(amina, dr_benali, el_djazair, amina.patient_id, "09:00").id
    theirs = booked(amina, dr_benali, el_djazair, key, "10:00").id
    both = text_of(as_amina.get("/patient/appointments"))
    assert "For Ilyes Boudiaf" in both and str(own) in both and str(theirs) in both and "Everybody" in both
    one = text_of(as_amina.get(f"/patient/appointments?patient={key}"))
    assert str(theirs) in one and str(own) not in one
    for other in (str(yacine.patient_id), "nonsense"):
        assert as_amina.get(f"/patient/appointments?patient={other}").status_code == 404
    home = text_of(as_amina.get("/patient/home"))
    assert "Ilyes Boudiaf" in home


def test_without_a_family_the_list_has_no_filter(as_amina: Any) -> None:
    assert "Everybody" not in text_of(as_amina.get("/patient/appointments"))


def test_the_history_says_who_did_it_for_whom(
    client: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    key = child_of(amina).patient_id
    let(key, yacine, "view", granted_by=amina.user_id)
    visit = booked(amina, dr_benali, el_djazair, key).id
    assert "by you for Ilyes Boudiaf" in text_of(client.sign_in(amina).get(f"/patient/appointments/{visit}"))
    assert "by Amina Boudiaf for Ilyes Boudiaf" in text_of(client.sign_in(yacine).get(f"/patient/appointments/{visit}"))
    assert "by Amina Boudiaf for Ilyes Boudiaf" in text_of(
        client.sign_in(dr_benali).get(f"/doctor/appointments/{visit}")
    )


def test_a_patient_reads_who_acted_for_them(
    client: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    let(amina.patient_id, yacine, "book", by=amina)
    visit = booked(yacine, dr_benali, el_djazair, amina.patient_id).id
    assert "by Yacine Meziane for Amina Boudiaf" in text_of(client.sign_in(amina).get(f"/patient/appointments/{visit}"))


# --- who only looks ---


def test_who_only_looks_has_no_buttons_and_no_way(
    client: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    let(amina.patient_id, yacine, "view", by=amina)
    visit = booked(amina, dr_benali, el_djazair, amina.patient_id).id
    browser = client.sign_in(yacine)
    page = text_of(browser.get(f"/patient/appointments/{visit}"))
    assert "You may look at this visit" in page
    assert f"/patient/appointments/{visit}/cancel" not in page and f"/patient/appointments/{visit}/move" not in page
    key = amina.patient_id
    for path in (f"/patient/appointments/{visit}/cancel", f"/patient/appointments/{visit}/move",
                 f"/patient/family/{key}/profile", f"/patient/family/invite?for={key}"):  # fmt: skip
        data = {"code": "other", "starts_at": at("10:00").isoformat(), "email": "a@example.dz"}
        assert browser.post(path, data=data).status_code == 403, path
    for path in (f"/patient/appointments/{visit}/cancel", f"/patient/appointments/{visit}/move",
                 f"/patient/family/{key}/profile", f"/patient/family/{key}/hand-over"):  # fmt: skip
        assert browser.get(path).status_code == 403, path
    assert session().get_one(Appointment, visit).status == "confirmed"
    page = text_of(browser.get(f"/patient/family/{key}"))
    assert "Book for" not in page and "Personal data" not in page and "Hand the record over" not in page


def test_somebody_elses_family_answers_as_one_that_never_was(client: Any, amina: Any, yacine: Any) -> None:
    held = child_of(amina)
    browser = client.sign_in(yacine)
    for path in ("", "/profile", "/hand-over"):
        assert browser.get(f"/patient/family/{held.patient_id}{path}").status_code == 404
    assert browser.get(f"/patient/family/invite?for={held.patient_id}").status_code == 404
    for path in ("", "/end"):
        assert browser.post(f"/patient/family/care/{held.id}{path}", data={"scopes": ["view"]}).status_code == 404


# --- invitations ---


def test_a_husband_is_invited_accepts_and_is_let_go(client: Any, amina: Any, yacine: Any, mailbox: Any) -> None:
    wanted = {"email": yacine.email, "relation": "spouse", "scopes": ["view", "book"], "until": ""}
    assert client.sign_in(amina).post("/patient/family/invite", data=wanted).location == "/patient/family"
    assert "Withdraw" in text_of(client.get("/patient/family"))
    path = mailbox.link(yacine.email, "/family/invitation/").removeprefix("http://localhost")
    assert client.get(path).status_code == 403  # she is not the one who was asked
    client.sign_out()
    assert client.get(path).location.startswith("/account/sign-in?next=/family/invitation/")
    assert client.sign_in(yacine).get(path).status_code == 200
    assert yacine.actor.dependants == {}  # looking did nothing
    assert client.post(path).location == f"/patient/family/{amina.patient_id}"
    assert client.post(path).status_code == client.get(path).status_code == 410
    (held,) = family.mine(yacine.actor)
    page = text_of(client.sign_in(amina).get("/patient/family"))
    assert "Yacine Meziane" in page
    changed = client.post(f"/patient/family/care/{held.id}", data={"scopes": ["profile"], "until": str(TODAY)})
    assert (changed.status_code, yacine.actor.dependants[amina.patient_id]) == (303, {"view", "profile"})
    assert client.get(f"/patient/family/care/{held.id}").status_code == 200
    assert client.post(f"/patient/family/care/{held.id}", data={"until": "2001-01-01"}).status_code == 422
    client.post(f"/patient/family/care/{held.id}/end")
    assert yacine.actor.dependants == {}
    assert client.sign_in(yacine).get(f"/patient/family/{amina.patient_id}").status_code == 404


def test_an_open_session_loses_it_with_the_next_request(
    client: Any, new_client: Any, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    held = let(amina.patient_id, yacine, "view", by=amina)
    visit = booked(amina, dr_benali, el_djazair, amina.patient_id).id
    his = client.sign_in(yacine)
    assert his.get(f"/patient/appointments/{visit}").status_code == 200
    new_client().sign_in(amina).post(f"/patient/family/care/{held.id}/end")
    assert his.get(f"/patient/appointments/{visit}").status_code == 404


def test_an_invitation_is_withdrawn_from_the_page(client: Any, amina: Any, yacine: Any, mailbox: Any) -> None:
    client.sign_in(amina).post("/patient/family/invite", data={"email": yacine.email, "scopes": ["view"]})
    path = mailbox.link(yacine.email, "/family/invitation/").removeprefix("http://localhost")
    page = text_of(client.get("/patient/family"))
    withdraw = page.split('action="/patient/family/invitations/')[1].split('"')[0]
    assert client.sign_in(yacine).post(f"/patient/family/invitations/{withdraw}").status_code == 404
    assert client.sign_in(amina).post(f"/patient/family/invitations/{withdraw}").status_code == 303
    assert client.sign_in(yacine).post(path).status_code == 410


def test_an_invitation_that_makes_no_sense_says_so(as_amina: Any, amina: Any) -> None:
    assert as_amina.post("/patient/family/invite", data={"email": "nonsense"}).status_code == 422
    own = as_amina.post("/patient/family/invite", data={"email": amina.email, "scopes": ["view"]})
    assert (own.status_code, "your own address" in text_of(own)) == (409, True)


def test_a_grown_child_takes_over_after_showing_the_birth_date(client: Any, amina: Any, mailbox: Any) -> None:
    key = child_of(amina).patient_id
    sent = client.sign_in(amina).post(f"/patient/family/{key}/hand-over", data={"email": "ilyes@example.dz"})
    assert sent.status_code == 303
    ilyes = newcomer("ilyes@example.dz")
    path = mailbox.link(ilyes.email, "/family/invitation/").removeprefix("http://localhost")
    browser = client.sign_in(ilyes)
    assert "date of birth" in text_of(browser.get(path))
    assert browser.post(path, data={"birth_date": "2001-01-01"}).status_code == 403
    assert browser.post(path, data={"birth_date": str(BORN)}).location == "/patient/home"
    assert session().get_one(Patient, key).merged_into_id == ilyes.actor.patient_id


# --- the desk ---


@pytest.fixture
def old_man(el_djazair: Any) -> UUID:
    made = make_patient(
        given_name="Rachid", family_name="Amrani", birth_date=TODAY.replace(year=TODAY.year - 70, day=1)
    )
    register_at(made, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return made.id


def test_the_desk_asks_for_a_carer_and_ends_whom_it_has_named(
    client: Any, nadia: Any, kamel: Any, yacine: Any, old_man: UUID, el_djazair: Any
) -> None:
    path, wanted = f"/desk/patients/{old_man}/family", {"email": yacine.email, "relation": "parent", "scopes": ["view"]}
    assert client.sign_in(kamel).get(path).status_code == 404
    assert client.post(path, data=wanted).status_code == 404
    assert client.sign_in(nadia).get(path).status_code == 200
    assert client.post(path, data={**wanted, "email": "nonsense"}).status_code == 422
    assert client.post(path, data={**wanted, "scopes": ["profile"]}).status_code == 422  # no clinic's to give
    assert client.post(path, data=wanted).status_code == 303
    assert yacine.actor.dependants_at == {}  # it waits for the patient
    held = named_by(nadia, yacine, old_man, el_djazair.clinic_id)
    page = text_of(client.get(path))
    assert "Yacine Meziane" in page and "at Clinique El Djazair only" in page
    assert client.sign_in(kamel).post(f"{path}/{held.id}/end").status_code == 404
    assert client.sign_in(nadia).post(f"{path}/{held.id}/end").status_code == 303
    assert yacine.actor.dependants_at == {}


def test_a_desk_of_two_clinics_says_for_which_it_counts(
    client: Any, nadia: Any, yacine: Any, amina: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any
) -> None:
    booked(amina, dr_benali, el_djazair, amina.patient_id, "09:00")
    booked(amina, dr_haddad, wahran, amina.patient_id, "11:00")
    path, wanted = f"/desk/patients/{amina.patient_id}/family", {"email": yacine.email, "scopes": ["view"]}
    assert 'name="clinic_id"' not in text_of(client.sign_in(nadia).get(path))
    make_member(session().get_one(User, nadia.user_id), session().get_one(Clinic, wahran.clinic_id))
    page = text_of(client.get(path))
    assert 'name="clinic_id"' in page and "Clinique Wahran" in page and 'value="profile"' not in page
    assert client.post(path, data={**wanted, "clinic_id": str(wahran.clinic_id)}).status_code == 303
    assert [one.clinic_id for one in requests.of_clinics(nadia.actor)] == [wahran.clinic_id]


def test_a_desk_has_no_button_to_end_what_the_patient_granted(
    client: Any, nadia: Any, yacine: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    booked(amina, dr_benali, el_djazair, amina.patient_id)
    held = let(amina.patient_id, yacine, "view", by=amina)
    path = f"/desk/patients/{amina.patient_id}/family"
    page = text_of(client.sign_in(nadia).get(path))
    assert "Yacine Meziane" in page and "granted by the patient" in page and f"{held.id}/end" not in page
    assert client.post(f"{path}/{held.id}/end").status_code == 404


def test_whoever_a_desk_has_named_has_a_page_without_a_record(
    client: Any, nadia: Any, yacine: Any, amina: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any
) -> None:
    here = booked(amina, dr_benali, el_djazair, amina.patient_id, "09:00").id
    there = booked(amina, dr_haddad, wahran, amina.patient_id, "11:00").id
    key = amina.patient_id
    named_by(nadia, yacine, key, el_djazair.clinic_id)
    browser = client.sign_in(yacine)
    family_page, page = text_of(browser.get("/patient/family")), text_of(browser.get(f"/patient/family/{key}"))
    assert "Amina Boudiaf" in family_page and "at Clinique El Djazair only" in family_page
    assert "What you may do at Clinique El Djazair" in page and "Book for Amina" in page
    for text in (family_page, page):
        assert str(there) not in text and " years" not in text and "Personal data" not in text
    assert str(here) in page and "Hand the record over" not in page
    assert browser.get(f"/patient/family/invite?for={key}").status_code == 403
    assert [str(one) in text_of(browser.get("/patient/appointments")) for one in (here, there)] == [True, False]
    assert "Move" in text_of(browser.get(f"/patient/appointments/{here}"))
    for doctor, place, offered in ((dr_benali, el_djazair, True), (dr_haddad, wahran, False)):
        times = {"starts_at": at("14:00").isoformat()}
        assert browser.post(f"/book/{doctor.practice_id}/{place.consultation_id}", data=times).status_code == 303
        assert (f'value="{key}"' in text_of(browser.get("/book/details"))) is offered
        waits = f"/patient/waitlist/join?practice={doctor.practice_id}&type={place.consultation_id}"
        assert (f'value="{key}"' in text_of(browser.get(waits))) is offered
    hers = text_of(client.sign_in(amina).get("/patient/family"))
    assert "Yacine Meziane" in hers and "at Clinique El Djazair only" in hers
    held = session().query(Delegation).one()
    form = text_of(client.get(f"/patient/family/care/{held.id}"))
    assert "at Clinique El Djazair only" in form and 'value="profile"' not in form
    assert client.post(f"/patient/family/care/{held.id}/end").status_code == 303
    assert browser.sign_in(yacine).get(f"/patient/family/{key}").status_code == 404


def test_the_desk_hands_a_record_over(client: Any, nadia: Any, old_man: UUID, mailbox: Any) -> None:
    session().get_one(Patient, old_man).email = "rachid@example.dz"  # the address the record has had
    path = f"/desk/patients/{old_man}/hand-over"
    assert client.sign_in(nadia).post(path, data={"email": ""}).status_code == 422
    assert client.post(path, data={"email": "rachid@example.dz"}).status_code == 303
    assert mailbox.link("rachid@example.dz", "/family/invitation/")


def test_pages_ask_the_database_a_fixed_number_of_things(
    as_amina: Any, amina: Any, dr_benali: Any, el_djazair: Any, statements: Any
) -> None:
    key = child_of(amina).patient_id
    counts = []
    for wall in ("09:00", "10:00", "11:00"):
        booked(amina, dr_benali, el_djazair, key, wall)
        child_of(amina, given_name=f"Child{wall[:2]}")
        counted = []
        for path in ("/patient/family", f"/patient/family/{key}", "/patient/appointments"):
            with statements() as count:
                assert as_amina.get(path).status_code == 200
            counted.append(count())
        counts.append(counted)
    assert counts[0] == counts[1] == counts[2]
    assert max(counts[0]) <= 12
    assert care.of_age_on(BORN) > TODAY

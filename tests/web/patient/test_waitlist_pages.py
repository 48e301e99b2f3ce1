"""The patient's waitlist: joining from a visit or from free times, answering by page and by link, leaving."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.patients.models import Delegation, Patient
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment
from portal.domain.waitlist import joining
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from tests.builders import HTMX, at, make_patient
from tests.domain.waitlist.conftest import NOON


@pytest.fixture(autouse=True)
def noon(where: Any) -> Any:
    """It is noon on a working day: nothing is quiet."""
    with standing_at(NOON):
        yield NOON


def book(person: Any, doctor: Any, kind: UUID, wall: str, ahead: int) -> Appointment:
    about = {"practice_id": doctor.practice_id, "visit_type_id": kind, "starts_at": at(wall, ahead)}
    made = booking.book(person.actor, **about)
    keep()
    return made


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Amina's consultation, next week."""
    return book(amina, dr_benali, el_djazair.consultation_id, "10:00", 7)


@pytest.fixture
def offer(amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any, visit: Appointment, drain: Any) -> WaitlistOffer:
    """A time on the third day is offered to Amina, who waits for an earlier one."""
    joining.join(amina.actor, moves_id=visit.id)
    other = book(yacine, dr_benali, el_djazair.consultation_id, "09:00", 3)
    booking.cancel(yacine.actor, other.id)
    drain()
    return session().query(WaitlistOffer).one()


@pytest.fixture
def as_amina(client: Any, amina: Any) -> Any:
    return client.sign_in(amina)


def said(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


def test_a_visit_to_come_leads_to_the_waitlist_and_says_when_one_is_on_it(
    as_amina: Any, visit: Any, drain: Any
) -> None:
    page = said(as_amina.get(f"/patient/appointments/{visit.id}"))
    assert f"/patient/waitlist/join?visit={visit.id}" in page
    form = said(as_amina.get(f"/patient/waitlist/join?visit={visit.id}"))
    assert "stays yours until you take an earlier one" in form
    assert "How urgent" not in form
    done = as_amina.post(
        f"/patient/waitlist/join?visit={visit.id}",
        data={"moves_id": str(visit.id), "days": ["1", "2"], "starts": "08:00", "until": "12:00", "note": "call me"},
    )
    assert (done.status_code, done.location) == (303, "/patient/waitlist")
    listed = said(as_amina.get("/patient/waitlist"))
    assert "Nobody is before you for this doctor." in listed
    assert "Tuesday and Wednesday: 08:00 – 12:00" in listed
    entry = session().query(WaitlistEntry).one()
    assert (entry.moves_id, len(entry.windows), entry.note) == (visit.id, 2, "call me")
    assert "You are on the waitlist for an earlier time" in said(as_amina.get(f"/patient/appointments/{visit.id}"))
    again = as_amina.get(f"/patient/waitlist/join?visit={visit.id}")
    assert (again.status_code, again.location) == (303, f"/patient/waitlist/{entry.id}")


def test_the_free_times_lead_to_the_waitlist_also_for_a_stranger(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    url = f"/book/{dr_benali.practice_id}/{el_djazair.consultation_id}"
    page = said(client.get(url))
    link = f"/patient/waitlist/join?practice={dr_benali.practice_id}&type={el_djazair.consultation_id}"
    assert link in page
    assert client.get(link).location.startswith("/account/sign-in?next=")


def test_joining_for_a_new_visit_and_for_a_child(as_amina: Any, amina: Any, dr_benali: Any, el_djazair: Any) -> None:
    child = make_patient(given_name="Rym", family_name="Boudiaf")
    session().add(
        Delegation(patient_id=child.id, user_id=amina.user_id, relation="child", scopes=["view", "book"],
                   starts_on=NOON.date())
    )  # fmt: skip
    keep()
    url = f"/patient/waitlist/join?practice={dr_benali.practice_id}&type={el_djazair.consultation_id}"
    page = said(as_amina.get(url))
    assert "Rym Boudiaf" in page and "Amina Boudiaf (me)" in page
    data = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
    assert as_amina.post(url, data=data | {"patient_id": str(child.id), "any_doctor": "y"}).status_code == 303
    entry = session().query(WaitlistEntry).one()
    assert (entry.patient_id, entry.practice_id) == (child.id, None)
    assert "For Rym Boudiaf" in said(as_amina.get("/patient/waitlist"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"starts": "12:00", "until": "09:00"}, "The end must be after the start."),
        ({"first": "2027-03-20", "last": "2027-03-10"}, "The last day must not be before the first."),
        ({"last": "2027-02-01"}, "This day is over."),
        ({"note": "x" * 301}, "at most 300"),
    ],
)
def test_wrong_answers_are_said_and_kept(
    as_amina: Any, dr_benali: Any, el_djazair: Any, wrong: dict[str, str], sentence: str
) -> None:
    about = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
    url = f"/patient/waitlist/join?practice={about['practice_id']}&type={about['visit_type_id']}"
    answer = as_amina.post(url, data=about | {"days": ["3"]} | wrong)
    page = said(answer)
    assert answer.status_code == 422
    assert sentence in page
    assert re.search(r'value="3"[^>]*checked|checked[^>]*value="3"', page)
    assert session().query(WaitlistEntry).count() == 0


def test_the_same_wish_leads_to_the_place_that_stands(
    as_amina: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    about = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
    entry = joining.join(amina.actor, **about)
    keep()
    url = f"/patient/waitlist/join?practice={about['practice_id']}&type={about['visit_type_id']}"
    answer = as_amina.post(url, data=about)
    assert (answer.status_code, answer.location) == (303, f"/patient/waitlist/{entry.id}")


def test_days_and_hours_are_changed_and_emptied(as_amina: Any, amina: Any, visit: Any) -> None:
    windows = [{"weekday": 1, "starts": "08:00", "until": "10:00"}, {"weekday": 3, "starts": "14:00"}]
    entry = joining.join(amina.actor, moves_id=visit.id, windows=windows, note="call me")
    keep()
    page = said(as_amina.get(f"/patient/waitlist/{entry.id}"))
    assert 'value="08:00"' in page and 'value="14:00"' in page
    answer = as_amina.post(f"/patient/waitlist/{entry.id}", data={"starts": "09:00", "note": ""})
    assert answer.status_code == 303
    session().refresh(entry)
    assert entry.windows == [{"weekday": None, "from": "09:00", "until": "00:00"}]
    assert entry.note == ""
    refused = as_amina.post(f"/patient/waitlist/{entry.id}", data={"starts": "09:00", "until": "08:00"})
    assert refused.status_code == 422
    joining.leave(amina.actor, entry.id)
    keep()
    assert as_amina.post(f"/patient/waitlist/{entry.id}", data={}).status_code == 409


def test_leaving_is_one_button_and_said_twice_it_is_refused(as_amina: Any, amina: Any, visit: Any) -> None:
    entry = joining.join(amina.actor, moves_id=visit.id)
    keep()
    assert as_amina.post(f"/patient/waitlist/{entry.id}/leave").location == "/patient/waitlist"
    assert "Left the waitlist" in said(as_amina.get("/patient/waitlist"))
    assert as_amina.post(f"/patient/waitlist/{entry.id}/leave").status_code == 409


def test_home_list_and_notification_lead_to_the_offer_and_yes_moves_the_visit(
    as_amina: Any, offer: Any, visit: Any, mailbox: Any, amina: Any
) -> None:
    url = f"/patient/waitlist/offers/{offer.id}"
    for page in ("/patient/home", "/patient/waitlist"):
        assert url in said(as_amina.get(page)), page
    assert "A time is free: Dr Samira Benali" in said(as_amina.get("/notifications"))
    shown = said(as_amina.get(url))
    assert "We keep this time for you" in shown and 'data-countdown="' in shown
    assert session().get_one(WaitlistOffer, offer.id).state == "open"  # looking changes nothing
    done = as_amina.post(url, data={"answer": "yes"})
    assert done.location == f"/patient/appointments/{visit.id}"
    moved = session().get_one(Appointment, visit.id, populate_existing=True)
    assert moved.starts_at == offer.starts_at
    assert "This time is yours" in said(as_amina.get(url))


def test_no_lets_the_time_go(as_amina: Any, offer: Any, visit: Any) -> None:
    url = f"/patient/waitlist/offers/{offer.id}"
    assert as_amina.post(url, data={"answer": "no"}).location == "/patient/waitlist"
    assert "This offer is over" in said(as_amina.get(url))
    late = as_amina.post(url, data={"answer": "yes"})
    assert late.status_code == 410
    assert "You have said no to this time." in said(late)
    assert "See all free times" in said(late)


def test_an_answer_that_is_none_changes_nothing(as_amina: Any, offer: Any) -> None:
    assert as_amina.post(f"/patient/waitlist/offers/{offer.id}", data={"answer": "perhaps"}).status_code == 422
    assert session().get_one(WaitlistOffer, offer.id, populate_existing=True).state == "open"


def test_an_offer_past_its_time_says_so_and_what_to_do(as_amina: Any, offer: Any, standing_at: Any) -> None:
    with standing_at(offer.expires_at):
        page = said(as_amina.get(f"/patient/waitlist/offers/{offer.id}"))
        assert "the time went to the next person" in page
        assert 'name="answer"' not in page
        fragment = as_amina.get(f"/patient/waitlist/offers/{offer.id}", headers=HTMX)
        assert said(fragment).strip().startswith('<div id="offer"')


def test_somebody_elses_place_and_offer_are_not_there(client: Any, offer: Any, yacine: Any) -> None:
    client.sign_in(yacine)
    entry = session().query(WaitlistEntry).one()
    for url in (f"/patient/waitlist/{entry.id}", f"/patient/waitlist/offers/{offer.id}"):
        assert client.get(url).status_code == 404
        assert client.post(url, data={"answer": "yes"}).status_code == 404
    assert client.post(f"/patient/waitlist/{entry.id}/leave").status_code == 404
    assert client.get(f"/patient/waitlist/join?visit={entry.moves_id}").status_code == 404
    assert client.get(f"/patient/waitlist/join?visit={uuid4()}").status_code == 404
    assert client.get("/patient/waitlist/join?practice=x").status_code == 404


# --- by the link in the message ---


def test_the_message_leads_to_the_offer_after_the_birth_date_and_get_never_answers(
    client: Any, mailbox: Any, offer: Any, visit: Any, amina: Any
) -> None:
    letter = mailbox.text(amina.email)
    assert "Dr Samira Benali" in letter and "10:00" in letter
    link = mailbox.link(amina.email, "/go/").removeprefix("http://localhost")
    asked = client.get(link)
    assert "09:00" not in said(asked)
    proved = client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
    assert proved.status_code == 303
    shown = said(client.get(link))
    assert "Yes, I take it" in shown
    assert session().get_one(WaitlistOffer, offer.id, populate_existing=True).state == "open"
    for _ in range(2):  # pressed twice
        assert client.post(link, data={"answer": "yes"}).status_code == 303
    assert "This time is yours" in said(client.get(link))
    assert session().get_one(Appointment, visit.id, populate_existing=True).starts_at == offer.starts_at


def test_by_link_a_no_and_an_offer_that_is_over(client: Any, mailbox: Any, offer: Any, amina: Any) -> None:
    link = mailbox.link(amina.email, "/go/").removeprefix("http://localhost")
    client.sign_in(amina)  # signed in, nothing is asked
    assert client.post(link, data={"answer": "no"}).status_code == 303
    over = client.post(link, data={"answer": "yes"})
    assert over.status_code == 410
    assert "This offer is over" in said(over)


def test_a_patient_without_an_account_is_written_to_and_answers_by_link(
    client: Any, yacine: Any, nadia: Any, dr_benali: Any, el_djazair: Any, drain: Any, mailbox: Any
) -> None:
    from portal.domain.clinics.models import Clinic
    from tests.builders import register_at

    patient = make_patient(email="meriem@example.dz")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    joining.join(nadia.actor, patient_id=patient.id, **about)
    booking.cancel(yacine.actor, book(yacine, dr_benali, el_djazair.consultation_id, "09:00", 3).id)
    drain()
    link = mailbox.link("meriem@example.dz", "/go/").removeprefix("http://localhost")
    client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
    assert client.post(link, data={"answer": "yes"}).status_code == 303
    booked = session().query(Appointment).filter_by(patient_id=patient.id).one()
    assert booked.status == "confirmed"
    assert session().get_one(Patient, patient.id).user_id is None


def test_the_pages_ask_few_questions_of_the_database(as_amina: Any, offer: Any, visit: Any, statements: Any) -> None:
    pages = ("/patient/waitlist", f"/patient/waitlist/offers/{offer.id}", f"/patient/waitlist/join?visit={visit.id}")
    for url in (*pages, "/patient/home", f"/patient/appointments/{visit.id}"):
        as_amina.get(url)
        with statements() as count:
            as_amina.get(url)
            assert count() <= (14 if url == "/patient/home" else 12), (
                url
            )  # home asks what clinics ask and what can be done, too

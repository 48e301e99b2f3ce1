"""Booking for somebody and everything about a visit at the desk: what forms do, and how a "no" looks."""

from __future__ import annotations

import html
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import (
    HTMX,
    at,
    make_doctor,
    make_patient,
    make_practice,
    make_week,
    register_at,
    working_day,
)
from tests.web.desk.arranging import all_visits, seen_of, sent_of, wish_of

# --- booking ---


def test_booking_takes_three_screens(client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any) -> None:
    client.sign_in(nadia)
    who = client.search("/desk/book", "selma").text
    assert f"/desk/book?patient_id={selma.id}" in who
    when = client.get(f"/desk/book?patient_id={selma.id}&practice_id={dr_benali.practice_id}&from={working_day()}").text
    assert at("09:00").isoformat() in html.unescape(when)
    sent = sent_of(selma, dr_benali, el_djazair)
    confirm = client.get("/desk/book", query_string=sent).text
    assert "Book this visit?" in confirm
    assert "2,500" in confirm
    answer = client.post("/desk/book", data=sent | {"reason": "Back pain"})
    (made,) = all_visits()
    assert answer.location == f"/desk/appointments/{made.id}"
    assert (made.patient_id, made.reason, made.overbooked) == (selma.id, "Back pain", None)


def test_a_type_only_the_desk_books_is_offered_here(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any
) -> None:
    session().get_one(VisitType, el_djazair.consultation_id).bookable_by = "desk"
    keep()
    client.sign_in(nadia)
    about = {"patient_id": selma.id, "practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    page = client.get("/desk/book", query_string={**about, "from": working_day()}).text
    assert "Consultation" in page
    assert at("09:00").isoformat() in html.unescape(page)
    assert client.post("/desk/book", data=sent_of(selma, dr_benali, el_djazair)).status_code == 303


def test_a_typed_time_is_looked_at_on_the_clinic_s_clock(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any
) -> None:
    client.sign_in(nadia)
    about = {"patient_id": selma.id, "practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    page = client.get("/desk/book", query_string={**about, "day": working_day(), "wall": "18:30"}).text
    assert "Book over what is there?" in page
    assert "The doctor does not receive at this time." in page
    wrong = client.get("/desk/book", query_string={**about, "day": "2026-02-31", "wall": "18:30"}).text
    assert "This is no time we could book" in wrong


def test_what_is_booked_over_is_named_and_needs_a_reason(
    client: Any, nadia: Any, visit: Appointment, dr_benali: Any, el_djazair: Any
) -> None:
    other = make_patient(given_name="Karima", family_name="Ould")
    register_at(other, session().get_one(Clinic, el_djazair.clinic_id))
    client.sign_in(nadia)
    sent = sent_of(other, dr_benali, el_djazair)
    page = client.get("/desk/book", query_string=sent).text
    assert "Selma Bensalem" in page
    seen = {"seen": seen_of(page)}
    without = client.post("/desk/book", data=sent | seen)
    assert without.status_code == 422
    assert "Please say why" in without.text
    unseen = client.post("/desk/book", data=sent | {"overbook": "Chest pain"})
    assert unseen.status_code == 409
    assert "Something else is in the way now" in unseen.text
    assert len(all_visits()) == 1
    assert client.post("/desk/book", data=sent | seen | {"overbook": "Chest pain"}).status_code == 303
    made = all_visits()[-1]
    page = client.get(f"/desk/appointments/{made.id}").text
    assert "Overbooked" in page
    assert "Chest pain" in page
    assert "Overbooked" in client.get(f"/desk/patients/{other.id}").text


def test_nobody_is_booked_into_the_past_or_into_two_places(
    client: Any, nadia: Any, visit: Appointment, dr_benali: Any, selma: Patient, el_djazair: Any
) -> None:
    client.sign_in(nadia)
    sent = sent_of(selma, dr_benali, el_djazair)
    page = client.get("/desk/book", query_string=sent).text
    assert "This time cannot be booked" in page
    assert 'name="overbook"' not in page
    answer = client.post("/desk/book", data=sent | {"seen": f"visit:{visit.id},patient_busy", "overbook": "Because"})
    assert answer.status_code == 409
    assert len(all_visits()) == 1


def test_any_doctor_leads_on_with_the_one_whose_turn_it_is(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any, yacine: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    other = make_practice(make_doctor(), clinic)
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    booking.book(
        yacine.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    client.sign_in(nadia)
    page = client.get(f"/desk/book?patient_id={selma.id}").text
    value = f"any:{clinic.id}:cardiology"
    assert value in page
    about = {"patient_id": selma.id, "practice_id": value, "visit_type_id": el_djazair.consultation_id}
    assert at("09:00").isoformat() in html.unescape(
        client.get("/desk/book", query_string={**about, "from": working_day()}).text
    )
    on = client.get("/desk/book", query_string={**about, "starts_at": at("09:00").isoformat()})
    assert str(other.id) in on.location
    gone = client.get("/desk/book", query_string={**about, "starts_at": at("20:00").isoformat()})
    assert gone.status_code == 409


@pytest.mark.parametrize("who", ["kamel", "superadmin"])
def test_other_clinics_patients_and_doctors_do_not_exist(
    client: Any, who: str, selma: Patient, dr_benali: Any, el_djazair: Any, request: pytest.FixtureRequest
) -> None:
    client.sign_in(request.getfixturevalue(who))
    answer = client.post("/desk/book", data=sent_of(selma, dr_benali, el_djazair))
    assert answer.status_code == (303 if who == "superadmin" else 404)


def test_a_doctor_books_with_themselves_only(client: Any, dr_benali: Any, selma: Patient, el_djazair: Any) -> None:
    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    client.sign_in(dr_benali)
    assert f"/doctor/book?patient_id={selma.id}" in client.search("/doctor/book", "selma").text
    sent = sent_of(selma, dr_benali, el_djazair)
    assert client.post("/doctor/book", data=sent | {"practice_id": str(other.id)}).status_code == 404
    answer = client.post("/doctor/book", data=sent)
    (made,) = all_visits()
    assert answer.location == f"/doctor/appointments/{made.id}"


# --- the visit ---


def test_steps_and_cancelling_answer_with_the_visit(
    client: Any, nadia: Any, visit: Appointment, standing_at: Any
) -> None:
    with standing_at(visit.starts_at):
        client.sign_in(nadia)
        answer = client.post(f"/desk/appointments/{visit.id}/check-in", headers=HTMX)
        assert answer.text.lstrip().startswith('<div id="visit"')
        assert "Checked in" in answer.text
        assert client.post(f"/desk/appointments/{visit.id}/check-in").status_code == 409
        assert client.post(f"/desk/appointments/{visit.id}/take-back").status_code == 303
    assert session().get_one(Appointment, visit.id).status == "confirmed"


def test_the_desk_cancels_with_a_reason_in_its_own_words(client: Any, nadia: Any, visit: Appointment) -> None:
    client.sign_in(nadia)
    assert "The doctor is away" in client.get(f"/desk/appointments/{visit.id}").text
    answer = client.post(f"/desk/appointments/{visit.id}/cancel", data={"code": "doctor_away", "version": "1"})
    assert answer.status_code == 303
    assert session().get_one(Appointment, visit.id).status == "cancelled"
    assert client.post(f"/desk/appointments/{visit.id}/cancel", data={"code": "other"}).status_code == 409
    assert client.post(f"/desk/appointments/{visit.id}/cancel", data={"code": "nonsense"}).status_code == 422


def test_a_request_is_confirmed_or_declined_by_the_desk(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any
) -> None:
    wish = wish_of(selma, dr_benali, el_djazair, visit_type_id=el_djazair.follow_up_id)
    first, second = (booking.book(nadia.actor, **{**wish, "starts_at": at(wall)}) for wall in ("10:00", "11:00"))
    keep()
    client.sign_in(nadia)
    assert client.post(f"/desk/appointments/{first.id}/confirm").status_code == 303
    assert client.post(f"/desk/appointments/{second.id}/decline", data={"code": "no_time"}).status_code == 303
    assert client.post(f"/desk/appointments/{second.id}/decline", data={"code": "no_time"}).status_code == 409
    assert [one.status for one in all_visits()] == ["confirmed", "declined"]


def test_a_visit_is_moved_also_to_another_doctor_and_over_another_visit(
    client: Any, nadia: Any, visit: Appointment, el_djazair: Any, dr_benali: Any, yacine: Any
) -> None:
    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    booking.book(yacine.actor, practice_id=other.id, visit_type_id=el_djazair.consultation_id, starts_at=at("10:00"))
    keep()
    client.sign_in(nadia)
    url = f"/desk/appointments/{visit.id}/move"
    page = client.get(url, query_string={"practice_id": other.id, "from": working_day()}).text
    assert at("09:30").isoformat() in html.unescape(page)
    sent = {"practice_id": str(other.id), "starts_at": at("10:00").isoformat(), "version": "1"}
    refused = client.post(url, data=sent)
    assert refused.status_code == 409
    assert "Yacine Meziane" in refused.text
    over = client.post(url, data=sent | {"seen": seen_of(refused.text), "overbook": "Only day possible"})
    assert over.status_code == 303
    moved = session().get_one(Appointment, visit.id)
    assert (moved.practice_id, moved.overbooked, moved.version) == (other.id, "Only day possible", 2)
    back = {"practice_id": str(dr_benali.practice_id), "starts_at": at("10:30").isoformat(), "version": "2"}
    assert client.post(url, data=back).status_code == 303
    assert session().get_one(Appointment, visit.id).overbooked is None
    assert client.post(url, data={"version": "3"}).status_code == 422
    assert client.post(url, data=back | {"version": "1", "starts_at": at("11:00").isoformat()}).status_code == 409


def test_a_typed_time_of_a_move_is_looked_at_first(client: Any, nadia: Any, visit: Appointment) -> None:
    url = f"/desk/appointments/{visit.id}/move"
    page = client.sign_in(nadia).get(url, query_string={"day": working_day(), "wall": "10:00"}).text
    assert "Move to this time?" in page
    assert "This time is not free" not in page

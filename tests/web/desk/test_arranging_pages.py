"""The desk's pages of patients, booking, moving and series: what they show, what their forms do, how a "no" looks."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, series
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import (
    HTMX,
    at,
    make_doctor,
    make_opening,
    make_patient,
    make_practice,
    make_week,
    register_at,
    working_day,
)

MOST_STATEMENTS = 12
WEEK = timedelta(days=7)


@pytest.fixture
def selma(el_djazair: Any) -> Patient:
    """Known at El Djazair, without an account."""
    patient = make_patient(given_name="Selma", family_name="Bensalem", phone="+213550112233")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    return patient


@pytest.fixture
def visit(selma: Patient, nadia: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    made = booking.book(nadia.actor, **_wish(selma, dr_benali, el_djazair))
    keep()
    return made


def _wish(patient: Any, doctor: Any, clinic: Any, wall: str = "09:00", **more: Any) -> dict[str, Any]:
    wanted = {"practice_id": doctor.practice_id, "visit_type_id": clinic.consultation_id, "patient_id": patient.id}
    return {**wanted, "starts_at": at(wall), **more}


def _sent(patient: Any, doctor: Any, clinic: Any, wall: str = "09:00", **more: Any) -> dict[str, str]:
    wish = _wish(patient, doctor, clinic, wall)
    return {**{key: str(value) for key, value in wish.items()}, "starts_at": wish["starts_at"].isoformat(), **more}


def _visits() -> list[Appointment]:
    return list(session().scalars(select(Appointment).order_by(Appointment.created_at, Appointment.id)))


def _seen(page: str) -> str:
    """What the page says was in the way, as its form sends it."""
    return html.unescape(re.search(r'name="seen"[^>]*value="([^"]*)"', page)[1])  # type: ignore[index]


# --- patients ---


def test_the_search_answers_with_a_page_and_while_one_types_with_its_results(
    client: Any, nadia: Any, selma: Patient, visit: Any
) -> None:
    client.sign_in(nadia)
    assert "Type a name" in client.get("/desk/patients").text
    whole = client.get("/desk/patients?q=bensalem").text
    assert "Selma Bensalem" in whole
    assert "Dr Samira Benali" in whole
    part = client.get("/desk/patients?q=selma", headers=HTMX).text
    assert part.lstrip().startswith('<div id="found"')
    assert "Nobody like this" in client.get("/desk/patients?q=karima").text


def test_the_reference_of_a_visit_finds_its_patient(client: Any, nadia: Any, kamel: Any, visit: Appointment) -> None:
    assert "Selma Bensalem" in client.sign_in(nadia).get(f"/desk/patients?q={visit.reference.lower()}").text
    assert "Selma Bensalem" not in client.sign_in(kamel).get(f"/desk/patients?q={visit.reference}").text


def test_a_card_shows_contact_and_visits_here(client: Any, nadia: Any, kamel: Any, visit: Appointment) -> None:
    page = client.sign_in(nadia).get(f"/desk/patients/{visit.patient_id}").text
    for expected in ("+213550112233", "Visits to come", f"/desk/appointments/{visit.id}", "Confirmed"):
        assert expected in page
    assert client.sign_in(kamel).get(f"/desk/patients/{visit.patient_id}").status_code == 404


def test_somebody_new_is_entered_and_shown(client: Any, nadia: Any, el_djazair: Any) -> None:
    client.sign_in(nadia)
    form = client.get("/desk/patients/new?q=Karima+Ould+12/04/1980").text
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
    assert "Please write a telephone number" in answer.text


def test_a_new_patient_leads_on_to_the_booking_that_was_begun(client: Any, nadia: Any, dr_benali: Any) -> None:
    client.sign_in(nadia)
    who = client.get(f"/desk/book?practice_id={dr_benali.practice_id}&q=karima").text
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


def test_contact_is_changed_by_the_desk(client: Any, nadia: Any, selma: Patient) -> None:
    client.sign_in(nadia)
    assert "Selma" in client.get(f"/desk/patients/{selma.id}/edit").text
    sent = {
        "given_name": "Selma",
        "family_name": "Bensalem",
        "sex": "female",
        "phone": "0770 00 00 01",
        "language": "fr",
    }
    assert client.post(f"/desk/patients/{selma.id}/edit", data=sent).status_code == 303
    assert session().get_one(Patient, selma.id).phone == "+213770000001"
    assert client.post(f"/desk/patients/{selma.id}/edit", data=sent | {"phone": "1"}).status_code == 422


# --- booking ---


def test_booking_takes_three_screens(client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any) -> None:
    client.sign_in(nadia)
    who = client.get("/desk/book?q=selma").text
    assert f"/desk/book?patient_id={selma.id}" in who
    when = client.get(f"/desk/book?patient_id={selma.id}&practice_id={dr_benali.practice_id}&from={working_day()}").text
    assert at("09:00").isoformat() in html.unescape(when)
    sent = _sent(selma, dr_benali, el_djazair)
    confirm = client.get("/desk/book", query_string=sent).text
    assert "Book this visit?" in confirm
    assert "2,500" in confirm
    answer = client.post("/desk/book", data=sent | {"reason": "Back pain"})
    (made,) = _visits()
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
    assert client.post("/desk/book", data=_sent(selma, dr_benali, el_djazair)).status_code == 303


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
    sent = _sent(other, dr_benali, el_djazair)
    page = client.get("/desk/book", query_string=sent).text
    assert "Selma Bensalem" in page
    seen = {"seen": _seen(page)}
    without = client.post("/desk/book", data=sent | seen)
    assert without.status_code == 422
    assert "Please say why" in without.text
    unseen = client.post("/desk/book", data=sent | {"overbook": "Chest pain"})
    assert unseen.status_code == 409
    assert "Something else is in the way now" in unseen.text
    assert len(_visits()) == 1
    assert client.post("/desk/book", data=sent | seen | {"overbook": "Chest pain"}).status_code == 303
    made = _visits()[-1]
    page = client.get(f"/desk/appointments/{made.id}").text
    assert "Overbooked" in page
    assert "Chest pain" in page
    assert "Overbooked" in client.get(f"/desk/patients/{other.id}").text


def test_nobody_is_booked_into_the_past_or_into_two_places(
    client: Any, nadia: Any, visit: Appointment, dr_benali: Any, selma: Patient, el_djazair: Any
) -> None:
    client.sign_in(nadia)
    sent = _sent(selma, dr_benali, el_djazair)
    page = client.get("/desk/book", query_string=sent).text
    assert "This time cannot be booked" in page
    assert 'name="overbook"' not in page
    answer = client.post("/desk/book", data=sent | {"seen": f"visit:{visit.id},patient_busy", "overbook": "Because"})
    assert answer.status_code == 409
    assert len(_visits()) == 1


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
    answer = client.post("/desk/book", data=_sent(selma, dr_benali, el_djazair))
    assert answer.status_code == (303 if who == "superadmin" else 404)


def test_a_doctor_books_with_themselves_only(client: Any, dr_benali: Any, selma: Patient, el_djazair: Any) -> None:
    other = make_practice(make_doctor(), session().get_one(Clinic, el_djazair.clinic_id))
    make_week(other, [session().get_one(VisitType, el_djazair.consultation_id)])
    keep()
    client.sign_in(dr_benali)
    assert f"/doctor/book?patient_id={selma.id}" in client.get("/doctor/book?q=selma").text
    sent = _sent(selma, dr_benali, el_djazair)
    assert client.post("/doctor/book", data=sent | {"practice_id": str(other.id)}).status_code == 404
    answer = client.post("/doctor/book", data=sent)
    (made,) = _visits()
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
    wish = _wish(selma, dr_benali, el_djazair, visit_type_id=el_djazair.follow_up_id)
    first, second = (booking.book(nadia.actor, **{**wish, "starts_at": at(wall)}) for wall in ("10:00", "11:00"))
    keep()
    client.sign_in(nadia)
    assert client.post(f"/desk/appointments/{first.id}/confirm").status_code == 303
    assert client.post(f"/desk/appointments/{second.id}/decline", data={"code": "no_time"}).status_code == 303
    assert client.post(f"/desk/appointments/{second.id}/decline", data={"code": "no_time"}).status_code == 409
    assert [one.status for one in _visits()] == ["confirmed", "declined"]


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
    over = client.post(url, data=sent | {"seen": _seen(refused.text), "overbook": "Only day possible"})
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


# --- series and groups ---


def _plan(client: Any, sent: dict[str, str], **more: str) -> Any:
    return client.get("/desk/series", query_string=sent | {"every": "1", "unit": "weeks", "count": "4"} | more)


def test_a_series_is_planned_then_booked_whole(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any, yacine: Any
) -> None:
    taken = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(yacine.actor, **taken, starts_at=at("09:00") + WEEK)
    keep()
    client.sign_in(nadia)
    sent = _sent(selma, dr_benali, el_djazair)
    page = _plan(client, sent).text
    assert "3 of 4 dates are free" in page
    assert "Not free" in page
    chosen = [(at("09:00") + n * WEEK).isoformat() for n in (0, 2, 3)] + [(at("09:30") + WEEK).isoformat(), ""]
    form = sent | {"every": "1", "unit": "weeks", "count": "4", "every_days": "7", "times": chosen}
    answer = client.post("/desk/series", data=form)
    run = [one for one in _visits() if one.series_id]
    assert answer.location == f"/desk/appointments/{run[0].id}"
    assert len(run) == 4
    page = client.get(f"/desk/appointments/{run[1].id}").text
    assert "Visit 2 of 4" in page
    assert "every week" in page


def test_a_series_of_which_one_time_was_lost_is_planned_again(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any, yacine: Any
) -> None:
    client.sign_in(nadia)
    sent = _sent(selma, dr_benali, el_djazair)
    taken = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(yacine.actor, **taken, starts_at=at("09:00") + WEEK)
    keep()
    times = [(at("09:00") + n * WEEK).isoformat() for n in range(3)]
    form = sent | {"every": "1", "unit": "weeks", "count": "3", "every_days": "7", "times": times}
    answer = client.post("/desk/series", data=form)
    assert answer.status_code == 409
    assert "Nothing was booked" in answer.text
    assert "Not free" in answer.text
    assert len(_visits()) == 1


@pytest.mark.parametrize("wrong", [{"count": "99"}, {"every": "0"}, {"unit": "years"}])
def test_what_is_no_series_comes_back_with_a_sentence(
    client: Any, nadia: Any, selma: Patient, dr_benali: Any, el_djazair: Any, wrong: dict[str, str]
) -> None:
    assert _plan(client.sign_in(nadia), _sent(selma, dr_benali, el_djazair), **wrong).status_code == 422


@pytest.fixture
def run(selma: Patient, nadia: Any, dr_benali: Any, el_djazair: Any) -> list[Appointment]:
    wish = _wish(selma, dr_benali, el_djazair)
    del wish["starts_at"]
    times = [at("10:30") + n * WEEK for n in range(4)]
    made = series.book(nadia.actor, **wish, times=times, every_days=7)[1]
    keep()
    return made


@pytest.mark.parametrize(("who", "door"), [("nadia", "desk"), ("dr_benali", "doctor")])
def test_this_and_all_following_are_called_off_together(
    client: Any, who: str, door: str, run: list[Appointment], request: pytest.FixtureRequest
) -> None:
    client.sign_in(request.getfixturevalue(who))
    assert "Also the 2 visits of the series that follow" in client.get(f"/{door}/appointments/{run[1].id}").text
    client.post(f"/{door}/appointments/{run[1].id}/cancel", data={"code": "other", "following": "1"})
    assert [one.status for one in _visits()] == ["confirmed", "cancelled", "cancelled", "cancelled"]


def test_a_patient_calls_off_their_series_from_one_on(
    client: Any, amina: Any, nadia: Any, dr_benali: Any, el_djazair: Any
) -> None:
    patient = session().get_one(Patient, amina.patient_id)
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    wish = _wish(patient, dr_benali, el_djazair)
    wish.pop("starts_at")
    made = series.book(nadia.actor, **wish, times=[at("09:00", 4) + n * WEEK for n in range(3)], every_days=7)[1]
    keep()
    client.sign_in(amina)
    assert "Visit 2 of 3" in client.get(f"/patient/appointments/{made[1].id}").text
    assert (
        "Also the 1 visit of the series that follows" in client.get(f"/patient/appointments/{made[1].id}/cancel").text
    )
    client.post(f"/patient/appointments/{made[1].id}/cancel", data={"code": "no_time", "following": "1"})
    assert [one.status for one in _visits()] == ["confirmed", "cancelled", "cancelled"]


def test_a_group_s_participants_stand_together(
    client: Any, amina: Any, yacine: Any, nadia: Any, dr_benali: Any, el_djazair: Any
) -> None:
    practice = session().get_one(Practice, dr_benali.practice_id)
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    make_opening(practice, [kind], on_date=working_day(), starts="18:00", ends="18:30", capacity=5)
    keep()
    times = client.get(f"/book/{practice.id}/{kind.id}?from={working_day()}").text
    assert "5 places left" in times
    made = [
        booking.book(one.actor, practice_id=practice.id, visit_type_id=kind.id, starts_at=at("18:00"))
        for one in (amina, yacine)
    ]
    keep()
    client.sign_in(nadia)
    page = client.get(f"/desk/appointments/{made[0].id}").text
    assert "Together: 2 of 5" in page
    assert "Yacine Meziane" in page
    assert "Group: 2 of 5" in client.get(f"/desk/?day={working_day()}").text
    client.sign_in(dr_benali)
    assert "2 of 5 places taken" in client.get(f"/doctor/today?day={working_day()}").text
    assert "Yacine Meziane" in client.get(f"/doctor/appointments/{made[0].id}").text


# --- all of them ---


def test_the_pages_take_few_statements(
    client: Any,
    nadia: Any,
    visit: Appointment,
    selma: Patient,
    dr_benali: Any,
    el_djazair: Any,
    statements: Any,
    run: Any,
) -> None:
    client.sign_in(nadia)
    sent = _sent(selma, dr_benali, el_djazair, "11:00")
    query = "&".join(f"{key}={value.replace('+', '%2B')}" for key, value in sent.items())
    about = f"patient_id={selma.id}&practice_id={dr_benali.practice_id}"
    counted = {}
    for path in (
        "/desk/patients?q=selma", f"/desk/patients/{selma.id}", f"/desk/book?{about}", f"/desk/book?{query}",
        f"/desk/appointments/{run[0].id}", f"/desk/appointments/{visit.id}/move", f"/desk/series?{query}",
    ):  # fmt: skip
        with statements() as count:
            assert client.get(path).status_code == 200
        counted[path] = count()
    assert {path: n for path, n in counted.items() if n > MOST_STATEMENTS} == {}


@pytest.mark.parametrize("path", ["/desk/patients", "/desk/patients/new", "/desk/book"])
def test_the_desk_s_pages_are_for_the_desk(
    client: Any, amina: Any, dr_benali: Any, admin: Any, superadmin: Any, el_djazair: Any, path: str
) -> None:
    assert client.get(path).status_code == 303
    for person, status in ((amina, 403), (dr_benali, 403), (admin, 200), (superadmin, 200)):
        assert client.sign_in(person).get(path).status_code == status

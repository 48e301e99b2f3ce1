"""Booking in four screens, without JavaScript: the hold, signing in on the way, refusals, the double click."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.domain.scheduling import booking, holds
from portal.domain.scheduling.models import Appointment, Hold
from tests.builders import PASSWORD, at, make_closure

DETAILS = "/book/details"


def place_of(doctor: Any, kind: Any) -> str:
    return f"/book/{doctor.practice_id}/{kind}"


def hold(client: Any, doctor: Any, clinic: Any, moment: datetime | None = None) -> Any:
    """Choose a time, as the button of the picker does."""
    chosen = (moment or at("09:00")).isoformat()
    return client.post(place_of(doctor, clinic.consultation_id), data={"starts_at": chosen})


def form_of(page: str) -> dict[str, str]:
    """What the details form would send: its hidden fields."""
    found = re.findall(r'<input id="\w+" name="(\w+)" type="hidden" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


def send(client: Any, **more: str) -> Any:
    return client.post(DETAILS, data=form_of(client.get(DETAILS).text) | more)


def booked() -> list[Appointment]:
    session().expire_all()
    return list(session().scalars(select(Appointment)))


def test_screen_one_says_the_policy_in_words(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    page = client.get(f"/book/{dr_benali.practice_id}").text
    for shown in (
        "Step 1 of 4",
        "Consultation",
        "30 minutes",
        "Confirmed at once.",
        "The doctor confirms your request",
    ):
        assert shown in page
    assert place_of(dr_benali, el_djazair.follow_up_id) in page


def test_a_full_waiting_room_is_shown_the_way_to_sign_in_and_back(
    client: Any, new_client: Any, dr_benali: Any, el_djazair: Any, amina: Any
) -> None:
    for number, wall in enumerate(("08:00", "08:30", "09:00")):
        assert hold(new_client(), dr_benali, el_djazair, at(wall, 2 + number)).status_code == 303
    refused = hold(client, dr_benali, el_djazair, at("10:00"))
    assert refused.status_code == 409
    assert "Please sign in to hold this one" in refused.text
    (link,) = re.findall(r'<p><a href="(/account/sign-in[^"]+)">', refused.text)
    entered = client.post(unescape(link), data={"email": amina.email, "password": PASSWORD})
    assert "Take this time" in client.get(entered.location).text
    assert hold(client, dr_benali, el_djazair, at("10:00")).status_code == 303


def test_a_time_held_before_signing_in_is_the_accounts_afterwards(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any
) -> None:
    hold(client, dr_benali, el_djazair)
    client.post("/account/sign-in", data={"email": amina.email, "password": PASSWORD})
    held = session().scalars(select(Hold)).one()
    assert (held.user_id, held.place) == (amina.user_id, None)


def test_the_whole_walk_of_a_stranger_with_an_account(client: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    answer = hold(client, dr_benali, el_djazair)
    assert (answer.status_code, answer.location) == (303, DETAILS)
    page = client.get(DETAILS).text
    assert "Please sign in to go on" in page
    assert "/account/sign-in?next=/book/details" in page
    assert "/account/register?next=/book/details" in page
    assert "data-countdown=" in page
    signed = client.post(
        "/account/sign-in?next=/book/details", data={"email": amina.email, "password": PASSWORD, "next": DETAILS}
    )
    assert (signed.status_code, signed.location) == (303, DETAILS)
    done = send(client, reason="A cough")
    assert done.status_code == 303
    (made,) = booked()
    assert (made.patient_id, made.reason, made.status) == (amina.patient_id, "A cough", "confirmed")
    assert done.location == f"/book/done/{made.id}"
    page = client.get(done.location).text
    for shown in ("Your visit is booked", made.reference, "calendar.ics", "You can move or cancel it online until"):
        assert shown in page
    assert session().scalars(select(Hold)).all() == []


def test_what_the_doctor_confirms_is_a_request(client: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    client.sign_in(amina)
    client.post(place_of(dr_benali, el_djazair.follow_up_id), data={"starts_at": at("09:00").isoformat()})
    page = client.get(send(client).location).text
    assert "Your request is sent" in page
    assert "15 minutes before it begins" in page


def test_a_held_time_is_not_offered_to_others(client: Any, new_client: Any, dr_benali: Any, el_djazair: Any) -> None:
    hold(client, dr_benali, el_djazair)
    answer = hold(new_client(), dr_benali, el_djazair)
    assert answer.status_code == 409
    assert "This time has just been taken" in answer.text
    assert 'id="others' in answer.text or 'class="slots-times"' in answer.text


def test_choosing_again_gives_the_first_time_back(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    hold(client, dr_benali, el_djazair)
    hold(client, dr_benali, el_djazair, at("10:00"))
    held = session().scalars(select(Hold)).all()
    assert [one.starts_at for one in held] == [at("10:00")]


def test_a_double_click_books_once(client: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    client.sign_in(amina)
    hold(client, dr_benali, el_djazair)
    sent = form_of(client.get(DETAILS).text) | {"reason": "Twice"}
    first, second = client.post(DETAILS, data=sent), client.post(DETAILS, data=sent)
    assert len(booked()) == 1
    assert (second.status_code, second.location) == (first.status_code, first.location)


def test_an_expired_hold_is_still_booked_when_nobody_took_the_time(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any, standing_at: Any
) -> None:
    client.sign_in(amina)
    hold(client, dr_benali, el_djazair)
    sent = form_of(client.get(DETAILS).text)
    with standing_at(clock.now() + timedelta(minutes=30)):
        gone = client.get(DETAILS)
        assert gone.status_code == 410
        assert "is free again" in gone.text
        assert 'name="other"' in gone.text
        assert client.post(DETAILS, data=sent).status_code == 303
    assert len(booked()) == 1


def test_an_expired_and_taken_time_offers_others_and_keeps_what_was_typed(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any, yacine: Any, standing_at: Any
) -> None:
    client.sign_in(amina)
    hold(client, dr_benali, el_djazair)
    sent = form_of(client.get(DETAILS).text) | {"reason": "Words I do not want to type again"}
    with standing_at(clock.now() + timedelta(minutes=30)):
        booking.book(
            yacine.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at("09:00"),
        )
        keep()
        answer = client.post(DETAILS, data=sent)
        assert answer.status_code == 409
        assert "Words I do not want to type again" in answer.text
        other = re.findall(r'name="other" value="([^"]+)"', answer.text)
        assert other
        held = client.post(DETAILS, data=sent | {"other": unescape(other[0])})
        assert held.status_code == 200
        assert "Words I do not want to type again" in held.text
        assert client.post(DETAILS, data=form_of(held.text) | {"reason": "Again"}).status_code == 303
    assert {one.patient_id for one in booked()} == {amina.patient_id, yacine.patient_id}


def test_an_unverified_address_is_asked_for_first(client: Any, dr_benali: Any, el_djazair: Any, lina: Any) -> None:
    client.sign_in(lina)
    hold(client, dr_benali, el_djazair)
    page = client.get(DETAILS).text
    assert "Please confirm your e-mail address first" in page
    assert 'action="/account/resend"' in page
    sent = {
        "practice_id": str(dr_benali.practice_id),
        "visit_type_id": str(el_djazair.consultation_id),
        "starts_at": at("09:00").isoformat(),
    }
    answer = client.post(DETAILS, data=sent)
    assert answer.status_code == 403
    assert "Please confirm your e-mail address first" in answer.text
    assert booked() == []


@pytest.mark.parametrize("who", ["dr_benali", "nadia", "superadmin"])
def test_who_is_no_patient_reads_why(
    client: Any, dr_benali: Any, el_djazair: Any, who: str, request: pytest.FixtureRequest
) -> None:
    client.sign_in(request.getfixturevalue(who))
    hold(client, dr_benali, el_djazair)
    assert "has no patient profile" in client.get(DETAILS).text
    sent = {
        "practice_id": str(dr_benali.practice_id),
        "visit_type_id": str(el_djazair.consultation_id),
        "starts_at": at("09:00").isoformat(),
    }
    assert client.post(DETAILS, data=sent).status_code == 403
    assert booked() == []


def test_nobody_books_for_somebody_else_by_a_hidden_field(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any, yacine: Any
) -> None:
    client.sign_in(amina)
    hold(client, dr_benali, el_djazair)
    assert send(client, patient_id=str(yacine.patient_id), status="completed").status_code == 404
    assert booked() == []
    send(client, patient_id=str(amina.patient_id), status="completed")
    (made,) = booked()
    assert (made.patient_id, made.status) == (amina.patient_id, "confirmed")


def test_an_overlong_reason_is_a_sentence_and_keeps_the_words(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any
) -> None:
    client.sign_in(amina)
    hold(client, dr_benali, el_djazair)
    answer = send(client, reason="word " * 120)
    assert answer.status_code == 422
    assert "This is too long: at most 500 characters." in answer.text
    assert "word word word" in answer.text
    assert booked() == []


@pytest.mark.parametrize("chosen", ["", "yesterday", "2026-13-45", "9", "2026-11-23T09:00:00"])
def test_a_time_that_is_none_is_a_sentence(client: Any, dr_benali: Any, el_djazair: Any, chosen: str) -> None:
    answer = client.post(place_of(dr_benali, el_djazair.consultation_id), data={"starts_at": chosen})
    assert answer.status_code == 422
    assert "Please choose one of the times." in answer.text


def test_past_and_closed_times_are_refused_with_a_sentence(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    past = hold(client, dr_benali, el_djazair, at("09:00") - timedelta(days=7))
    assert past.status_code == 409
    assert "This time has passed." in past.text
    make_closure(at("08:00"), at("12:00"), doctor_id=dr_benali.doctor_id)
    away = hold(client, dr_benali, el_djazair)
    assert away.status_code == 409
    assert "The doctor is away at this time." in away.text


def test_details_without_a_hold_lead_back_to_the_doctors(client: Any, amina: Any) -> None:
    assert client.get(DETAILS).location == "/doctors"
    client.sign_in(amina)
    assert client.post(DETAILS, data={"reason": "x"}).status_code == 404
    assert client.post(DETAILS, data={"practice_id": "x", "visit_type_id": "y", "starts_at": "z"}).status_code == 404


def test_posting_details_as_a_stranger_leads_to_signing_in(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    hold(client, dr_benali, el_djazair)
    assert client.post(DETAILS, data={"reason": "x"}).location == DETAILS


@pytest.mark.parametrize(
    "address",
    [
        "/book/nonsense",
        "/book/00000000-0000-0000-0000-000000000000",
        "/book/00000000-0000-0000-0000-000000000000/00000000-0000-0000-0000-000000000000",
    ],
)
def test_what_cannot_be_booked_is_not_found(client: Any, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("written", ["nonsense", "2026-11-23T09:00:00", "0001-01-01T00:00:00+00:00", ""])
def test_a_time_in_the_address_that_is_none_is_left_out(
    client: Any, dr_benali: Any, el_djazair: Any, written: str
) -> None:
    page = client.get(place_of(dr_benali, el_djazair.consultation_id), query_string={"at": written})
    assert page.status_code == 200
    assert "Take this time" not in page.text


def test_a_card_that_was_too_old_says_so(client: Any, dr_benali: Any, el_djazair: Any) -> None:
    holds.place(
        client_actor(),
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00"),
    )
    page = client.get(
        place_of(dr_benali, el_djazair.consultation_id), query_string={"at": at("09:00").isoformat()}
    ).text
    assert "is not free any more" in page


def test_only_its_patient_sees_the_last_screen(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any, yacine: Any
) -> None:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    address = f"/book/done/{made.id}"
    assert client.get(address).status_code == 303
    assert client.sign_in(amina).get(address).status_code == 200
    assert client.sign_in(yacine).get(address).status_code == 404


def test_the_limit_of_the_clinic_is_said(client: Any, dr_benali: Any, el_djazair: Any, amina: Any) -> None:
    for wall in ("08:00", "08:30", "09:00"):
        booking.book(
            amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at(wall)
        )
    client.sign_in(amina)
    hold(client, dr_benali, el_djazair, at("10:00"))
    answer = send(client, reason="One more")
    assert answer.status_code == 409
    assert "as many upcoming visits of this type" in answer.text
    assert "One more" in answer.text


def test_each_screen_takes_few_statements(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any, statements: Any
) -> None:
    client.sign_in(amina)
    hold(client, dr_benali, el_djazair)
    for address in (f"/book/{dr_benali.practice_id}", place_of(dr_benali, el_djazair.consultation_id), DETAILS):
        with statements() as count:
            assert client.get(address).status_code == 200
        assert count() <= 12, address


def test_every_form_carries_its_token(
    client: Any, dr_benali: Any, el_djazair: Any, amina: Any, with_csrf: None
) -> None:
    assert hold(client, dr_benali, el_djazair).status_code == 400
    page = client.get(place_of(dr_benali, el_djazair.consultation_id)).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    sent = {"starts_at": at("09:00").isoformat(), "csrf_token": token.group(1)}
    assert client.post(place_of(dr_benali, el_djazair.consultation_id), data=sent).status_code == 303


def client_actor() -> Any:
    """Somebody else, not signed in."""
    from portal.core.actor import NOBODY

    return NOBODY

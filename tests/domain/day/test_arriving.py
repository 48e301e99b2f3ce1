"""Patients who say themselves that they are here."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from portal.core.actor import NOBODY
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Gone, NotFound, TooMany
from portal.core.events import Event
from portal.domain.clinics.models import Clinic
from portal.domain.day import arriving
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import at

BORN = date(1990, 5, 17)
STRANGER = NOBODY.at("web", "10.0.0.9")


@pytest.fixture
def clinic(el_djazair: Any) -> Clinic:
    return session().get_one(Clinic, el_djazair.clinic_id)


def visit(key: Any) -> Appointment:
    return session().get_one(Appointment, key)


@pytest.mark.parametrize(
    ("wall", "code"),
    [("07:59", "too_early"), ("08:00", None), ("09:00", None), ("10:00", None), ("10:01", "ask_desk")],
)
def test_a_patient_checks_in_around_the_time_of_the_visit(
    booked: Any, amina: Any, standing_at: Any, wall: str, code: str | None
) -> None:
    with standing_at(at(wall)):
        if code is None:
            assert arriving.arrive(amina.actor, booked.amina).queue_number == 1
        else:
            with pytest.raises(Conflict) as no:
                arriving.arrive(amina.actor, booked.amina)
            assert no.value.code == code


def test_saying_it_twice_keeps_the_number(booked: Any, amina: Any, standing_at: Any) -> None:
    with standing_at(at("08:50")):
        first = arriving.arrive(amina.actor, booked.amina)
        number, since = first.queue_number, first.checked_in_at
    with standing_at(at("08:55")):
        again = arriving.arrive(amina.actor, booked.amina)
    assert (again.queue_number, again.checked_in_at) == (number, since)


@pytest.mark.parametrize(("who", "refusal"), [("yacine", NotFound), ("nadia", Forbidden), ("dr_benali", Forbidden)])
def test_only_the_patient_says_i_am_here(request: Any, booked: Any, standing_at: Any, who: str, refusal: Any) -> None:
    with standing_at(at("09:00")), pytest.raises(refusal):
        arriving.arrive(request.getfixturevalue(who).actor, booked.amina)


def test_a_video_visit_has_no_arrival(amina: Any, dr_benali: Any, el_djazair: Any, standing_at: Any) -> None:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.follow_up_id, starts_at=at("10:00")
    )
    booking.confirm(dr_benali.actor, made.id)
    with standing_at(at("10:00")), pytest.raises(Conflict) as no:
        arriving.arrive(amina.actor, made.id)
    assert no.value.code == "not_in_person"


def test_who_was_given_up_is_sent_to_the_desk(booked: Any, amina: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("09:10")):
        visits.mark_no_show(nadia.actor, booked.amina)
        with pytest.raises(Conflict) as no:
            arriving.arrive(amina.actor, booked.amina)
    assert no.value.code == "ask_desk"


def test_reference_and_birth_date_are_enough_without_an_account(booked: Any, clinic: Clinic, standing_at: Any) -> None:
    reference = visit(booked.amina).reference
    with standing_at(at("08:50")):
        made = arriving.arrive_by_reference(
            STRANGER, clinic, reference=f" {reference[:4]} {reference[4:].lower()}", birth_date=BORN
        )
        keep()
    assert (made.id, made.queue_number) == (booked.amina, 1)
    event = session().query(Event).filter_by(subject_id=booked.amina, name="appointment.checked_in").one()
    assert (event.door, event.actor_id, event.address) == ("link", None, "10.0.0.9")


@pytest.mark.parametrize("wrong", ["reference", "birth date", "clinic", "day"])
def test_whatever_is_wrong_the_answer_is_the_same(
    booked: Any, clinic: Clinic, wahran: Any, standing_at: Any, wrong: str
) -> None:
    place = session().get_one(Clinic, wahran.clinic_id) if wrong == "clinic" else clinic
    reference = "AAAAAAAAA" if wrong == "reference" else visit(booked.amina).reference
    born = date(1990, 5, 18) if wrong == "birth date" else BORN
    moment = at("08:50") - timedelta(days=1) if wrong == "day" else at("08:50")
    with standing_at(moment), pytest.raises(arriving.NobodyLikeThis):
        arriving.arrive_by_reference(STRANGER, place, reference=reference, birth_date=born)


def test_references_are_not_tried_out(booked: Any, clinic: Clinic, with_limits: Any, standing_at: Any) -> None:
    with standing_at(at("08:50")):
        for day in range(1, 6):
            with pytest.raises(arriving.NobodyLikeThis):
                arriving.arrive_by_reference(
                    STRANGER, clinic, reference=visit(booked.amina).reference, birth_date=date(1980, 1, day)
                )
        with pytest.raises(TooMany):
            arriving.arrive_by_reference(STRANGER, clinic, reference=visit(booked.amina).reference, birth_date=BORN)


def test_those_who_are_found_are_not_counted(
    booked: Any, clinic: Clinic, with_limits: Any, standing_at: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(arriving, "PER_PLACE", "2 per 10 minute")
    reference = visit(booked.amina).reference
    with standing_at(at("08:50")):
        for _ in range(8):
            arriving.arrive_by_reference(STRANGER, clinic, reference=reference, birth_date=BORN)
        for refusal in (arriving.NobodyLikeThis, arriving.NobodyLikeThis, TooMany):
            with pytest.raises(refusal):
                arriving.arrive_by_reference(STRANGER, clinic, reference="222222222", birth_date=BORN)


def test_the_sign_of_one_clinic_opens_nothing_at_another(clinic: Clinic, wahran: Any) -> None:
    other = session().get_one(Clinic, wahran.clinic_id)
    arriving.read_sign(clinic, arriving.sign_of(clinic))
    for sign in (arriving.sign_of(other), "", "é"):
        with pytest.raises(Gone):
            arriving.read_sign(clinic, sign)


def test_a_ticket_tells_the_number_and_the_place_and_grows_old(booked: Any, amina: Any, yacine: Any, standing_at: Any):
    with standing_at(at("08:50")):
        ticket = arriving.ticket(arriving.arrive(amina.actor, booked.amina))
        behind = arriving.ticket(arriving.arrive(yacine.actor, booked.yacine))
        first, second = (arriving.standing(arriving.by_ticket(one)) for one in (ticket, behind))
    assert (first.number, first.before, second.number, second.before) == (1, 0, 2, 1)
    assert first.wait is not None
    assert second.wait is not None
    assert first.wait.high <= second.wait.high
    with pytest.raises(Gone):
        arriving.by_ticket(ticket + "x")


def test_the_patients_own_page_follows_the_visit(
    booked: Any, amina: Any, nadia: Any, dr_benali: Any, standing_at: Any
) -> None:
    def stands() -> arriving.Standing:
        return arriving.seen_by(amina.actor, arriving.appointments.find(amina.actor, booked.amina))

    with standing_at(at("08:30")):
        assert stands().may_arrive
        visits.check_in(nadia.actor, booked.amina)
        assert (stands().is_waiting, stands().is_called, stands().before) == (True, False, 0)
        visits.call(nadia.actor, booked.amina)
        assert stands().is_called
        visits.start(dr_benali.actor, booked.amina)
        assert stands().is_inside
        visits.complete(dr_benali.actor, booked.amina)
        assert not stands().changes


def test_who_only_looks_is_offered_no_button(booked: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("08:30")):
        seen = arriving.seen_by(nadia.actor, arriving.appointments.find(nadia.actor, booked.amina))
    assert not seen.may_arrive


def test_the_sign_finds_todays_visits_of_whoever_is_signed_in(
    booked: Any, amina: Any, nadia: Any, clinic: Clinic, standing_at: Any
) -> None:
    with standing_at(at("08:30")):
        assert [one.id for one in arriving.today_at(amina.actor, clinic)] == [booked.amina]
        assert arriving.today_at(nadia.actor, clinic) == []

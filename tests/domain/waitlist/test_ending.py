"""Places on the waitlist end by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.core.db import session
from portal.domain.scheduling import booking
from portal.domain.waitlist import ending, entries
from tests.builders import ALGIERS, at
from tests.domain.waitlist.conftest import NOON, offers, open_offers

pytestmark = pytest.mark.usefixtures("noon")


def state_of(entry) -> str:
    session().refresh(entry)
    return entry.state


def test_after_its_last_day_a_place_is_over(join, amina, drain, standing_at):
    entry = join(amina, last="2027-03-05")
    with standing_at(NOON + timedelta(days=4)):
        assert ending.end_passed() == 0
    with standing_at(NOON + timedelta(days=5)):
        assert ending.end_passed() == 1
        assert ending.end_passed() == 0
    assert state_of(entry) == "over"


def test_booking_it_oneself_ends_the_wait_and_frees_what_was_offered(join, book, amina, yacine, drain):
    entry, second = join(amina), join(yacine)
    booking.cancel(yacine.actor, book(yacine, "09:00").id)
    drain()
    assert [offer.entry_id for offer in open_offers()] == [entry.id]
    visit = book(amina, "11:00")
    drain()
    assert (state_of(entry), entry.appointment_id) == ("booked", visit.id)
    assert [(offer.entry_id, offer.state) for offer in offers()] == [(entry.id, "void"), (second.id, "open")]


def test_booking_another_type_or_doctor_ends_nothing(join, book, amina, drain, el_djazair, dr_haddad, wahran):
    entry = join(amina)
    book(amina, visit_type_id=el_djazair.follow_up_id)
    book(amina, "10:00", practice_id=dr_haddad.practice_id, visit_type_id=wahran.consultation_id)
    drain()
    assert state_of(entry) == "waiting"


def test_booking_ends_the_wait_for_any_doctor_but_not_the_one_for_an_earlier_time(join, book, amina, drain):
    visit = book(amina, "15:00", 3)
    drain()
    earlier, any_ = join(amina, moves_id=visit.id), join(amina, any_doctor=True)
    book(amina, "09:00", 3)
    drain()
    assert (state_of(any_), state_of(earlier)) == ("booked", "waiting")


def test_calling_the_visit_off_ends_the_wait_for_an_earlier_time(join, book, amina, drain):
    visit = book(amina, ahead=7)
    entry = join(amina, moves_id=visit.id)
    booking.cancel(amina.actor, visit.id)
    drain()
    assert state_of(entry) == "over"
    assert offers() == []


def test_when_the_visit_has_come_the_wait_is_over(join, book, amina, standing_at):
    visit = book(amina, ahead=7)
    entry = join(amina, moves_id=visit.id)
    with standing_at(visit.starts_at - timedelta(minutes=1)):
        assert ending.end_passed() == 0
    with standing_at(visit.starts_at):
        assert ending.end_passed() == 1
    assert state_of(entry) == "over"


def test_moving_the_visit_oneself_leaves_the_wait_for_one_still_earlier(join, book, amina, drain):
    visit = book(amina, ahead=7)
    entry = join(amina, moves_id=visit.id)
    booking.reschedule(amina.actor, visit.id, starts_at=at("09:00", 5))
    drain()
    assert state_of(entry) == "waiting"


def test_ended_places_stand_below_the_waiting_ones(join, book, amina, drain):
    visit = book(amina, ahead=7)
    join(amina, moves_id=visit.id)
    booking.cancel(amina.actor, visit.id)
    drain()
    waiting = join(amina)
    assert [place.entry.state for place in entries.mine(amina.actor)] == ["waiting", "over"]
    assert entries.mine(amina.actor)[0].entry.id == waiting.id
    assert waiting.first == NOON.astimezone(ALGIERS).date()

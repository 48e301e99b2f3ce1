"""Calendar feeds: neutral, whoever has the address, until it is ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Invalid, NotFound, TooMany
from portal.core.events import Event
from portal.domain.identity.models import User
from portal.domain.patients.models import Delegation
from portal.domain.scheduling import booking, calendars, feeds
from portal.domain.scheduling.feeds import NothingToShow, TooManyFeeds
from portal.domain.scheduling.planning import CalendarFeed
from tests.builders import at


@pytest.fixture
def visit(amina, dr_benali, el_djazair):
    return booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", 5),
        reason="a private matter",
    )


@pytest.mark.parametrize(("who", "whose"), [("amina", "patient"), ("dr_benali", "doctor")])
def test_a_feed_shows_when_and_where_and_nothing_else(visit, who, whose, request):
    token = feeds.make(request.getfixturevalue(who).actor, whose)
    content = feeds.read(token).content
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert event["SUMMARY"] == "Appointment"
    assert event.decoded("DTSTART") == visit.starts_at
    assert b"TZID" not in content
    assert "Clinique El Djazair" in event["LOCATION"]
    for told in (b"private", b"Benali", b"Amina", b"Boudiaf", b"Consultation", b"cardio", b"Cardio"):
        assert told not in content


def test_the_same_visit_is_the_same_event_in_every_calendar(visit, amina):
    feed = Calendar.from_ical(feeds.read(feeds.make(amina.actor, "patient")).content).walk("VEVENT")[0]
    assert feed["UID"] == f"{visit.id}@portal"
    assert int(feed["SEQUENCE"]) == 0


def test_a_move_and_a_cancellation_show_and_change_the_mark(visit, amina):
    token = feeds.make(amina.actor, "patient")
    first = feeds.read(token)
    assert feeds.read(token) == first
    booking.reschedule(amina.actor, visit.id, starts_at=at("11:00", 5))
    moved = feeds.read(token)
    assert moved.etag != first.etag
    event = Calendar.from_ical(moved.content).walk("VEVENT")[0]
    assert (int(event["SEQUENCE"]), event.decoded("DTSTART")) == (1, at("11:00", 5))
    booking.cancel(amina.actor, visit.id)
    event = Calendar.from_ical(feeds.read(token).content).walk("VEVENT")[0]
    assert (event["STATUS"], event["TRANSP"], int(event["SEQUENCE"])) == ("CANCELLED", "TRANSPARENT", 2)
    assert event.walk("VALARM") == []


def test_a_carers_feed_shows_those_they_care_for_now(visit, amina, yacine):
    token = feeds.make(yacine.actor, "patient")
    assert _count(token) == 0
    care = Delegation(
        patient_id=amina.patient_id, user_id=yacine.user_id, relation="spouse", scopes=["view"],
        starts_on=clock.today(clock.home()),
    )  # fmt: skip
    session().add(care)
    assert _count(token) == 1
    care.ended_at = clock.now()
    assert _count(token) == 0


def test_a_stranger_sees_nothing_of_it(visit, yacine, dr_haddad):
    assert _count(feeds.make(yacine.actor, "patient")) == 0
    assert _count(feeds.make(dr_haddad.actor, "doctor")) == 0


def test_an_ended_feed_is_dead_at_once(visit, amina):
    token = feeds.make(amina.actor, "patient")
    feeds.end(amina.actor, feeds.mine(amina.actor)[0].id)
    with pytest.raises(NotFound):
        feeds.read(token)
    assert feeds.mine(amina.actor) == []


def test_nobody_ends_somebody_elses(amina, yacine):
    feeds.make(amina.actor, "patient")
    with pytest.raises(NotFound):
        feeds.end(yacine.actor, feeds.mine(amina.actor)[0].id)


def test_a_shut_account_has_no_feed(visit, amina):
    token = feeds.make(amina.actor, "patient")
    session().get_one(User, amina.user_id).deactivated_at = clock.now()
    with pytest.raises(NotFound):
        feeds.read(token)


@pytest.mark.parametrize("token", ["", "guess", "x" * 500, "\x00"])
def test_a_guess_finds_nothing(token, amina):
    feeds.make(amina.actor, "patient")
    with pytest.raises(NotFound):
        feeds.read(token)


def test_the_token_is_not_kept(amina):
    token = feeds.make(amina.actor, "patient")
    keep()
    row = session().scalars(select(CalendarFeed)).one()
    event = session().scalars(select(Event).where(Event.name == "calendar_feed.made")).one()
    assert token not in row.fingerprint + str(event.facts)
    assert len(token) >= 32


@pytest.mark.parametrize(
    ("who", "whose", "refusal"),
    [("nadia", "patient", NothingToShow), ("amina", "doctor", NothingToShow), ("amina", "everybody", Invalid)],
)
def test_who_has_nothing_to_show_gets_no_feed(who, whose, refusal, request):
    with pytest.raises(refusal):
        feeds.make(request.getfixturevalue(who).actor, whose)


def test_five_are_enough(amina):
    for _ in range(5):
        feeds.make(amina.actor, "patient")
    with pytest.raises(TooManyFeeds):
        feeds.make(amina.actor, "patient")


def test_a_program_that_asks_all_the_time_is_slowed_down(amina, with_limits, monkeypatch):
    monkeypatch.setattr(feeds, "PER_FEED", "2 per hour")
    token = feeds.make(amina.actor, "patient")
    feeds.read(token)
    feeds.read(token)
    with pytest.raises(TooMany):
        feeds.read(token)


def test_reading_says_when_it_was_read_but_does_not_write_each_time(amina, standing_at):
    token = feeds.make(amina.actor, "patient")
    now = clock.now()
    with standing_at(now):
        feeds.read(token)
    with standing_at(now + timedelta(minutes=5)):
        feeds.read(token)
        assert feeds.mine(amina.actor)[0].read_at == now
    with standing_at(now + timedelta(minutes=11)):
        feeds.read(token)
        assert feeds.mine(amina.actor)[0].read_at > now


def test_a_feed_costs_a_fixed_number_of_statements(amina, dr_benali, el_djazair, statements):
    for wall in ("09:00", "10:00", "11:00"):
        booking.book(
            amina.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall, 5),
        )
    token = feeds.make(amina.actor, "patient")
    keep()
    with statements() as count:
        feeds.read(token)
        assert count() <= 3


def test_the_file_of_one_visit_needs_no_zone_described_beside_it(visit):
    content = calendars.ics(_whole(visit))
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    assert b"TZID" not in content
    assert event.decoded("DTSTART") == visit.starts_at
    assert event["CLASS"] == "PRIVATE"
    assert calendar["METHOD"] == "PUBLISH"
    assert b"private matter" not in content


def _whole(visit):
    from portal.domain.notifications import words

    return words.appointment(visit.id)


def _count(token):
    keep()
    return len(Calendar.from_ical(feeds.read(token).content).walk("VEVENT"))

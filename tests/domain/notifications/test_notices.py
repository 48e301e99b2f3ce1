"""Who is told what, once, in their language, and never what is not so any more."""

from __future__ import annotations

import pytest
from icalendar import Calendar
from sqlalchemy import select

from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.core.tasks import Task
from portal.domain.identity.models import User
from portal.domain.notifications import inbox
from portal.domain.notifications.models import Delivery, Notification
from portal.domain.scheduling import booking
from tests.builders import at


@pytest.fixture
def booked(amina, dr_benali, el_djazair):
    """A function that books for Amina."""

    def book(wall="09:00", **more):
        return booking.book(
            amina.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=more.pop("visit_type_id", el_djazair.consultation_id),
            starts_at=at(wall),
            **more,
        )

    return book


def test_a_booking_is_confirmed_by_mail_and_in_the_app_to_both(booked, mailbox, amina, dr_benali):
    made = booked(reason="a private matter")
    patient = mailbox.latest(amina.email)
    assert made.reference in mailbox.text(amina.email)
    assert dr_benali.name.split()[-1] in mailbox.text(amina.email)
    assert "private matter" not in patient.as_string()
    assert len(mailbox.to(dr_benali.email)) == 1
    assert [line.kind for line in inbox.mine(amina.actor)] == ["appointment.booked"]
    assert [line.kind for line in inbox.mine(dr_benali.actor)] == ["doctor.booked"]


def test_the_confirmation_carries_a_calendar_file(booked, mailbox, amina):
    made = booked()
    event = _calendar(mailbox.latest(amina.email)).walk("VEVENT")[0]
    assert event["UID"] == f"{made.id}@portal"
    assert event.decoded("DTSTART") == made.starts_at
    assert int(event["SEQUENCE"]) == 0


def test_a_move_keeps_the_uid_and_raises_the_sequence(booked, mailbox, amina):
    made = booked()
    mailbox.all()
    booking.reschedule(amina.actor, made.id, starts_at=at("10:00"))
    event = _calendar(mailbox.latest(amina.email)).walk("VEVENT")[0]
    assert (event["UID"], int(event["SEQUENCE"])) == (f"{made.id}@portal", 1)
    assert event.decoded("DTSTART") == at("10:00")


def test_a_cancellation_takes_it_out_of_the_calendar(booked, mailbox, amina):
    made = booked()
    mailbox.all()
    booking.cancel(amina.actor, made.id)
    calendar = _calendar(mailbox.latest(amina.email))
    assert calendar["METHOD"] == "CANCEL"
    assert calendar.walk("VEVENT")[0]["STATUS"] == "CANCELLED"


def test_running_every_task_again_tells_nobody_twice(booked, drain, mailbox, amina):
    booked()
    drain()
    for task in session().scalars(select(Task)):
        task.state = "waiting"
    keep()
    assert len(mailbox.to(amina.email)) == 1
    assert session().scalars(select(Notification.kind).where(Notification.user_id == amina.user_id)).all() == [
        "appointment.booked"
    ]


def test_a_visit_cancelled_before_the_worker_came_is_not_confirmed(booked, mailbox, amina):
    made = booked()
    booking.cancel(amina.actor, made.id)
    kinds = [line.kind for line in _lines(mailbox, amina)]
    assert kinds == ["appointment.cancelled"]
    assert len(mailbox.to(amina.email)) == 1


def test_of_two_moves_only_the_last_is_told(booked, mailbox, amina):
    made = booked()
    booking.reschedule(amina.actor, made.id, starts_at=at("10:00"))
    booking.reschedule(amina.actor, made.id, starts_at=at("11:00"))
    assert [line.kind for line in _lines(mailbox, amina)] == ["appointment.moved"]
    assert "11:00" in mailbox.text(amina.email)


def test_a_request_is_told_as_one_and_its_answer_too(booked, mailbox, amina, dr_benali, el_djazair):
    made = booked(visit_type_id=el_djazair.follow_up_id)
    mailbox.all()
    booking.confirm(dr_benali.actor, made.id)
    kinds = [line.kind for line in _lines(mailbox, amina)]
    assert sorted(kinds) == ["appointment.confirmed", "appointment.requested"]


def test_a_decline_says_why(booked, mailbox, amina, dr_benali, el_djazair):
    made = booked(visit_type_id=el_djazair.follow_up_id)
    booking.decline(dr_benali.actor, made.id, code="needs_other_visit")
    assert "Another type of visit is needed." in mailbox.text(amina.email)


def test_the_doctor_who_does_it_is_not_told_of_it(booked, drain, amina, dr_benali):
    made = booked()
    drain()
    booking.cancel(dr_benali.actor, made.id, code="doctor_away")
    drain()
    assert [line.kind for line in inbox.mine(dr_benali.actor)] == ["doctor.booked"]


@pytest.mark.parametrize(("locale", "direction"), [("en", "ltr"), ("fr", "ltr"), ("ar", "rtl")])
def test_mail_is_in_the_readers_language(booked, mailbox, amina, locale, direction):
    session().get_one(User, amina.user_id).locale = locale
    booked()
    html = mailbox.latest(amina.email).get_body(("html",)).get_content()
    assert f'lang="{locale}"' in html and f'dir="{direction}"' in html


def test_whoever_is_deactivated_gets_nothing(booked, mailbox, amina):
    booked()
    session().get_one(User, amina.user_id).deactivated_at = at("08:00", -10)
    assert mailbox.to(amina.email) == []


def test_a_mail_server_that_fails_is_tried_again_and_tells_once(booked, drain, mailbox, amina, app, monkeypatch):
    box = app.extensions["portal.mail"]
    really = box.send
    monkeypatch.setattr(box, "send", lambda message: (_ for _ in ()).throw(OSError("away")))
    booked()
    drain()
    waiting = session().scalars(select(Task).where(Task.name == "notifications.delivery.deliver")).all()
    assert waiting and all(
        task.state == "waiting" and task.attempts == 1 and task.last_error.endswith("OSError") for task in waiting
    )
    assert set(session().scalars(select(Delivery.state))) == {"waiting"}
    monkeypatch.setattr(box, "send", really)
    for task in waiting:
        task.due_at = at("08:00", -10)
    assert len(mailbox.to(amina.email)) == 1
    assert set(session().scalars(select(Delivery.state))) == {"sent"}


def test_the_inbox_counts_marks_and_is_ones_own(booked, drain, amina, yacine):
    booked()
    drain()
    actor = amina.actor
    assert inbox.unread_count(actor) == 1
    line = inbox.mine(actor).items[0]
    with pytest.raises(NotFound):
        inbox.mark_read(yacine.actor, line.id)
    inbox.mark_read(actor, line.id)
    assert inbox.unread_count(actor) == 0
    assert inbox.mine(actor, is_read=False).items == []


def test_marking_all_read_leaves_other_peoples_alone(booked, drain, amina, dr_benali):
    booked()
    drain()
    inbox.mark_all_read(amina.actor)
    assert (inbox.unread_count(amina.actor), inbox.unread_count(dr_benali.actor)) == (0, 1)


def _lines(mailbox, person):
    mailbox.all()
    return inbox.mine(person.actor).items


def _calendar(message):
    part = next(one for one in message.walk() if one.get_content_type() == "text/calendar")
    return Calendar.from_ical(part.get_payload(decode=True))

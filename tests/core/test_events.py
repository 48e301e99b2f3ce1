"""What happened is written with the change, or not at all; tests/core/test_seals.py has what becomes of it."""

from __future__ import annotations

from sqlalchemy import select

from portal.core import clock, events
from portal.core.actor import Actor
from portal.core.db import keep, new_id, session, undo
from portal.core.events import Event, history, record

SOMEBODY = Actor(user_id=new_id(), door="web", address="192.0.2.7")


def test_an_event_says_who_did_what_to_whom_by_which_door(database):
    record(SOMEBODY, "thing.done", patient_id=(patient := new_id()), code="better", nothing=None)
    keep()
    event = _event()
    assert (event.name, event.actor_id, event.door, event.address) == (
        "thing.done",
        SOMEBODY.user_id,
        "web",
        "192.0.2.7",
    )
    assert event.patient_id == patient
    assert event.facts == {"code": "better"}


def test_an_event_is_written_with_the_change_or_not_at_all(database):
    record(SOMEBODY, "thing.done")
    undo()
    keep()
    assert _event() is None


def test_times_and_lists_among_the_facts_are_kept_as_plain_values(database):
    moment, one = clock.now(), new_id()
    record(SOMEBODY, "thing.done", was=moment, ids=[one], on=True)
    keep()
    assert _event().facts == {"was": moment.isoformat(), "ids": [str(one)], "on": True}


def test_events_come_back_latest_first(database, amina):
    from portal.domain.identity.models import User

    user = session().get_one(User, amina.user_id)
    for name in ("a.first", "b.second", "c.third"):
        record(SOMEBODY, name, user)
    keep()
    assert [event.name for event in history(user)] == ["c.third", "b.second", "a.first"]


def test_what_follows_from_an_event_is_queued_with_it(database):
    from portal.core.tasks import Task
    from portal.domain.notifications import notices

    before = dict(events._subscribers)
    events.subscribe({"thing.done": (notices.appointment_booked,)})
    try:
        event_id = record(SOMEBODY, "thing.done")
        keep()
    finally:
        events.subscribe(before)
    queued = session().scalars(select(Task)).one()
    assert queued.name == "notifications.notices.appointment_booked"
    assert queued.args == [str(event_id), None]


def _event(name: str | None = None) -> Event | None:
    statement = select(Event) if name is None else select(Event).where(Event.name == name)
    return session().scalars(statement).one_or_none()

"""The audit log keeps what was written, and shows when it was tampered with."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from portal.core import clock, events
from portal.core.actor import Actor
from portal.core.db import keep, new_id, session, undo
from portal.core.events import Event, EventSeal, history, record, seal, verify

KEY = b"the key of these tests"
SOMEBODY = Actor(user_id=new_id(), door="web", address="192.0.2.7")


@pytest.fixture
def sealed(database):
    """Three seals over three events each."""
    for batch in range(3):
        for number in range(3):
            record(SOMEBODY, f"thing.done_{batch}_{number}", number=number)
        keep()
        assert seal(KEY) == 3
        keep()
    assert list(verify(KEY)) == []


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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET name = 'other'",
        "UPDATE events SET seal_id = NULL",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE event_seals SET digest = ''",
        "DELETE FROM event_seals",
        "TRUNCATE event_seals",
    ],
)
def test_the_database_refuses_to_change_or_remove(sealed, statement):
    with pytest.raises(DBAPIError, match="append-only"), session().begin_nested():
        session().execute(text(statement))
    assert list(verify(KEY)) == []


def test_sealing_again_adds_nothing(sealed):
    assert seal(KEY) == 0


def test_a_chain_read_with_another_key_does_not_hold(sealed):
    assert len(list(verify(b"another key"))) == 3


def test_an_edited_event_is_found(sealed):
    _tamper("UPDATE events SET facts = '{\"number\": 7}' WHERE name = 'thing.done_1_1'")
    assert list(verify(KEY)) == ["An event under seal 2 is not as it was written."]


def test_a_deleted_event_is_found(sealed):
    _tamper("DELETE FROM events WHERE name = 'thing.done_1_1'")
    assert list(verify(KEY)) == ["Seal 2 closes over 3 events, 2 are there."]


def test_an_event_slipped_in_is_found(sealed):
    _tamper(
        "INSERT INTO events (id, created_at, name, subject_type, facts, door, seal_id)"
        " SELECT gen_random_uuid(), created_at, 'thing.invented', '', '{}', 'web', seal_id FROM events"
        " WHERE name = 'thing.done_0_0'"
    )
    assert list(verify(KEY)) == ["Seal 1 closes over 3 events, 4 are there."]


def test_reordered_events_are_found(sealed):
    first, second = (_event(f"thing.done_1_{number}").seq for number in (0, 1))
    _tamper("ALTER TABLE events ALTER COLUMN seq DROP IDENTITY")
    for was, becomes in ((first, -1), (second, first), (-1, second)):
        _tamper(f"UPDATE events SET seq = {becomes} WHERE seq = {was}")
    assert list(verify(KEY)) == ["An event under seal 2 is not as it was written."]


def test_events_moved_between_seals_are_found(sealed):
    ids = list(session().scalars(select(EventSeal.id).order_by(EventSeal.number)))
    _tamper(f"UPDATE events SET seal_id = '{ids[2]}' WHERE name = 'thing.done_0_2'")
    assert len(list(verify(KEY))) == 2


def test_a_piece_cut_out_of_the_middle_is_found(sealed):
    middle = session().scalar(select(EventSeal.id).where(EventSeal.number == 2))
    _tamper(f"DELETE FROM events WHERE seal_id = '{middle}'")
    _tamper("DELETE FROM event_seals WHERE number = 2")
    said = list(verify(KEY))
    assert said[0] == "Seal 2 is missing."
    assert "An event under seal 3 is not as it was written." in said


def test_a_removed_seal_whose_events_stay_is_found(sealed):
    _tamper("DELETE FROM event_seals WHERE number = 3")
    assert list(verify(KEY)) == ["3 events carry a seal that does not exist."]


def test_no_number_is_given_by_hand(database):
    with pytest.raises(ProgrammingError, match="seq"), session().begin_nested():
        session().execute(
            text(
                "INSERT INTO events (id, created_at, seq, name, subject_type, facts, door)"
                " VALUES (gen_random_uuid(), now(), 1, 'x', '', '{}', 'web')"
            )
        )


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


def _tamper(statement: str) -> None:
    """As somebody with power over the database would."""
    for table in ("events", "event_seals"):
        session().execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    session().execute(text(statement))
    session().expire_all()

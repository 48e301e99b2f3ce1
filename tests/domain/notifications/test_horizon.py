"""Nothing is passed over: one reads only as far as every smaller number is there or can never come."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from portal.core.db import db, session
from portal.domain.notifications.horizon import Watch

DRAW = text(
    "INSERT INTO events (id, created_at, name, subject_type, facts, door, key_id, mac)"
    " VALUES (uuidv7(), now(), 'test.drawn', '', '{}', 'task', '0', '0') RETURNING seq"
)


@pytest.fixture
def others(committed):
    """A function that opens a transaction of somebody else's, with a number of its own as every change has."""
    opened = []

    def begin():
        connection = db.engine.connect()
        opened.append(connection)
        connection.execute(text("SELECT pg_current_xact_id()"))
        return connection

    yield begin
    for connection in opened:
        connection.close()


def look(watch):
    found = watch.look()
    session().rollback()
    return found


def settled(watch):
    """A look once the other databases' transactions of this moment are over: the server counts theirs as well."""
    until = time.monotonic() + 90
    while (found := look(watch)).more and time.monotonic() < until:
        time.sleep(0.2)
    return found


def draw(connection):
    return connection.execute(DRAW).scalar_one()


def test_what_is_there_without_a_gap_is_read_at_once(others) -> None:
    watch, one = Watch(), others()
    first, second = draw(one), draw(one)
    one.commit()
    assert second == first + 1
    found = look(watch)
    assert (found.upto, found.more) == (second, False)


def test_a_number_kept_late_is_waited_for_and_never_passed_over(others) -> None:
    watch, slow, quick = Watch(), others(), others()
    look(watch)
    early, late = draw(slow), draw(quick)
    quick.commit()
    for _ in range(3):
        found = look(watch)
        assert found.upto < early
        assert found.more
    slow.commit()
    assert look(watch).upto == late


def test_a_number_that_was_undone_holds_nobody_up(others) -> None:
    watch, undone, quick, bystander = Watch(), others(), others(), others()
    look(watch)
    draw(undone)
    late = draw(quick)
    quick.commit()
    assert look(watch).upto < late
    undone.rollback()
    bystander.commit()
    found = settled(watch)
    assert (found.upto, found.more) == (late, False)


def test_a_gap_waits_only_for_who_was_there_when_it_was_seen(others) -> None:
    watch, undone, quick = Watch(), others(), others()
    look(watch)
    draw(undone)
    late = draw(quick)
    quick.commit()
    assert look(watch).more
    newcomer = others()  # begins after the gap was seen, and so cannot fill it
    undone.rollback()
    assert settled(watch).upto == late
    later = draw(newcomer)
    newcomer.commit()
    assert look(watch).upto == later


def test_a_second_gap_behind_the_first_is_waited_for_too(others) -> None:
    watch, one, two, three, four = Watch(), others(), others(), others(), others()
    look(watch)
    first, second = draw(one), draw(two)
    two.commit()
    assert look(watch).upto < first  # the first gap is seen
    third, fourth = draw(three), draw(four)
    four.commit()
    assert look(watch).upto < first
    one.commit()
    assert look(watch).upto == second
    three.commit()
    assert look(watch).upto == fourth
    assert third < fourth


def test_a_long_history_is_not_read_again(others, monkeypatch) -> None:
    monkeypatch.setattr("portal.domain.notifications.horizon.LOOKBACK", 3)
    one = others()
    last = [draw(one) for _ in range(10)][-1]
    one.commit()
    assert look(Watch()).upto == last


def test_numbers_that_began_anew_are_followed(committed, others) -> None:
    watch, one = Watch(), others()
    watch._known = 1_000_000
    last = draw(one)
    one.commit()
    assert look(watch).upto == last

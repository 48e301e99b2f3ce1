"""What happened since: who is told of what, from where one may go on, and that nothing comes twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.core import clock
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.core.errors import Invalid
from portal.domain.notifications import stream
from portal.domain.notifications.horizon import Watch
from portal.domain.patients.models import Delegation
from portal.domain.scheduling import booking
from tests.builders import actor_of, at


@pytest.fixture
def start(database, ground, monkeypatch):
    """The position before anything of the test; numbers that tests before it drew and undid leave no gap."""
    monkeypatch.setattr(stream, "watch", Watch())
    seen = "SELECT seq FROM events UNION SELECT seq FROM notifications"
    last = database.execute(text(f"SELECT coalesce(max(seq), 0) + 1 FROM ({seen}) AS seen")).scalar_one()
    here = database.execute(text("SELECT current_database()")).scalar_one()
    ground.administer(f"SELECT setval('events_seq_seq', {last}, false)", here)  # the portal itself may not
    keep()
    return stream.begin(None)


@pytest.fixture
def book(dr_benali, el_djazair):
    def book(person, wall="09:00", **more):
        made = booking.book(
            person.actor,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall, 3),
            **more,
        )
        keep()
        return made

    return book


def types(actor, start):
    return [one.type for one in stream.since(actor, start).items]


def test_a_visit_is_told_to_patient_doctor_and_desk_and_nobody_else(
    book, start, amina, yacine, dr_benali, dr_haddad, nadia, kamel, superadmin
) -> None:
    visit = book(amina)
    for person in (amina, dr_benali, nadia, superadmin):
        [told] = stream.since(person.actor, start).items
        assert (told.type, told.subject_id, told.version, told.status) == (
            "appointment.booked", visit.id, 1, "confirmed",
        )  # fmt: skip
    for person in (yacine, dr_haddad, kamel):
        assert types(person.actor, start) == []


def test_whoever_looks_after_the_patient_hears_it_as_long_as_they_do(book, start, amina, yacine) -> None:
    visit = book(amina)
    made = Delegation(
        patient_id=amina.patient_id, user_id=yacine.user_id, relation="parent", scopes=["view"],
        starts_on=clock.today(clock.home()),
    )  # fmt: skip
    session().add(made)
    keep()
    assert [one.subject_id for one in stream.since(yacine.actor, start).items] == [visit.id]
    made.ended_at = clock.now()
    keep()
    assert types(yacine.actor, start) == []


def test_a_notification_is_told_to_its_reader_alone(book, start, amina, dr_benali, drain) -> None:
    visit = book(amina)
    drain()
    [told] = [one for one in stream.since(amina.actor, start).items if one.type == "notification.added"]
    assert (told.notice, told.about_type, told.about_id, told.status) == (
        "appointment.booked", "appointment", visit.id, "unread",
    )  # fmt: skip
    others = stream.since(dr_benali.actor, start).items
    assert told.subject_id not in {one.subject_id for one in others}


def test_without_the_scope_of_appointments_only_notifications_come(book, start, amina, drain) -> None:
    book(amina)
    drain()
    narrow = replace(amina.actor, scopes=frozenset({"notifications:read"}))
    assert set(types(narrow, start)) == {"notification.added"}


def test_everything_comes_once_in_order_however_small_the_steps(book, start, amina, drain, monkeypatch) -> None:
    visit = book(amina)
    booking.reschedule(amina.actor, visit.id, starts_at=at("10:00", 3))
    keep()
    drain()
    booking.cancel(amina.actor, visit.id, code="mistake")
    keep()
    drain()
    whole = stream.since(amina.actor, start).items
    assert [one.seq for one in whole] == sorted({one.seq for one in whole})
    assert {"appointment.booked", "appointment.moved", "appointment.cancelled"} < {one.type for one in whole}
    for most in (1, 2):
        monkeypatch.setattr(stream, "AT_ONCE", most)
        position, seen, more = start, [], True
        while more:
            batch = stream.since(amina.actor, position)
            assert batch.position > position
            seen += batch.items
            position, more = batch.position, batch.more
        assert seen == whole


def test_a_long_way_is_gone_in_steps(book, start, amina, monkeypatch) -> None:
    book(amina)
    monkeypatch.setattr(stream, "AT_MOST", 1)
    position, seen, more = start, [], True
    while more:
        batch = stream.since(amina.actor, position)
        seen, position, more = [*seen, *batch.items], batch.position, batch.more
    assert [one.type for one in seen] == ["appointment.booked"]


def test_after_the_last_there_is_nothing(book, start, amina) -> None:
    book(amina)
    end = stream.since(amina.actor, start).position
    assert stream.since(amina.actor, end) == stream.Batch([], end)
    assert stream.begin(str(end)) == end


@pytest.mark.parametrize("wrong", ["x", "-1", "1.5", "１", "9" * 19, " 1"])
def test_an_id_that_is_none_is_refused(start, wrong) -> None:
    with pytest.raises(Invalid):
        stream.begin(wrong)


def test_an_id_of_the_future_cannot_be_gone_on_from(start) -> None:
    with pytest.raises(stream.CannotResume):
        stream.begin(str(start + 1_000_000))


def test_one_may_go_on_for_a_week(book, start, amina) -> None:
    book(amina)
    with standing_at(clock.now() + stream.KEPT - timedelta(minutes=1)):
        assert stream.begin(str(start)) == start
    with standing_at(clock.now() + stream.KEPT + timedelta(minutes=1)):
        with pytest.raises(stream.CannotResume):
            stream.begin(str(start))
        end = stream.since(amina.actor, start).position
        assert stream.begin(str(end)) == end  # nothing was missed, however long ago


def test_one_listens_where_one_s_visits_are_told(amina, dr_benali, nadia, superadmin, el_djazair) -> None:
    assert stream.channels(amina.actor) == [f"user:{amina.user_id}", f"patient:{amina.patient_id}"]
    assert f"doctor:{dr_benali.doctor_id}" in stream.channels(dr_benali.actor)
    assert stream.channels(nadia.actor) == [f"user:{nadia.user_id}", f"clinic:{el_djazair.clinic_id}"]
    assert stream.channels(superadmin.actor) == [f"user:{superadmin.user_id}", "clinic:*"]
    assert actor_of(amina.user_id) == amina.actor

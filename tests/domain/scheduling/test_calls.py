"""The call list: whom the desk calls, what came of it, and what is not worth a call any more."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.core.events import Event
from portal.domain.scheduling import booking, calls
from portal.domain.scheduling.calls import AlreadyCalled
from tests.builders import at


@pytest.fixture
def visit(amina, dr_benali, el_djazair):
    return booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", 5),
    )


@pytest.fixture
def asked(visit):
    """A function that asks for a call about the visit, or about nothing."""

    def ask(code="reminder_failed", key="k", *, about=True):
        calls.ask(
            clinic_id=visit.clinic_id,
            patient_id=visit.patient_id,
            code=code,
            key=key,
            appointment_id=visit.id if about else None,
        )
        keep()

    return ask


def test_the_same_call_is_asked_for_once(asked, nadia):
    asked()
    asked()
    assert len(calls.waiting(nadia.actor)) == 1
    assert calls.waiting_count(nadia.actor) == 1


def test_each_desk_sees_its_own_calls(asked, nadia, kamel, admin, superadmin, amina, dr_benali):
    asked()
    seen = {one.name: len(calls.waiting(one.actor)) for one in (nadia, kamel, admin, superadmin, amina, dr_benali)}
    assert [seen[one.name] for one in (nadia, admin, superadmin)] == [1, 1, 1]
    assert [seen[one.name] for one in (kamel, amina, dr_benali)] == [0, 0, 0]


def test_a_call_that_reached_somebody_is_off_the_list(asked, nadia):
    asked()
    item = calls.waiting(nadia.actor)[0]
    calls.close(nadia.actor, item.id, outcome="reached", note="comes")
    assert calls.waiting(nadia.actor) == []
    (done,) = calls.just_done(nadia.actor)
    assert (done.outcome, done.note, done.tries, done.done_by) == ("reached", "comes", 1, nadia.user_id)


def test_no_answer_leaves_it_to_be_tried_again_and_keeps_the_note(asked, nadia):
    asked()
    item = calls.waiting(nadia.actor)[0]
    calls.close(nadia.actor, item.id, outcome="no_answer", note="after five")
    calls.close(nadia.actor, item.id, outcome="no_answer")
    (again,) = calls.waiting(nadia.actor)
    assert (again.tries, again.note, again.done_at) == (2, "after five", None)


def test_a_call_that_is_not_needed_counts_as_no_try(asked, nadia):
    asked()
    item = calls.close(nadia.actor, calls.waiting(nadia.actor)[0].id, outcome="not_needed")
    assert (item.tries, item.done_at is None) == (0, False)


def test_two_at_the_desk_do_not_both_end_it(asked, nadia, admin):
    asked()
    item = calls.waiting(nadia.actor)[0]
    calls.close(nadia.actor, item.id, outcome="reached")
    with pytest.raises(AlreadyCalled):
        calls.close(admin.actor, item.id, outcome="not_needed")


def test_a_mistake_is_put_back_on_the_list(asked, nadia):
    asked()
    item = calls.waiting(nadia.actor)[0]
    calls.close(nadia.actor, item.id, outcome="reached")
    calls.reopen(nadia.actor, item.id)
    calls.reopen(nadia.actor, item.id)
    keep()
    assert [one.id for one in calls.waiting(nadia.actor)] == [item.id]
    assert len(session().scalars(select(Event).where(Event.name == "call.reopened")).all()) == 1


def test_another_clinics_call_does_not_exist(asked, nadia, kamel):
    asked()
    item = calls.waiting(nadia.actor)[0]
    for verb in (
        lambda: calls.close(kamel.actor, item.id, outcome="reached"),
        lambda: calls.reopen(kamel.actor, item.id),
    ):
        with pytest.raises(NotFound):
            verb()


def test_a_reminder_nobody_needs_any_more_is_not_called_about(asked, nadia, amina, visit):
    asked()
    asked("message_failed", "other")
    booking.cancel(amina.actor, visit.id)
    assert [one.code for one in calls.waiting(nadia.actor)] == ["message_failed"]
    assert calls.waiting_count(nadia.actor) == 1


def test_the_audit_says_what_came_of_it_and_not_the_note(asked, nadia):
    asked()
    calls.close(nadia.actor, calls.waiting(nadia.actor)[0].id, outcome="reached", note="a private matter")
    keep()
    event = session().scalars(select(Event).where(Event.name == "call.made")).one()
    assert event.facts == {"outcome": "reached", "tries": 1, "code": "reminder_failed"}


def test_a_list_of_many_is_read_in_one_statement(asked, nadia, statements):
    for number in range(5):
        asked(key=str(number), about=number % 2 == 0)
    actor = nadia.actor
    with statements() as count:
        found = calls.waiting(actor)
        assert {one.patient.name for one in found} == {"Amina Boudiaf"}
        assert count() == 1

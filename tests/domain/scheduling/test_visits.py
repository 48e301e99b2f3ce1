"""The day of a visit: who may take which step when, and what each leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.actor import SYSTEM
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.domain.scheduling import appointments, booking, visits
from portal.domain.scheduling.models import Appointment, Occupancy
from tests.builders import at

DAYS = {"check_in": visits.check_in, "start": visits.start, "complete": visits.complete, "no_show": visits.mark_no_show}
ALL_STATES = {
    "pending": [],
    "confirmed": ["check_in", "no_show"],
    "checked_in": ["start", "no_show"],
    "in_progress": ["complete"],
    "completed": [],
    "cancelled": [],
    "declined": [],
    "no_show": ["check_in"],
}


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Appointment:
    """Amina comes to Dr Benali at nine."""
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    return made


def test_a_visit_goes_from_confirmed_to_completed_step_by_step(visit: Any, dr_benali: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        assert visits.check_in(dr_benali.actor, visit.id).status == "checked_in"
        assert visits.start(dr_benali.actor, visit.id).status == "in_progress"
        done = visits.complete(dr_benali.actor, visit.id)
    assert (done.status, done.ended_by, done.ended_at) == ("completed", "doctor", at("09:05"))


def test_every_step_is_an_event_with_who_did_it(visit: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        for step in (visits.check_in, visits.start, visits.complete):
            step(nadia.actor, visit.id)
    keep()
    found = session().execute(
        select(Event.name, Event.actor_id).where(Event.subject_id == visit.id).order_by(Event.seq)
    )
    names = [row.name for row in found if row.actor_id == nadia.user_id]
    assert names == ["appointment.checked_in", "appointment.started", "appointment.completed"]


def test_the_time_of_a_visit_that_took_place_stays_used(visit: Any, dr_benali: Any, standing_at: Any) -> None:
    mine = select(func.count()).where(Occupancy.appointment_id == visit.id)
    before = session().scalar(mine)
    with standing_at(at("09:05")):
        visits.mark_no_show(dr_benali.actor, visit.id)
    assert before and session().scalar(mine) == before


@pytest.mark.parametrize("state", ALL_STATES)
@pytest.mark.parametrize("step", DAYS)
def test_a_step_from_the_wrong_state_is_a_conflict_that_names_the_state(
    visit: Any, dr_benali: Any, standing_at: Any, state: str, step: str
) -> None:
    visit.status = state
    session().flush()
    with standing_at(at("09:05")):
        if step in ALL_STATES[state]:
            DAYS[step](dr_benali.actor, visit.id)
        else:
            with pytest.raises(Conflict) as no:
                DAYS[step](dr_benali.actor, visit.id)
            assert no.value.code == "wrong_state"
            assert no.value.facts["state"] == state


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("dr_benali", None), ("nadia", None), ("admin", None), ("superadmin", None), ("amina", Forbidden),
        ("yacine", NotFound), ("dr_haddad", NotFound), ("kamel", NotFound),
    ],
)  # fmt: skip
def test_the_doctor_and_the_clinics_people_take_steps_and_nobody_else(
    request: Any, visit: Any, standing_at: Any, who: str, refusal: Any
) -> None:
    person = request.getfixturevalue(who)
    with standing_at(at("09:05")):
        if refusal is None:
            assert visits.check_in(person.actor, visit.id).status == "checked_in"
        else:
            with pytest.raises(refusal):
                visits.check_in(person.actor, visit.id)


def test_the_portal_itself_may_take_a_step(visit: Any, standing_at: Any) -> None:
    with standing_at(at("10:00")):
        assert visits.mark_no_show(SYSTEM, visit.id).ended_by == "system"


def test_nobody_is_checked_in_on_an_earlier_day(visit: Any, nadia: Any) -> None:
    with pytest.raises(Conflict) as no:
        visits.check_in(nadia.actor, visit.id)
    assert no.value.code == "too_early"


def test_nobody_did_not_come_before_the_time_of_the_visit(visit: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("08:59")), pytest.raises(Conflict) as no:
        visits.mark_no_show(nadia.actor, visit.id)
    assert no.value.code == "too_early"


def test_a_wrong_click_is_taken_back_on_the_same_day(visit: Any, dr_benali: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        visits.mark_no_show(dr_benali.actor, visit.id)
        assert visits.can_be_taken_back(visit)
        back = visits.take_back(dr_benali.actor, visit.id)
    assert (back.status, back.ended_at, back.ended_by) == ("confirmed", None, None)


def test_yesterdays_step_is_not_taken_back(visit: Any, dr_benali: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        visits.check_in(dr_benali.actor, visit.id)
    with standing_at(at("09:05") + timedelta(days=1)), pytest.raises(Conflict) as no:
        visits.take_back(dr_benali.actor, visit.id)
    assert no.value.code == "too_late"


def test_a_confirmed_visit_has_no_step_to_take_back(visit: Any, dr_benali: Any) -> None:
    with pytest.raises(Conflict) as no:
        visits.take_back(dr_benali.actor, visit.id)
    assert no.value.code == "wrong_state"


def test_the_next_steps_are_those_that_would_be_taken(visit: Any, amina: Any, standing_at: Callable[..., Any]) -> None:
    visit = appointments.find(amina.actor, visit.id)
    assert visits.next_steps(visit) == []
    with standing_at(at("08:30")):
        assert visits.next_steps(visit) == ["check_in"]
    with standing_at(at("09:05")):
        assert visits.next_steps(visit) == ["check_in", "mark_no_show"]


def test_each_step_writes_when_it_was_and_undo_takes_it_away(visit: Any, nadia: Any, standing_at: Any) -> None:
    who, early, nine = nadia.actor, at("08:55"), at("09:00")
    with standing_at(early):
        here = visits.check_in(who, visit.id)
        assert (here.checked_in_at, here.queue_number) == (early, 1)
        visits.move_to_front(who, visit.id, code="our_mistake")
        assert visits.call(who, visit.id).called_at == early
    with standing_at(nine):
        assert visits.start(who, visit.id).started_at == nine
        visits.complete(who, visit.id)
        back = visits.take_back(who, visit.id)
        assert (back.status, back.ended_at, back.started_at) == ("in_progress", None, nine)
        back = visits.take_back(who, visit.id)
        assert (back.status, back.started_at, back.called_at) == ("checked_in", None, early)
        back = visits.take_back(who, visit.id)
        assert (back.status, back.called_at, back.queue_number) == ("checked_in", None, 1)
        back = visits.take_back(who, visit.id)
    assert (back.status, back.checked_in_at, back.queue_number, back.is_urgent) == ("confirmed", None, None, False)


def test_numbers_count_up_through_the_clinics_day_and_begin_anew(
    visit: Any, yacine: Any, nadia: Any, dr_benali: Any, el_djazair: Any, standing_at: Any
) -> None:
    kind = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    today = booking.book(yacine.actor, starts_at=at("10:00"), **kind)
    later = booking.book(yacine.actor, starts_at=at("10:00", 9), **kind)
    with standing_at(at("08:55")):
        assert visits.check_in(nadia.actor, today.id).queue_number == 1
        assert visits.check_in(nadia.actor, visit.id).queue_number == 2
    with standing_at(at("09:55", 9)):
        assert visits.check_in(nadia.actor, later.id).queue_number == 1


def test_a_patient_who_left_and_comes_back_keeps_the_number(visit: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        visits.check_in(nadia.actor, visit.id)
        visits.mark_no_show(nadia.actor, visit.id)
    with standing_at(at("09:20")):
        here = visits.check_in(nadia.actor, visit.id)
    assert (here.status, here.queue_number, here.checked_in_at) == ("checked_in", 1, at("09:20"))


def test_undoing_a_no_show_leads_back_to_where_it_came_from(visit: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        visits.check_in(nadia.actor, visit.id)
        visits.mark_no_show(nadia.actor, visit.id)
        assert visits.take_back(nadia.actor, visit.id).status == "checked_in"


def test_a_visit_missed_on_an_earlier_day_is_not_checked_in(visit: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("09:30")):
        visits.mark_no_show(nadia.actor, visit.id)
    with standing_at(at("09:30") + timedelta(days=1)), pytest.raises(Conflict) as no:
        visits.check_in(nadia.actor, visit.id)
    assert no.value.code == "too_late"


def test_sending_back_needs_somebody_who_was_called_or_seen(visit: Any, dr_benali: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        visits.check_in(dr_benali.actor, visit.id)
        with pytest.raises(Conflict):
            visits.send_back(dr_benali.actor, visit.id)
        visits.start(dr_benali.actor, visit.id)
        back = visits.send_back(dr_benali.actor, visit.id)
    assert (back.status, back.called_at, back.started_at) == ("checked_in", None, None)


def test_going_first_needs_a_reason_and_is_an_event(visit: Any, nadia: Any, standing_at: Any) -> None:
    with standing_at(at("09:05")):
        visits.check_in(nadia.actor, visit.id)
        with pytest.raises(Invalid):
            visits.move_to_front(nadia.actor, visit.id, code="headache")
        assert visits.move_to_front(nadia.actor, visit.id, code="short_matter").is_urgent
        assert not visits.move_from_front(nadia.actor, visit.id).is_urgent
    keep()
    facts = session().scalars(
        select(Event.facts).where(Event.subject_id == visit.id, Event.name == "appointment.moved_to_front")
    )
    assert facts.one()["code"] == "short_matter"


@pytest.mark.parametrize("step", ["call", "send_back", "move_to_front", "move_from_front", "take_back"])
@pytest.mark.parametrize(("who", "refusal"), [("amina", Forbidden), ("yacine", NotFound), ("kamel", NotFound)])
def test_nobody_else_touches_the_queue(
    request: Any, visit: Any, nadia: Any, standing_at: Any, step: str, who: str, refusal: Any
) -> None:
    with standing_at(at("09:05")):
        visits.check_in(nadia.actor, visit.id)
        with pytest.raises(refusal):
            getattr(visits, step)(request.getfixturevalue(who).actor, visit.id)


def test_every_step_tells_the_doctor_and_the_whole_desk(
    visit: Any, nadia: Any, admin: Any, kamel: Any, dr_benali: Any, standing_at: Any
) -> None:
    keep()
    with standing_at(at("09:05")):
        visits.check_in(nadia.actor, visit.id)
    told = {channel for channel, topic in session().info["nudges"] if topic == "schedule"}
    assert told == {f"user:{one.user_id}" for one in (nadia, admin, dr_benali)}

"""The day of a visit: who may take which step when, and what each leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.actor import SYSTEM
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, NotFound
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

"""A doctor with booked visits on one day, and ways to plan over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.domain.changes import planning
from portal.domain.changes.models import Change
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, VisitType
from tests.builders import actor_of, at, make_opening, make_patient, make_user, working_day

WALLS = [f"{hour:02}:{minute:02}" for hour in (8, 9, 10, 11, 13, 14, 15) for minute in (0, 30)]


@pytest.fixture
def book(dr_benali: Any, el_djazair: Any) -> Callable[..., Appointment]:
    """A function that books a consultation with Dr Benali: book(amina, "09:00")."""

    def at_(person: Any, wall: str = "09:00", ahead: int = 2, **more: Any) -> Appointment:
        made = booking.book(
            person.actor if hasattr(person, "actor") else person,
            practice_id=dr_benali.practice_id,
            visit_type_id=el_djazair.consultation_id,
            starts_at=at(wall, ahead),
            **more,
        )
        keep()
        return made

    return at_


@pytest.fixture
def full_day(book: Any, dr_benali: Any, el_djazair: Any) -> Callable[[int], list[Appointment]]:
    """A function that fills the day tests book on with so many visits of different patients, longer hours if needed."""

    def fill(size: int) -> list[Appointment]:
        practice = session().get_one(Practice, dr_benali.practice_id)
        kind = session().get_one(VisitType, el_djazair.consultation_id)
        make_opening(practice, [kind], on_date=working_day(), starts="16:00", ends="23:30", capacity=3)
        evening = [f"{hour:02}:{minute:02}" for hour in range(16, 23) for minute in (0, 30)]
        walls = [*WALLS, *evening, *evening, *evening][:size]
        return [book(guest(), wall) for wall in walls]

    return fill


@pytest.fixture
def day_off() -> dict[str, Any]:
    """Time off on the day tests book on."""
    return {"first": working_day(), "last": working_day()}


@pytest.fixture
def plan(dr_benali: Any, day_off: dict[str, Any]) -> Callable[..., Change]:
    """A function that plans this day off for Dr Benali, by herself unless somebody else is named."""

    def make(actor: Any = None, **more: Any) -> Change:
        made = planning.save_or_plan(
            actor or dr_benali.actor, "close_doctor", dr_benali.doctor_id, **{**day_off, **more}
        )
        assert made is not None
        keep()
        return made

    return make


def guest() -> Any:
    """A patient of their own account, as the actor they are."""
    user = make_user("Guest", "Patient")
    make_patient(user)
    keep()
    return actor_of(user.id)

"""Whatever is booked and closed: one place for one visit, outside what is closed, and no visit without a decision."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select, text

from portal.core.actor import Actor
from portal.core.db import session
from portal.domain.changes import applying, listing, planning
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Closure, Hold
from tests.builders import at, make_patient, make_user, working_day
from tests.domain.changes.conftest import WALLS

OVERLAPS = text(
    "SELECT count(*) FROM occupancies a JOIN occupancies b ON a.id < b.id AND a.resource_id = b.resource_id"
    " AND a.lane = b.lane AND a.during && b.during"
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    walls=some.lists(some.sampled_from(WALLS), min_size=1, max_size=8, unique=True),
    same=some.booleans(),
    days=some.integers(0, 4),
    hours=some.sampled_from([None, ("08:00", "11:00"), ("10:00", "15:00"), ("13:00", "16:00")]),
)
def test_proposals_never_overlap_and_never_lie_in_what_is_closed(
    database: Any, dr_benali: Any, el_djazair: Any, walls: Any, same: Any, days: Any, hours: Any
) -> None:
    nested = session().begin_nested()
    try:
        _book(dr_benali, el_djazair, walls, 3 if same else len(walls))
        about = {"first": working_day(), "last": working_day() + timedelta(days=days)}
        about |= {"starts": hours[0], "ends": hours[1]} if hours else {}
        change = planning.save_or_plan(dr_benali.actor, "close_doctor", dr_benali.doctor_id, **about)
        if change is not None:
            applying.apply(dr_benali.actor, change.id, {})
        closure = session().scalars(select(Closure)).one()
        lines = listing.show(dr_benali.actor, change.id).lines if change else []
        for line in lines:
            assert line.proposal.decision == "move"
            hold = session().get_one(Hold, line.proposal.hold_id)
            assert hold.ends_at <= closure.starts_at or hold.starts_at >= closure.ends_at
        assert session().scalar(OVERLAPS) == 0
        assert _patients_twice([(line.visit.patient_id, line.proposal.starts_at) for line in lines]) == 0
    finally:
        nested.rollback()
        session().info.clear()
        session().expunge_all()


def _book(doctor: Any, clinic: Any, walls: list[str], people: int) -> None:
    patients = []
    for _ in range(min(people, len(walls))):
        user = make_user("Guest", "Patient")
        patients.append(Actor(user_id=user.id, patient_id=make_patient(user).id, email_verified=True, door="web"))
    for number, wall in enumerate(walls):
        booking.book(
            patients[number % len(patients)],
            practice_id=doctor.practice_id,
            visit_type_id=clinic.consultation_id,
            starts_at=at(wall),
        )


def _patients_twice(places: list[tuple[Any, Any]]) -> int:
    return len(places) - len(set(places))

"""Planning a change: the visits it hits, the times held for them, and what nobody saved."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from portal.core.db import session
from portal.domain.changes import listing, planning
from portal.domain.scheduling.models import Closure, Hold
from tests.builders import at


def test_a_change_that_hits_nobody_is_saved_at_once(dr_benali: Any, day_off: Any) -> None:
    assert planning.save_or_plan(dr_benali.actor, "close_doctor", dr_benali.doctor_id, **day_off) is None
    assert session().scalar(select(func.count()).select_from(Closure)) == 1


def test_a_plan_saves_nothing_and_holds_a_time_for_each_patient(
    plan: Any, book: Any, amina: Any, dr_benali: Any
) -> None:
    visit = book(amina, "09:00")
    change = plan()
    assert session().scalar(select(func.count()).select_from(Closure)) == 0
    sheet = listing.show(dr_benali.actor, change.id)
    (line,) = sheet.lines
    assert (line.visit.id, line.proposal.decision) == (visit.id, "move")
    held = session().get_one(Hold, line.proposal.hold_id)
    assert (held.patient_id, held.starts_at, held.expires_at) == (
        amina.patient_id,
        line.proposal.starts_at,
        change.held_until,
    )
    assert line.proposal.starts_at == at("09:00", 3)

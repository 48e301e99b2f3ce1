"""Why somebody comes: theirs to change until the visit begins, read anew by the doctor, and told nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import session
from portal.core.errors import Forbidden, NotFound
from portal.core.events import Event, write_pending
from portal.domain.scheduling import appointments, booking, reasons, visits
from portal.domain.scheduling.refusals import NotInThisState, StaleVersion
from tests.domain.patients.test_family import booked, child_of

MARK = "ZXSECRETREASON"


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Any:
    return booked(amina, dr_benali, el_djazair, amina.patient_id)


def changed() -> list[Event]:
    write_pending()
    return list(session().scalars(select(Event).where(Event.name == "appointment.reason_changed")))


def test_the_doctor_reads_the_new_reason_and_the_event_does_not_hold_it(visit: Any, amina: Any, dr_benali: Any) -> None:
    reasons.change(amina.actor, visit.id, reason=MARK)
    assert appointments.find(dr_benali.actor, visit.id).reason == MARK
    (event,) = changed()
    assert (event.actor_id, event.patient_id, event.facts) == (amina.user_id, amina.patient_id, {})
    reasons.change(amina.actor, visit.id, reason=MARK)
    assert len(changed()) == 1, "nothing changed, nothing happened"


def test_the_version_stays_and_a_stale_one_is_refused(visit: Any, amina: Any) -> None:
    assert reasons.change(amina.actor, visit.id, reason="Cough", version=visit.version).version == 1
    with pytest.raises(StaleVersion):
        reasons.change(amina.actor, visit.id, reason="Fever", version=2)


def test_whoever_books_for_somebody_changes_it_too(amina: Any, dr_benali: Any, el_djazair: Any) -> None:
    child = child_of(amina)
    visit = booked(amina, dr_benali, el_djazair, child.patient_id)
    assert reasons.change(amina.actor, visit.id, reason="Fever").reason == "Fever"


def test_nobody_else_changes_it(visit: Any, yacine: Any, dr_benali: Any, nadia: Any, kamel: Any) -> None:
    for stranger, no in ((yacine, NotFound), (kamel, NotFound), (dr_benali, Forbidden), (nadia, Forbidden)):
        with pytest.raises(no):
            reasons.change(stranger.actor, visit.id, reason="x")


def test_it_stays_as_it_is_once_the_visit_has_begun_or_is_called_off(
    visit: Any, amina: Any, nadia: Any, dr_benali: Any, standing_at: Any
) -> None:
    with standing_at(visit.starts_at):
        with pytest.raises(NotInThisState):
            reasons.change(amina.actor, visit.id, reason="x")
        visits.check_in(nadia.actor, visit.id)
        reasons.change(amina.actor, visit.id, reason="In the waiting room")
        visits.start(dr_benali.actor, visit.id)
        with pytest.raises(NotInThisState):
            reasons.change(amina.actor, visit.id, reason="x")


def test_a_visit_that_was_called_off_keeps_its_reason(visit: Any, amina: Any) -> None:
    booking.cancel(amina.actor, visit.id)
    with pytest.raises(NotInThisState):
        reasons.change(amina.actor, visit.id, reason="x")

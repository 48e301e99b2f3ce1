"""A clinic that reminds as we recommend, and SMS that are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from portal.core import clock, tasks
from portal.core.db import keep
from portal.domain.reminders import queue, settings
from portal.domain.scheduling import booking
from tests.builders import at


@pytest.fixture
def texts(app):
    """The kept SMS, empty at first; newest first."""
    box = app.extensions["portal.sms"]
    box.clear()
    yield box.read
    box.clear()


@pytest.fixture
def reminding(el_djazair):
    """El Djazair reminds 7 days, 24 hours and 2 hours before."""
    settings.begin_with_defaults(el_djazair.clinic_id)
    keep()


@pytest.fixture
def visit(reminding, amina, dr_benali, el_djazair, drain, mailbox):
    """Amina's visit in about nine days, at ten; its confirmation has been sent and read."""
    made = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("10:00", 9),
    )
    keep()
    drain()
    mailbox._box.clear()
    return made


@pytest.fixture
def run(drain, standing_at):
    """A function that lets the clock's minute come at `moment`, and the workers do what follows."""

    def at_moment(moment: datetime, *, minutes: int = 1) -> None:
        for ahead in range(minutes):
            with standing_at(moment + timedelta(minutes=ahead)):
                tasks.later(queue.queue_due)
                drain()

    return at_moment


@pytest.fixture
def before(visit):
    """A function: so long before the visit as it was booked."""
    starts_at = visit.starts_at

    def moment(**span) -> datetime:
        return starts_at - timedelta(**span)

    assert starts_at > clock.now() + timedelta(days=8)
    return moment

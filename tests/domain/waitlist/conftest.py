"""What tests of the waitlist stand on: a full hour of Dr Benali's that comes free when Yacine calls his visit off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment
from portal.domain.waitlist import joining
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from tests.builders import ALGIERS, at

NOON = datetime(2027, 3, 1, 12, tzinfo=ALGIERS)  # a Monday, outside quiet hours


@pytest.fixture
def noon(where: Any) -> Any:
    """It is noon on a working day: nothing is quiet."""
    with standing_at(NOON):
        yield NOON


@pytest.fixture
def book(dr_benali: Any, el_djazair: Any) -> Callable[..., Appointment]:
    """Books a consultation with Dr Benali."""

    def do(person: Any, wall: str = "09:00", ahead: int = 3, **more: Any) -> Appointment:
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id} | more
        made = booking.book(person.actor, starts_at=at(wall, ahead), **about)
        keep()
        return made

    return do


@pytest.fixture
def join(dr_benali: Any, el_djazair: Any) -> Callable[..., WaitlistEntry]:
    """Joins the waitlist for a consultation with Dr Benali."""

    def do(person: Any, **more: Any) -> WaitlistEntry:
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id} | more
        made = joining.join(person.actor, **{key: value for key, value in about.items() if value is not None})
        keep()
        return made

    return do


def offers() -> list[WaitlistOffer]:
    """Every offer, the oldest first."""
    session().expire_all()
    return list(session().query(WaitlistOffer).order_by(WaitlistOffer.created_at, WaitlistOffer.id))


def open_offers() -> list[WaitlistOffer]:
    return [offer for offer in offers() if offer.state == "open"]

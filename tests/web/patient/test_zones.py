"""Where visits at clinics of several zones stand side by side, each time says whose clock it is read from."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.text import format_when
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import booking
from tests.builders import at

PAGES = ["/patient/home", "/patient/appointments", "/notifications"]


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any, drain: Any) -> Any:
    made = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00", 5),
    )
    keep()
    drain()
    return made


@pytest.mark.parametrize("page", PAGES)
def test_a_time_of_another_zone_says_so_and_one_of_the_portal_s_does_not(
    client: Any, amina: Any, visit: Any, page: str
) -> None:
    client.sign_in(amina)
    assert "09:00" in client.get(page).text
    assert "Time)" not in client.get(page).text
    session().get_one(Clinic, visit.clinic_id).time_zone = "Asia/Dubai"
    session().flush()
    assert "12:00 (United Arab Emirates Time)" in client.get(page).text


def test_a_zone_that_shows_the_same_clock_needs_no_name() -> None:
    assert "Time)" not in format_when(at("09:00", 5), "Africa/Tunis")

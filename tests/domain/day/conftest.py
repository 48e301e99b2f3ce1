"""A morning at El Djazair: Dr Benali sees Amina at nine and Yacine at half past."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from portal.core.db import keep
from portal.domain.scheduling import booking
from tests.builders import at


@pytest.fixture
def booked(amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any) -> Any:
    """The ids of their visits."""
    ids = [
        booking.book(
            who.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at(wall)
        ).id
        for who, wall in ((amina, "09:00"), (yacine, "09:30"))
    ]
    keep()
    return SimpleNamespace(amina=ids[0], yacine=ids[1])

"""What the tests of the desk's arranging pages send, and what they look at afterwards."""

from __future__ import annotations

import html
import re
from typing import Any

from sqlalchemy import select

from portal.core.db import session
from portal.domain.scheduling.models import Appointment
from tests.builders import (
    at,
)


def wish_of(patient: Any, doctor: Any, clinic: Any, wall: str = "09:00", **more: Any) -> dict[str, Any]:
    wanted = {"practice_id": doctor.practice_id, "visit_type_id": clinic.consultation_id, "patient_id": patient.id}
    return {**wanted, "starts_at": at(wall), **more}


def sent_of(patient: Any, doctor: Any, clinic: Any, wall: str = "09:00", **more: Any) -> dict[str, str]:
    wish = wish_of(patient, doctor, clinic, wall)
    return {**{key: str(value) for key, value in wish.items()}, "starts_at": wish["starts_at"].isoformat(), **more}


def all_visits() -> list[Appointment]:
    return list(session().scalars(select(Appointment).order_by(Appointment.created_at, Appointment.id)))


def seen_of(page: str) -> str:
    """What the page says was in the way, as its form sends it."""
    return html.unescape(re.search(r'name="seen"[^>]*value="([^"]*)"', page)[1])  # type: ignore[index]

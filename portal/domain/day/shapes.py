"""What comes in on the day of a visit."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from portal.core.days import DayOfBirth
from portal.core.shapes import OneLine, Shape, Text


class WalkIn(Shape):
    """Somebody stands at the desk without a booking: to which doctor, for what, and whether they go first."""

    practice_id: UUID
    visit_type_id: UUID
    patient_id: UUID
    urgent: bool = False
    reason: Text = ""


class Arrival(Shape):
    """Somebody says that they are here: what their confirmation says, and who they are."""

    reference: Annotated[str, OneLine(20)]
    birth_date: DayOfBirth

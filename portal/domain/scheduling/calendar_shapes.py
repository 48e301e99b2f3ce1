"""What comes in from a calendar: a visit put somewhere else, a question about a time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, NaiveDatetime

from portal.core.days import FIRST, LAST, Day
from portal.core.shapes import Empty, Shape, WallTime, fault
from portal.core.text import lazy as _
from portal.domain.scheduling.shapes import StartsAt


def _full_minute(at: datetime | None) -> datetime | None:
    if at and (at.second or at.microsecond or not FIRST <= at.date() <= LAST):
        raise fault("minute", _("Visits begin at a full minute."))
    return at


class MoveOnCalendar(Shape):
    """Where a visit goes: `at` in the wall time the calendar shows, or `starts_at`, an instant; to which doctor."""

    at: Annotated[NaiveDatetime | None, AfterValidator(_full_minute), Empty] = None
    starts_at: Annotated[StartsAt | None, Empty] = None
    practice_id: Annotated[UUID | None, Empty] = None
    version: Annotated[int | None, Field(ge=1), Empty] = None


class WhyNotQuestion(Shape):
    """Which visit could begin when, in the clinic's wall time; of which patient, if that matters."""

    practice_id: UUID
    visit_type_id: UUID
    day: Day
    at: WallTime
    patient_id: Annotated[UUID | None, Empty] = None

"""What comes in when a clinic's people arrange visits for somebody."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from portal.core.days import Day
from portal.core.shapes import Empty, OneLine, Shape, WallTime, storable
from portal.domain.scheduling.shapes import CancelAppointment, PlaceHold, Reason, Reschedule, StartsAt

Over = Annotated[str, OneLine(200, 0)]
Seen = Annotated[str, StringConstraints(max_length=4000), AfterValidator(storable)]  # keys of collisions, by commas


class BookFor(PlaceHold):
    """Book for somebody; `overbook` is why it is booked over what is in the way, `seen` what that was."""

    patient_id: UUID
    reason: Reason = ""
    overbook: Over = ""
    seen: Seen = ""


class MoveFor(Reschedule):
    """Move somebody's visit, also to another doctor of the clinic."""

    practice_id: Annotated[UUID | None, Empty] = None
    overbook: Over = ""
    seen: Seen = ""


class OtherTime(Shape):
    """A time that was typed, as the clinic's clock shows it."""

    day: Day
    wall: WallTime


class SeriesQuestion(PlaceHold):
    """How often a visit is repeated."""

    patient_id: UUID
    every: Annotated[int, Field(ge=1, le=366)] = 1
    unit: Literal["days", "weeks"] = "weeks"
    count: Annotated[int, Field(ge=2, le=52)] = 6


class BookSeries(Shape):
    """The times that were chosen for a series."""

    practice_id: UUID
    visit_type_id: UUID
    patient_id: UUID
    every_days: Annotated[int, Field(ge=1, le=366)]
    times: Annotated[list[StartsAt], Field(min_length=2, max_length=52)]
    reason: Reason = ""


class CancelVisits(CancelAppointment):
    """Call off a visit, or it and all that follow it in its series."""

    following: Annotated[bool, BeforeValidator(lambda value: value in {True, "1", "y", "on", "true"})] = False

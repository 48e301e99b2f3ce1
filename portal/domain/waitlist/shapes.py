"""What comes in about the waitlist."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from portal.core.days import Day, in_order
from portal.core.shapes import Empty, Shape, WallTime, fault, storable
from portal.core.text import lazy as _
from portal.domain.scheduling.shapes import StartsAt

Note = Annotated[str, Field(max_length=300), AfterValidator(storable)]
Urgency = Literal["urgent", "soon", "routine"]


class TimeWindow(Shape):
    """Hours that suit, on one weekday (0 is Monday) or on any, in the clinic's wall time; an `until` of 00:00 is the
    end of the day."""

    weekday: Annotated[int | None, Field(ge=0, le=6), Empty] = None
    starts: Annotated[WallTime | None, Empty] = None
    until: Annotated[WallTime | None, Empty] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> TimeWindow:
        if self.starts and self.until and self.until != time() and self.until <= self.starts:
            raise fault("ends_after_start", _("The end must be after the start."))
        return self


class Wish(Shape):
    """When somebody on the waitlist can come, and how urgent it is; without windows at any hour."""

    windows: Annotated[list[TimeWindow], Field(max_length=21)] = []
    first: Annotated[Day | None, Empty] = None
    last: Annotated[Day | None, Empty] = None
    urgency: Urgency = "routine"
    note: Note = ""

    @model_validator(mode="after")
    def _in_order(self) -> Wish:
        in_order(self.first, self.last)
        return self


class JoinWaitlist(Wish):
    """Wait for a time with one doctor (a practice) or any doctor of a clinic; or for an earlier one of a visit."""

    patient_id: Annotated[UUID | None, Empty] = None
    clinic_id: Annotated[UUID | None, Empty] = None
    practice_id: Annotated[UUID | None, Empty] = None
    visit_type_id: Annotated[UUID | None, Empty] = None
    moves_id: Annotated[UUID | None, Empty] = None
    any_doctor: bool = False


class OfferByHand(Shape):
    """A free time the desk offers to somebody on the waitlist."""

    practice_id: UUID
    starts_at: StartsAt

"""What comes in about booking."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from portal.core.days import Day, Moment, in_order
from portal.core.shapes import Empty, Line, MaybeLine, Shape, WallTime, fault, storable
from portal.core.text import lazy as _

Reason = Annotated[str, Field(max_length=500), AfterValidator(storable)]
HoldToken = Annotated[str, Field(min_length=20, max_length=100), AfterValidator(storable)]
Minutes = Annotated[int, Field(ge=5, le=480)]

CANCEL_CODES = ("better", "no_time", "elsewhere", "mistake", "doctor_away", "clinic_closed", "other")
DECLINE_CODES = ("not_my_field", "no_time", "needs_other_visit", "other")


def _full_minute(at: datetime) -> datetime:
    if at.second or at.microsecond:
        raise fault("minute", _("Visits begin at a full minute."))
    return at


StartsAt = Annotated[Moment, AfterValidator(_full_minute)]


class PlaceHold(Shape):
    """Keep a time for a few minutes; patient_id is who comes, when that is known already."""

    practice_id: UUID
    visit_type_id: UUID
    starts_at: StartsAt
    patient_id: Annotated[UUID | None, Empty] = None


class BookAppointment(PlaceHold):
    """Book a time; without patient_id for the actor's own profile."""

    reason: Reason = ""
    hold_token: Annotated[HoldToken | None, Empty] = None


class Reschedule(Shape):
    starts_at: StartsAt
    version: Annotated[int | None, Field(ge=1), Empty] = None


class CancelAppointment(Shape):
    code: Literal["better", "no_time", "elsewhere", "mistake", "doctor_away", "clinic_closed", "other"] = "other"
    text: Reason = ""
    version: Annotated[int | None, Field(ge=1), Empty] = None


class DeclineAppointment(Shape):
    code: Literal["not_my_field", "no_time", "needs_other_visit", "other"] = "other"
    text: Reason = ""


class InviteToBook(Shape):
    """A patient is asked to book a type of visit with a practice, on one of the dates first to last."""

    practice_id: UUID
    patient_id: UUID
    visit_type_id: UUID
    first: Day
    last: Day
    note: Reason = ""
    follow_up_of: Annotated[UUID | None, Empty] = None

    @model_validator(mode="after")
    def _in_order(self) -> InviteToBook:
        in_order(self.first, self.last)
        return self


class SlotsQuery(Shape):
    practice_id: UUID
    visit_type_id: UUID
    first: Annotated[Day | None, Empty] = None
    last: Annotated[Day | None, Empty] = None


class OpeningShape(Shape):
    """When a practice receives: a weekday (0 is Monday) or one date, in the clinic's wall time.

    An end of 00:00 is midnight. Hours that pass it say so, and belong to the day on which they begin.
    """

    weekday: Annotated[int | None, Field(ge=0, le=6), Empty] = None
    on_date: Annotated[Day | None, Empty] = None
    starts: WallTime
    ends: WallTime
    ends_next_day: bool = False
    step: Annotated[Minutes | None, Empty] = None
    capacity: Annotated[int, Field(ge=1, le=50)] = 1
    valid_from: Annotated[Day | None, Empty] = None
    valid_until: Annotated[Day | None, Empty] = None
    visit_type_ids: Annotated[list[UUID], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _makes_sense(self) -> OpeningShape:
        if (self.weekday is None) == (self.on_date is None):
            raise fault("weekly_or_one_date", _("Please choose either a weekday or one date."))
        if self.ends != time():
            if self.ends == self.starts:
                raise fault("ends_after_start", _("The end must be after the start."))
            if self.ends < self.starts and not self.ends_next_day:
                sentence = _("The end must be after the start. Hours past midnight end on the next day: say so.")
                raise fault("ends_next_day", sentence)
            if self.ends > self.starts and self.ends_next_day:
                raise fault("ends_next_day", _("Hours are shorter than a day. These would end before midnight."))
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise fault("valid", _("The last valid date must not be before the first."))
        return self


class BreakShape(Shape):
    """A time inside an opening in which nobody is received; an end of 00:00 is midnight.

    In hours that pass midnight an end before the start is on the next day.
    """

    starts: WallTime
    ends: WallTime
    keep_visits: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> BreakShape:
        if self.ends == self.starts:
            raise fault("ends_after_start", _("The end must be after the start."))
        return self


class StretchShape(BreakShape):
    """Another time for an opening, and another day when it is drawn into the column of one."""

    day: Annotated[Day | None, Empty] = None

    @model_validator(mode="after")
    def _ends_that_day(self) -> StretchShape:
        if self.ends < self.starts and self.ends != time():
            raise fault("ends_after_start", _("The end must be after the start."))
        return self


class CopyDay(Shape):
    """The weekly hours of one weekday (0 is Monday) on other weekdays too."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    to: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)]
    replace: bool = False
    keep_visits: bool = False


class CopyWeek(Shape):
    """The hours of the seven days from `week` on, in every week from `first` to `last`, here or at another practice."""

    week: Day
    first: Day
    last: Annotated[Day | None, Empty] = None
    to_practice_id: Annotated[UUID | None, Empty] = None
    replace: bool = False
    keep_visits: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> CopyWeek:
        in_order(self.first, self.last)
        return self


class ClosureShape(Shape):
    """Time off, in the clinic's wall time; without times whole days, the last one included."""

    kind: Literal["leave", "holiday", "blocked"] = "leave"
    first: Day
    last: Day
    starts: Annotated[WallTime | None, Empty] = None
    ends: Annotated[WallTime | None, Empty] = None
    note: MaybeLine = None
    keep_visits: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> ClosureShape:
        in_order(self.first, self.last)
        if (self.last - self.first).days > 366:
            raise fault("too_long", _("Please enter at most one year at a time."))
        if self.first == self.last and self.starts and self.ends and self.ends != time() and self.ends <= self.starts:
            raise fault("ends_after_start", _("The end must be after the start."))
        return self


class TakeHolidays(Shape):
    """Public holidays of one year on which a clinic is closed; their names come in `language`."""

    year: int
    language: Literal["en", "fr", "ar"] = "en"
    days: Annotated[list[Day], Field(min_length=1, max_length=100)]
    keep_visits: bool = False


class ChangeReason(Shape):
    """Why somebody comes, in their own words."""

    reason: Reason = ""


class KeepVisits(Shape):
    """Whether a change may be saved although visits are booked."""

    keep_visits: Annotated[bool, Field(description="Booked visits stand all the same")] = False


class VisitTypeShape(Shape):
    """What is booked and the policy of booking it; minutes, days and minor units of the clinic's currency."""

    name: Line
    name_fr: MaybeLine = None
    name_ar: MaybeLine = None
    mode: Literal["in_person", "video", "phone"] = "in_person"
    duration: Minutes
    buffer_before: Annotated[int, Field(ge=0, le=120)] = 0
    buffer_after: Annotated[int, Field(ge=0, le=120)] = 0
    price_minor: Annotated[int | None, Field(ge=0, le=10_000_000_00), Empty] = None
    bookable_by: Literal["anyone", "invited", "desk"] = "anyone"
    confirms: Literal["at_once", "by_doctor"] = "at_once"
    lead_minutes: Annotated[int, Field(ge=0, le=60 * 24 * 60)] = 120
    horizon_days: Annotated[int, Field(ge=1, le=730)] = 60
    cutoff_minutes: Annotated[int, Field(ge=0, le=60 * 24 * 60)] = 24 * 60
    most_moves: Annotated[int, Field(ge=0, le=50)] = 3
    most_upcoming: Annotated[int, Field(ge=1, le=50)] = 3
    most_per_day: Annotated[int | None, Field(ge=1, le=500), Empty] = None
    needs: Annotated[list[UUID], Field(max_length=20)] = []  # groups of rooms or devices, any one of each
    is_active: bool = True

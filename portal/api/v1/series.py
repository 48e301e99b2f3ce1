"""Series: the same visit every so many days or weeks, looked at first, then booked whole or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import AppointmentOut, Out, Zone
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.domain.scheduling import appointments, glance, series
from portal.domain.scheduling.caps import TooManyAhead
from portal.domain.scheduling.desk_shapes import BookSeries, SeriesQuestion
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.refusals import (
    EmailNotVerified,
    NotInThisState,
    NotSelfBookable,
    StaleVersion,
    TooLate,
    TooManyUpcoming,
)
from portal.domain.scheduling.series import SeriesNotBooked
from portal.domain.scheduling.shapes import CancelAppointment

TAG = "Series of visits"
READ, WRITE = "appointments:read", "appointments:write"
PRACTICE = "019aa000-0000-7000-8000-000000000001"


class DateOut(Out):
    """One date of a planned series: the wanted wall time, whether it is free, and what is near it if it is not."""

    number: int
    wanted: datetime
    is_free: bool
    code: Annotated[str, Field(description="offered, or why not: the code of the refusal a booking would get")]
    detail: str
    others: Annotated[list[datetime], Field(description="Free times around it, the nearest first")]
    chosen: Annotated[datetime | None, Field(description="What the plan proposes; null when nothing is near")]


class PlanOut(Out):
    """A series as it would be booked; nothing is held. Send the chosen times to POST /series."""

    every_days: int
    time_zone: Zone
    free: Annotated[int, Field(description="How many of the wanted times are free")]
    is_whole: Annotated[bool, Field(description="Whether every date has a time")]
    dates: list[DateOut]


class SeriesOut(Out):
    """Visits that belong together, in order of time."""

    id: UUID
    every_days: int
    items: list[AppointmentOut]


class Ended(Out):
    """The visits that were called off."""

    items: list[AppointmentOut]


@endpoint(
    "GET",
    "/series/plan",
    tag=TAG,
    query=SeriesQuestion,
    answer=PlanOut,
    refuses=(NotFound, Forbidden),
    scope=READ,
)
def plan_series(actor: Actor, query: SeriesQuestion) -> PlanOut:
    """What a series would be: for each date whether the time is free and what is near; nothing is changed"""
    values: dict[str, Any] = query.values()
    step = {f"every_{values.pop('unit')}": values.pop("every")}
    found = series.plan(actor, **values, **step)
    return PlanOut(
        every_days=found.every_days,
        time_zone=found.zone.key,
        free=found.free,
        is_whole=found.is_whole,
        dates=[
            DateOut(
                number=one.number,
                wanted=one.wanted,
                is_free=one.is_free,
                code=one.reason.value,
                detail=str(one.sentence),
                others=list(one.others),
                chosen=one.chosen,
            )
            for one in found.dates
        ],
    )


@endpoint(
    "POST",
    "/series",
    tag=TAG,
    body=BookSeries,
    answer=SeriesOut,
    status=201,
    refuses=(NotFound, Forbidden, EmailNotVerified, NotSelfBookable, TooManyUpcoming, TooManyAhead, SeriesNotBooked),
    scope=WRITE,
    keyed=True,
    example={
        "practice_id": PRACTICE,
        "visit_type_id": "019aa000-0000-7000-8000-000000000002",
        "patient_id": "019aa000-0000-7000-8000-000000000003",
        "every_days": 7,
        "times": ["2027-03-31T09:30:00+01:00", "2027-04-07T09:30:00+01:00"],
    },
)
def book_series(actor: Actor, body: BookSeries) -> Answer:
    """Book all these times as one series, or none; refused, the time that cannot be had comes with others"""
    made, booked = series.book(actor, **body.values())
    answer = SeriesOut(id=made.id, every_days=made.every_days, items=[_after(one) for one in booked])
    return Answer(answer, {"Location": f"/api/v1/appointments/{booked[0].id}/series"})


@endpoint("GET", "/appointments/{appointment_id}/series", tag=TAG, answer=SeriesOut, refuses=(NotFound,), scope=READ)
def get_series(actor: Actor, appointment_id: UUID) -> SeriesOut:
    """The series a visit belongs to; 404 for a visit by itself"""
    run = series.of(actor, appointments.find(actor, appointment_id))
    if run is None:
        raise NotFound
    items = [AppointmentOut.of(one) for one in run.visits]
    return SeriesOut(id=run.series.id, every_days=run.series.every_days, items=items)


@endpoint(
    "POST",
    "/appointments/{appointment_id}/series/cancel",
    tag=TAG,
    body=CancelAppointment,
    answer=Ended,
    refuses=(Forbidden, NotInThisState, StaleVersion, TooLate),
    scope=WRITE,
    keyed=True,
    guarded=True,
    example={"code": "no_time", "version": 1},
)
def cancel_series(actor: Actor, appointment_id: UUID, body: CancelAppointment) -> Ended:
    """Call off a visit and those of its series after it, all or none"""
    values = body.values() | {"version": etags.expected(body.version)}
    ended = series.cancel(actor, appointment_id, following=True, **values)
    return Ended(items=[_after(one) for one in ended])


def _after(one: Appointment) -> AppointmentOut:
    return AppointmentOut.of(glance.after_change(one.id))

"""The public holidays of a clinic's country, and taking them over as days on which the clinic is closed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.api.v1 import endpoint
from portal.api.v1.clinics_answers import PublicHolidayOut, PublicHolidays
from portal.api.v1.closures import TAG, HolidayOut, Holidays
from portal.core import clock
from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.errors import NotFound
from portal.core.shapes import Shape
from portal.core.text import language
from portal.domain.clinics import managing
from portal.domain.scheduling import public_holidays
from portal.domain.scheduling.impact import VisitsAffected

READ, WRITE = "schedule:read", "schedule:write"


class YearQuery(Shape):
    year: Annotated[int | None, Field(description="This one, or one of the next three")] = None


class TakePublicHolidays(Shape):
    """Public holidays of one year; their names are kept in the language of the answer."""

    year: int
    days: Annotated[list[Day], Field(min_length=1, max_length=100)]
    keep_visits: bool = False


@endpoint("GET", "/clinics/{clinic_id}/public-holidays", tag=TAG, query=YearQuery, answer=PublicHolidays, scope=READ)
def list_public_holidays(actor: Actor, clinic_id: UUID, query: YearQuery) -> PublicHolidays:
    """The public holidays of the clinic's country in a year, for its admins; empty where we do not know them"""
    year = query.year or clock.today(managing.get(actor, clinic_id).zone).year
    found = public_holidays.of_year(actor, clinic_id, year, language())
    return PublicHolidays(items=[PublicHolidayOut.of(one) for one in found])


@endpoint(
    "POST",
    "/clinics/{clinic_id}/public-holidays",
    tag=TAG,
    body=TakePublicHolidays,
    answer=Holidays,
    refuses=(NotFound, VisitsAffected),
    scope=WRITE,
    keyed=True,
    example={"year": 2027, "days": ["2027-05-01", "2027-07-05"]},
)
def take_public_holidays(actor: Actor, clinic_id: UUID, body: TakePublicHolidays) -> Holidays:
    """Close a clinic on these public holidays; answers those that were added now"""
    made = public_holidays.take_over(actor, clinic_id, **body.values(), language=language())
    return Holidays(items=[HolidayOut.of(one) for one in made])

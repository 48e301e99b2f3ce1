"""Finding a doctor and a time: public, the same functions as the pages of the directory."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from portal.api.v1 import endpoint
from portal.api.v1.answers import (
    ClinicOut,
    Clinics,
    DoctorOut,
    Doctors,
    DoctorSummary,
    FreeTime,
    FreeTimes,
    Money,
    Specialties,
    SpecialtyOut,
    VisitTypeOut,
    VisitTypes,
    Why,
)
from portal.core.actor import Actor
from portal.core.days import Day, in_order
from portal.core.errors import NotFound
from portal.core.policy import allow
from portal.core.shapes import Limit, MaybeLabel, Shape, fault
from portal.core.text import language
from portal.core.text import lazy as _
from portal.domain.clinics import listing
from portal.domain.doctors import cards, directory
from portal.domain.doctors.models import Practice
from portal.domain.doctors.shapes import Cursor, DirectoryQuery
from portal.domain.scheduling import availability, finding, policy
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.shapes import StartsAt
from portal.domain.scheduling.timetable import Reason

TAG = "Finding a time"
SEARCH_RATE = "300 per minute"


class ClinicsQuery(Shape):
    """Which clinics to list."""

    name: MaybeLabel = None
    city: MaybeLabel = None
    after: Cursor | None = None
    limit: Limit = 25


class FreeTimesQuery(Shape):
    """Which free times: of a practice, for a visit type, on these dates of the clinic; without dates the next week."""

    practice_id: UUID
    visit_type_id: UUID
    first: Annotated[Day | None, Field(alias="from", description="First date, in the clinic's zone")] = None
    last: Annotated[Day | None, Field(alias="to", description="Last date; at most 92 days after the first")] = None
    explain: Annotated[bool, Field(description="Say why `at` can or cannot be booked")] = False
    at: Annotated[StartsAt | None, Field(description="The one time to explain")] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> FreeTimesQuery:
        if self.explain != (self.at is not None):
            raise fault("explain", _("Please give both explain=true and the time `at`, or neither."))
        in_order(self.first, self.last)
        return self


@endpoint("GET", "/doctors", tag=TAG, query=DirectoryQuery, answer=Doctors, public=True, rate=SEARCH_RATE)
def list_doctors(actor: Actor, query: DirectoryQuery) -> Doctors:
    """Search for doctors, each with the next free times

    Names are compared without accents and tolerate typing mistakes.
    """
    found = finding.search(actor, query)
    return Doctors(items=[DoctorSummary.of(one.doctor, one.times) for one in found.items], next=found.next)


@endpoint("GET", "/doctors/{doctor_id}", tag=TAG, answer=DoctorOut, public=True)
def get_doctor(actor: Actor, doctor_id: UUID) -> DoctorOut:
    """A doctor's public profile with the practices where they can be booked"""
    return DoctorOut.of(directory.profile(actor, doctor_id))


@endpoint("GET", "/doctors/{doctor_id}/slots", tag=TAG, query=FreeTimesQuery, answer=FreeTimes, public=True)
def list_slots(actor: Actor, doctor_id: UUID, query: FreeTimesQuery) -> FreeTimes:
    """Free times of a doctor at one practice, for one visit type

    A time that is not in the list can be asked about: `explain=true&at=2026-03-31T09:30:00+01:00` answers in `why`.
    """
    if query.at:
        practice = directory.practice(actor, query.practice_id)
        allow(practice.doctor_id == doctor_id, NotFound)
        return FreeTimes(items=[], why=_why(actor, query, query.at, practice.clinic.zone))
    asked = (query.practice_id, query.visit_type_id, query.first, query.last)
    zone, slots = availability.of_doctor(actor, doctor_id, *asked)
    return FreeTimes(items=[FreeTime.of(slot, zone) for slot in slots])


@endpoint("GET", "/practices/{practice_id}/visit-types", tag=TAG, answer=VisitTypes, public=True)
def list_visit_types(actor: Actor, practice_id: UUID) -> VisitTypes:
    """What can be booked at a practice, with price and booking policy"""
    practice = directory.practice(actor, practice_id)
    return VisitTypes(items=[_visit_type(kind, practice) for kind in availability.bookable_types(practice_id)])


@endpoint("GET", "/clinics", tag=TAG, query=ClinicsQuery, answer=Clinics, public=True)
def list_clinics(actor: Actor, query: ClinicsQuery) -> Clinics:
    """The clinics that are open to the public, by name"""
    found = listing.public(actor, **query.values())
    return Clinics(items=[ClinicOut.of(one) for one in found], next=found.next)


@endpoint("GET", "/specialties", tag=TAG, answer=Specialties, public=True)
def list_specialties(actor: Actor) -> Specialties:
    """The fields of medicine in which there is a doctor to book"""
    return Specialties(items=[SpecialtyOut.of(one) for one in cards.facets(actor).specialties])


def _why(actor: Actor, query: FreeTimesQuery, at: datetime, zone: ZoneInfo) -> Why:
    reason = availability.explain(actor, query.practice_id, query.visit_type_id, at, policy.who_comes(actor))
    return Why(
        starts_at=at.astimezone(zone),
        time_zone=zone.key,
        bookable=reason is Reason.OFFERED,
        code=reason.value,
        detail=str(availability.sentence_for(reason)),
    )


def _visit_type(kind: VisitType, practice: Practice) -> VisitTypeOut:
    plain = ("id", "mode", "duration", "confirms", "lead_minutes", "horizon_days", "cutoff_minutes")
    minor = policy.price_of(kind, practice)
    return VisitTypeOut(
        **{name: getattr(kind, name) for name in plain},
        name=kind.name_in(language()),
        price=Money.of(minor, practice.clinic.currency),
        policy=policy.in_words(kind),
    )

"""Visits as those who arrange them list them: a clinic's, a doctor's, what happened to one, what is in the way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from portal.api.v1 import endpoint
from portal.api.v1.answers import AppointmentOut, Appointments, Out
from portal.core.actor import Actor
from portal.core.days import Day, in_order
from portal.core.errors import Forbidden, NotFound
from portal.core.paging import Page
from portal.core.shapes import Limit, Shape
from portal.domain.access import people
from portal.domain.doctors.shapes import Cursor
from portal.domain.patients import care
from portal.domain.scheduling import appointments, listing, overbooking
from portal.domain.scheduling.models import STATES, Appointment
from portal.domain.scheduling.shapes import StartsAt

TAG = "Visits of a clinic"
READ = "appointments:read"
ONE_STATE = "|".join(STATES)
States = Annotated[str, Field(pattern=f"^({ONE_STATE})(,({ONE_STATE}))*$", description="Some, with commas between")]
FirstDay = Annotated[Day | None, Field(alias="from", description="First date, in the clinic's zone")]
LastDay = Annotated[Day | None, Field(alias="to", description="Last date, in the clinic's zone")]


class OfDoctorQuery(Shape):
    """Which visits: of these dates, this patient, in one of these states; the earliest first unless said otherwise."""

    first: FirstDay = None
    last: LastDay = None
    patient_id: UUID | None = None
    status: States | None = None
    sort: Literal["starts_at", "-starts_at"] = "starts_at"
    after: Cursor | None = None
    limit: Limit = 25

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        in_order(self.first, self.last)
        return self

    def wanted(self) -> dict[str, Any]:
        """The same in the words of the domain."""
        values = self.values()
        return values | {
            "latest_first": values.pop("sort") == "-starts_at",
            "status": self.status.split(",") if self.status else (),
        }


class OfClinicQuery(OfDoctorQuery):
    """Which visits of a clinic, as of a doctor, or those of one of its doctors."""

    doctor_id: UUID | None = None


class Happened(Out):
    """Something that was done with a visit. `code` is the event's name, `was` the time it was moved from."""

    at: datetime
    code: str
    by: Annotated[str | None, Field(description="Who did it; null is the portal itself")]
    acting_for: Annotated[str | None, Field(description="The patient somebody acted for, who looks after them")]
    was: datetime | None


class History(Out):
    """What happened, the oldest first."""

    items: list[Happened]


class CollisionsQuery(Shape):
    """Which visit should begin when; `moving_id` is an appointment whose own time counts as free."""

    visit_type_id: UUID
    starts_at: StartsAt
    patient_id: UUID | None = None
    moving_id: UUID | None = None


class CollisionOut(Out):
    """One thing in the way. `key` is what `seen` takes; over what is final nobody books."""

    key: str
    detail: str
    is_final: bool
    appointment_id: UUID | None


class Collisions(Out):
    items: list[CollisionOut]


@endpoint("GET", "/clinics/{clinic_id}/appointments", tag=TAG, query=OfClinicQuery, answer=Appointments, scope=READ)
def list_clinic_appointments(actor: Actor, clinic_id: UUID, query: OfClinicQuery) -> Appointments:
    """The visits of a clinic, for its desk and its admins"""
    return listed(listing.of_clinic(actor, clinic_id, **query.wanted()))


@endpoint("GET", "/doctors/{doctor_id}/appointments", tag=TAG, query=OfDoctorQuery, answer=Appointments, scope=READ)
def list_doctor_appointments(actor: Actor, doctor_id: UUID, query: OfDoctorQuery) -> Appointments:
    """The visits of a doctor, for the doctor and the desks of their clinics, each of which sees its own"""
    return listed(listing.of_doctor(actor, doctor_id, **query.wanted()))


@endpoint("GET", "/appointments/{appointment_id}/history", tag=TAG, answer=History, scope=READ)
def get_history(actor: Actor, appointment_id: UUID) -> History:
    """What happened to a visit you are part of"""
    visit = appointments.find(actor, appointment_id)
    happened = appointments.history(actor, visit)
    names = people.names([one.actor_id for one in happened if one.actor_id])
    acted_for = care.acted_for(happened)
    return History(items=[_happened(one, names, acted_for, visit.clinic.zone) for one in happened])


@endpoint(
    "GET",
    "/practices/{practice_id}/collisions",
    tag=TAG,
    query=CollisionsQuery,
    answer=Collisions,
    refuses=(Forbidden, NotFound),
    scope=READ,
)
def list_collisions(actor: Actor, practice_id: UUID, query: CollisionsQuery) -> Collisions:
    """What is in the way of a visit, for those who may book over it; nothing when the time is simply free"""
    found = overbooking.collisions(actor, practice_id, **query.values())
    return Collisions(
        items=[
            CollisionOut(
                key=one.key,
                detail=str(one.sentence),
                is_final=one.is_final,
                appointment_id=one.visit.id if one.visit else None,
            )
            for one in found
        ]
    )


def listed(found: Page[Appointment]) -> Appointments:
    """A page of appointments as it goes out."""
    return Appointments(items=[AppointmentOut.of(one) for one in found], next=found.next)


def _happened(event: Any, names: dict[UUID, str], acted_for: dict[UUID, str], zone: ZoneInfo) -> Happened:
    was = event.facts.get("was")
    return Happened(
        at=event.created_at.astimezone(zone),
        code=event.name,
        by=names.get(event.actor_id),
        acting_for=acted_for.get(event.id),
        was=datetime.fromisoformat(was).astimezone(zone) if was else None,
    )

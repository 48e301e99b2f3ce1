"""Appointments: the same verbs as the pages, with versions and keys that make it safe to ask again."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from portal.api import etags
from portal.api.contract import Answer, File
from portal.api.v1 import endpoint
from portal.api.v1.answers import AppointmentOut, Appointments
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.core.shapes import Empty, Limit, Shape, fault
from portal.core.text import lazy as _
from portal.domain.doctors.shapes import Cursor
from portal.domain.scheduling import appointments, booking, calendars, glance, overbooking, reasons, shapes
from portal.domain.scheduling.caps import TooManyAhead
from portal.domain.scheduling.desk_shapes import Over
from portal.domain.scheduling.glance import Glance
from portal.domain.scheduling.invitations import InvitationOver
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.overbooking import MoreInTheWay
from portal.domain.scheduling.refusals import (
    EmailNotVerified,
    NoPatientProfile,
    NotGiven,
    NotInThisState,
    NotOffered,
    NotSelfBookable,
    StaleVersion,
    TimeTaken,
    TooLate,
    TooManyMoves,
    TooManyUpcoming,
)
from portal.domain.scheduling.shapes import CancelAppointment, ChangeReason, DeclineAppointment

TAG = "Appointments"
READ, WRITE = "appointments:read", "appointments:write"
NEVER_CHOSEN = (NotFound, Forbidden, EmailNotVerified, NoPatientProfile, NotSelfBookable)
Seen = Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=100)]
EXAMPLE = {
    "practice_id": "019aa000-0000-7000-8000-000000000001",
    "visit_type_id": "019aa000-0000-7000-8000-000000000002",
    "starts_at": "2027-03-31T09:30:00+01:00",
}
DECIDED = (Forbidden, NotInThisState, StaleVersion)
CHANGE: dict[str, Any] = {
    "tag": TAG, "answer": AppointmentOut, "scope": WRITE, "keyed": True, "tagged": True, "guarded": True,
}  # fmt: skip


class MineQuery(Shape):
    """Which of one's own appointments to list: those that lie ahead or were called off, soonest first, or the past,
    latest first."""

    when: Literal["upcoming", "past", "called_off"] = "upcoming"
    patient_id: Annotated[UUID | None, Field(description="Only of this one, of those you look after")] = None
    after: Cursor | None = None
    limit: Limit = 20


class BookAppointment(shapes.BookAppointment):
    """Book a time; without patient_id for yourself.

    Who works at the clinic may book over what is in the way: `overbook` says why, `seen` are the keys of all that is
    there, as GET /practices/{practice_id}/collisions tells them.
    """

    overbook: Over = ""
    seen: Seen = []

    @model_validator(mode="after")
    def _for_whom(self) -> BookAppointment:
        if self.overbook and (self.patient_id is None or self.hold_token):
            raise fault("overbook", _("To book over something, name the patient and send no hold."))
        return self


class Reschedule(shapes.Reschedule):
    """Another time; with practice_id another doctor of the same clinic, with overbook and seen as in booking."""

    practice_id: Annotated[UUID | None, Empty] = None
    overbook: Over = ""
    seen: Seen = []


class Confirm(Shape):
    """The version that was seen, so that nothing else is confirmed."""

    version: Annotated[int | None, Field(ge=1), Empty] = None


class Decline(DeclineAppointment, Confirm):
    """Why the request is refused, and the version that was seen."""


@endpoint(
    "POST",
    "/appointments",
    tag=TAG,
    body=BookAppointment,
    answer=AppointmentOut,
    status=201,
    refuses=(*NEVER_CHOSEN, TooManyUpcoming, TooManyAhead, NotOffered, TimeTaken, MoreInTheWay, InvitationOver),
    scope=WRITE,
    keyed=True,
    tagged=True,
    example=EXAMPLE | {"reason": "Check-up"},
)
def book(actor: Actor, body: BookAppointment) -> Answer:
    """Book a time

    For yourself, with `patient_id` for somebody you look after or a patient of a clinic you work in. A refused time
    comes with `alternatives`.
    """
    wanted = body.values()
    seen, over = wanted.pop("seen"), wanted["overbook"]
    if not over:
        return _one(booking.book(actor, **wanted), made=True)
    del wanted["hold_token"]
    return _one(overbooking.book(actor, **wanted, seen=seen), made=True)


@endpoint("GET", "/appointments", tag=TAG, query=MineQuery, answer=Appointments, refuses=(NotFound,), scope=READ)
def list_appointments(actor: Actor, query: MineQuery) -> Appointments:
    """Your own appointments as a patient, and those of whom you look after"""
    found = glance.mine(actor, query.when, after=query.after, limit=query.limit, patient_id=query.patient_id)
    return Appointments(items=[AppointmentOut.of(one) for one in found], next=found.next)


@endpoint("GET", "/appointments/{appointment_id}", tag=TAG, answer=AppointmentOut, scope=READ, tagged=True)
def get_appointment(actor: Actor, appointment_id: UUID) -> Answer:
    """One appointment you are part of"""
    return _shown(appointments.find(actor, appointment_id))


@endpoint(
    "GET",
    "/appointments/{appointment_id}/calendar",
    tag=TAG,
    file="text/calendar; charset=utf-8",
    scope=READ,
    tagged=True,
)
def get_appointment_calendar(actor: Actor, appointment_id: UUID) -> File:
    """One appointment for a calendar (iCalendar, RFC 5545)

    Its UID stays and its SEQUENCE grows with each version; one that is called off takes itself out of the calendar.
    It says neither why somebody comes nor to which specialty.
    """
    found = appointments.find(actor, appointment_id)
    content = calendars.ics(found, stamp=found.updated_at)
    return File(content, calendars.file_name(found), etags.tag(found.version, content))


@endpoint("POST", "/appointments/{appointment_id}/confirm", body=Confirm, refuses=DECIDED, **CHANGE)
def confirm(actor: Actor, appointment_id: UUID, body: Confirm) -> Answer:
    """Accept a request, as its doctor or the clinic's desk"""
    return _one(booking.confirm(actor, appointment_id, version=etags.expected(body.version)))


@endpoint("POST", "/appointments/{appointment_id}/decline", body=Decline, refuses=DECIDED, **CHANGE)
def decline(actor: Actor, appointment_id: UUID, body: Decline) -> Answer:
    """Refuse a request, as its doctor or the clinic's desk"""
    values = body.values() | {"version": etags.expected(body.version)}
    return _one(booking.decline(actor, appointment_id, **values))


@endpoint(
    "POST",
    "/appointments/{appointment_id}/cancel",
    body=CancelAppointment,
    refuses=(*DECIDED, TooLate),
    example={"code": "no_time", "version": 1},
    **CHANGE,
)
def cancel(actor: Actor, appointment_id: UUID, body: CancelAppointment) -> Answer:
    """Call a visit off; its time is free again"""
    values = body.values() | {"version": etags.expected(body.version)}
    return _one(booking.cancel(actor, appointment_id, **values))


@endpoint(
    "POST",
    "/appointments/{appointment_id}/reschedule",
    body=Reschedule,
    refuses=(*DECIDED, TooLate, TooManyMoves, NotGiven, NotOffered, TimeTaken, MoreInTheWay),
    example={"starts_at": "2027-04-01T10:00:00+01:00", "version": 1},
    **CHANGE,
)
def reschedule(actor: Actor, appointment_id: UUID, body: Reschedule) -> Answer:
    """Move a visit to another time: the old time is given up only if the new one is won"""
    values = body.values() | {"version": etags.expected(body.version)}
    seen = values.pop("seen")
    if body.overbook:
        return _one(overbooking.reschedule(actor, appointment_id, **values, seen=seen))
    return _one(booking.reschedule(actor, appointment_id, **values))


@endpoint(
    "PUT",
    "/appointments/{appointment_id}/reason",
    body=ChangeReason,
    refuses=DECIDED,
    example={"reason": "The cough is back, and there is a fever."},
    **{**CHANGE, "keyed": False},
)
def change_reason(actor: Actor, appointment_id: UUID, body: ChangeReason) -> Answer:
    """Say why you, or whom you book for, come; until the visit begins, and left out it becomes empty"""
    return _one(reasons.change(actor, appointment_id, **body.values(), version=etags.expected()))


def _one(changed: Appointment, *, made: bool = False) -> Answer:
    """The appointment as it is after the verb, with everything an answer shows loaded."""
    return _shown(glance.after_change(changed.id), made=made)


def _shown(one: Appointment | Glance, *, made: bool = False) -> Answer:
    told = AppointmentOut.of(one)
    headers = {"ETag": etags.tag(one.version, told)}
    if made:
        headers["Location"] = f"/api/v1/appointments/{one.id}"
    return Answer(told, headers)

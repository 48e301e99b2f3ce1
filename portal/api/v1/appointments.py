"""Appointments: the same verbs as the pages, with versions and keys that make it safe to ask again."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import AppointmentOut, Appointments
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.shapes import Empty, Limit, Shape
from portal.domain.doctors.shapes import Cursor
from portal.domain.scheduling import appointments, booking, glance
from portal.domain.scheduling.glance import Glance
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.refusals import (
    EmailNotVerified,
    NoPatientProfile,
    NotInThisState,
    NotOffered,
    NotSelfBookable,
    StaleVersion,
    TimeTaken,
    TooLate,
    TooManyMoves,
    TooManyUpcoming,
)
from portal.domain.scheduling.shapes import BookAppointment, CancelAppointment, DeclineAppointment, Reschedule

TAG = "Appointments"
READ, WRITE = "appointments:read", "appointments:write"
NEVER_CHOSEN = (NotFound, EmailNotVerified, NoPatientProfile, NotSelfBookable)
CHANGE: dict[str, Any] = {
    "tag": TAG, "answer": AppointmentOut, "scope": WRITE, "keyed": True, "tagged": True, "guarded": True,
}  # fmt: skip


class MineQuery(Shape):
    """Which of one's own appointments to list: those that lie ahead, soonest first, or the past, latest first."""

    when: Literal["upcoming", "past"] = "upcoming"
    after: Cursor | None = None
    limit: Limit = 20


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
    refuses=(*NEVER_CHOSEN, TooManyUpcoming, NotOffered, TimeTaken),
    scope=WRITE,
    keyed=True,
    tagged=True,
)
def book(actor: Actor, body: BookAppointment) -> Answer:
    """Book a time

    For yourself, or with `patient_id` for a patient of a clinic you work in. A refused time comes with `alternatives`.
    """
    return _one(booking.book(actor, **body.values()), made=True)


@endpoint("GET", "/appointments", tag=TAG, query=MineQuery, answer=Appointments, scope=READ)
def list_appointments(actor: Actor, query: MineQuery) -> Appointments:
    """Your own appointments as a patient"""
    found = glance.mine(actor, query.when, after=query.after, limit=query.limit)
    return Appointments(items=[AppointmentOut.of(one) for one in found], next=found.next)


@endpoint("GET", "/appointments/{appointment_id}", tag=TAG, answer=AppointmentOut, scope=READ, tagged=True)
def get_appointment(actor: Actor, appointment_id: UUID) -> Answer:
    """One appointment you are part of"""
    return _shown(appointments.find(actor, appointment_id))


@endpoint(
    "POST", "/appointments/{appointment_id}/confirm", body=Confirm, refuses=(NotInThisState, StaleVersion), **CHANGE
)
def confirm(actor: Actor, appointment_id: UUID, body: Confirm) -> Answer:
    """Accept a request, as its doctor or the clinic's desk"""
    return _one(booking.confirm(actor, appointment_id, version=etags.expected(body.version)))


@endpoint(
    "POST", "/appointments/{appointment_id}/decline", body=Decline, refuses=(NotInThisState, StaleVersion), **CHANGE
)
def decline(actor: Actor, appointment_id: UUID, body: Decline) -> Answer:
    """Refuse a request, as its doctor or the clinic's desk"""
    values = body.values() | {"version": etags.expected(body.version)}
    return _one(booking.decline(actor, appointment_id, **values))


@endpoint(
    "POST",
    "/appointments/{appointment_id}/cancel",
    body=CancelAppointment,
    refuses=(NotInThisState, StaleVersion, TooLate),
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
    refuses=(NotInThisState, StaleVersion, TooLate, TooManyMoves, NotOffered, TimeTaken),
    **CHANGE,
)
def reschedule(actor: Actor, appointment_id: UUID, body: Reschedule) -> Answer:
    """Move a visit to another time: the old time is given up only if the new one is won"""
    values = body.values() | {"version": etags.expected(body.version)}
    return _one(booking.reschedule(actor, appointment_id, **values))


def _one(changed: Appointment, *, made: bool = False) -> Answer:
    """The appointment as it is after the verb, with everything an answer shows loaded."""
    return _shown(glance.after_change(changed.id), made=made)


def _shown(one: Appointment | Glance, *, made: bool = False) -> Answer:
    headers = {"ETag": etags.tag(one.version, one.status)}
    if made:
        headers["Location"] = f"/api/v1/appointments/{one.id}"
    return Answer(AppointmentOut.of(one), headers)

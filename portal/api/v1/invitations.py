"""Invitations to book: a doctor asks a patient to book a type of visit between two dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import ClinicBrief, Out, Person, VisitTypeBrief
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.core.shapes import Shape
from portal.core.text import language
from portal.domain.scheduling import invitations
from portal.domain.scheduling.invitations import AlreadyInvited, InvitationOver
from portal.domain.scheduling.planning import BookingInvitation
from portal.domain.scheduling.shapes import InviteToBook

TAG = "Invitations to book"
READ, WRITE = "appointments:read", "appointments:write"
ENDS: dict[str, Any] = {"tag": TAG, "status": 204, "refuses": (Forbidden, InvitationOver), "scope": WRITE}


class OfPatientQuery(Shape):
    """Only to one practice."""

    practice_id: UUID | None = None


class InvitationOut(Out):
    """Who asks whom to book what, on one of the dates first to last; `opens_on` is from when they can be booked."""

    id: UUID
    practice_id: UUID
    clinic: ClinicBrief
    doctor: Person
    patient: Person
    visit_type: VisitTypeBrief
    first: date
    last: date
    opens_on: date
    note: str
    follow_up_of: UUID | None
    appointment_id: Annotated[UUID | None, Field(description="What was booked with it")]
    is_open: bool
    created_at: datetime

    @classmethod
    def of(cls, one: BookingInvitation) -> Self:
        doctor, kind = one.practice.doctor, one.visit_type
        same = ("id", "practice_id", "first", "last", "note", "follow_up_of", "appointment_id", "is_open")
        plain: dict[str, Any] = {name: getattr(one, name) for name in same}
        return cls(
            **plain,
            clinic=ClinicBrief(**{name: getattr(one.clinic, name) for name in ClinicBrief.model_fields}),
            doctor=Person(id=doctor.id, name=doctor.name),
            patient=Person(id=one.patient.id, name=one.patient.name),
            visit_type=VisitTypeBrief(id=kind.id, name=kind.name_in(language()), duration=kind.duration),
            opens_on=invitations.opens_on(one),
            created_at=one.created_at.astimezone(one.clinic.zone),
        )


class Invitations(Out):
    items: list[InvitationOut]


@endpoint(
    "POST",
    "/invitations",
    tag=TAG,
    body=InviteToBook,
    answer=InvitationOut,
    status=201,
    refuses=(NotFound, Forbidden, AlreadyInvited),
    scope=WRITE,
    keyed=True,
    example={
        "practice_id": "019aa000-0000-7000-8000-000000000001",
        "visit_type_id": "019aa000-0000-7000-8000-000000000002",
        "patient_id": "019aa000-0000-7000-8000-000000000003",
        "first": "2027-04-05",
        "last": "2027-04-16",
    },
)
def invite(actor: Actor, body: InviteToBook) -> Answer:
    """Ask a patient to book, as the doctor or the people of the clinic"""
    made = invitations.invite(actor, **body.values())
    return Answer(get_invitation(actor, made.id), {"Location": f"/api/v1/invitations/{made.id}"})


@endpoint("GET", "/invitations", tag=TAG, answer=Invitations, scope=READ)
def list_invitations(actor: Actor) -> Invitations:
    """Your open invitations and those of whom you look after, the most pressing first"""
    return Invitations(items=[InvitationOut.of(one) for one in invitations.mine(actor)])


@endpoint("GET", "/patients/{patient_id}/invitations", tag=TAG, query=OfPatientQuery, answer=Invitations, scope=READ)
def list_patient_invitations(actor: Actor, patient_id: UUID, query: OfPatientQuery) -> Invitations:
    """The open invitations of a patient as far as you may see them, the latest first"""
    found = invitations.of_patient(actor, patient_id, query.practice_id)
    return Invitations(items=[InvitationOut.of(one) for one in found])


@endpoint("GET", "/invitations/{invitation_id}", tag=TAG, answer=InvitationOut, scope=READ)
def get_invitation(actor: Actor, invitation_id: UUID) -> InvitationOut:
    """One invitation"""
    return InvitationOut.of(invitations.find(actor, invitation_id))


@endpoint("POST", "/invitations/{invitation_id}/withdraw", keyed=True, **ENDS)
def withdraw_invitation(actor: Actor, invitation_id: UUID) -> None:
    """Take an invitation back, as the clinic"""
    invitations.withdraw(actor, invitation_id)


@endpoint("POST", "/invitations/{invitation_id}/decline", keyed=True, **ENDS)
def decline_invitation(actor: Actor, invitation_id: UUID) -> None:
    """Say that this visit is not wanted, as the patient; the doctor is told"""
    invitations.decline(actor, invitation_id)

"""Invitations to work at a clinic: sent by its admins, answered by whom they ask."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1 import endpoint
from portal.api.v1.answers import Out, Person
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound, TooMany
from portal.domain.clinics import invitations
from portal.domain.clinics.invitations import InvitationOver
from portal.domain.clinics.models import ClinicInvitation
from portal.domain.doctors import joining
from portal.domain.doctors.joining import AlreadyDoctor

TAG = "Invitations of clinics"
Role = Literal["staff", "pharmacist", "admin", "doctor"]


class InvitationOut(Out):
    """An invitation as the clinic sees it: what was written, never whether the address has an account."""

    id: UUID
    clinic_id: UUID
    role: Role
    email: Annotated[str | None, Field(description="null: a doctor of the portal was asked by their profile")]
    given_name: str
    family_name: str
    doctor_id: UUID | None
    state: Literal["waiting", "expired", "accepted", "declined", "withdrawn"]
    sent_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, one: ClinicInvitation) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class Invitations(Out):
    """The latest first."""

    items: list[InvitationOut]


class AskedOut(Out):
    """What a clinic asks you; with `for_doctor`, for a doctor without an account whose profile your clinic keeps."""

    id: UUID
    clinic: Person
    role: Role
    asked_by: str | None
    for_doctor: Person | None
    expires_at: datetime

    @classmethod
    def of(cls, actor: Actor, one: ClinicInvitation) -> Self:
        told: dict[str, Any] = {"id": one.id, "role": one.role, "expires_at": one.expires_at}
        other = one.doctor_id if not one.email and one.doctor_id != actor.doctor_id else None
        return cls(
            **told,
            clinic=Person(id=one.clinic.id, name=one.clinic.name),
            asked_by=one.inviter.name if one.inviter else None,
            for_doctor=Person(id=other, name=one.name) if other else None,
        )


class Asked(Out):
    """The latest first."""

    items: list[AskedOut]


SENT: dict[str, Any] = {"tag": TAG, "scope": "users:write"}
ANSWER: dict[str, Any] = {"tag": TAG, "status": 204, "scope": "profile:write"}


@endpoint("GET", "/clinics/{clinic_id}/invitations", tag=TAG, answer=Invitations, scope="users:read")
def list_clinic_invitations(actor: Actor, clinic_id: UUID) -> Invitations:
    """Whom a clinic has asked and who has not answered, for its admins; those who declined stay for 30 days"""
    return Invitations(items=[InvitationOut.of(one) for one in invitations.of_clinic(actor, clinic_id)])


@endpoint("GET", "/clinic-invitations/{invitation_id}", tag=TAG, answer=InvitationOut, scope="users:read")
def get_clinic_invitation(actor: Actor, invitation_id: UUID) -> InvitationOut:
    """One invitation of a clinic whose admin you are"""
    return InvitationOut.of(invitations.get(actor, invitation_id))


@endpoint(
    "POST",
    "/clinic-invitations/{invitation_id}/send",
    answer=InvitationOut,
    refuses=(NotFound, InvitationOver, TooMany),
    keyed=True,
    **SENT,
)
def send_clinic_invitation(actor: Actor, invitation_id: UUID) -> InvitationOut:
    """Mail an invitation once more; it lasts seven days from now"""
    return InvitationOut.of(invitations.send_again(actor, invitation_id))


@endpoint("DELETE", "/clinic-invitations/{invitation_id}", status=204, refuses=(NotFound, InvitationOver), **SENT)
def withdraw_clinic_invitation(actor: Actor, invitation_id: UUID) -> None:
    """Take an invitation back: its link stops working"""
    invitations.withdraw(actor, invitation_id)


@endpoint("GET", "/clinic-invitations/mine", tag=TAG, answer=Asked, scope="profile:read")
def list_my_clinic_invitations(actor: Actor) -> Asked:
    """What clinics ask you and you have not answered; to a confirmed address only"""
    return Asked(items=[AskedOut.of(actor, one) for one in joining.mine(actor)])


@endpoint(
    "POST",
    "/clinic-invitations/{invitation_id}/accept",
    refuses=(NotFound, Forbidden, InvitationOver, AlreadyDoctor),
    **ANSWER,
)
def accept_clinic_invitation(actor: Actor, invitation_id: UUID) -> None:
    """Say yes to a clinic: the role or practice begins with your next request"""
    joining.accept(actor, invitation_id)


@endpoint(
    "POST", "/clinic-invitations/{invitation_id}/decline", refuses=(NotFound, Forbidden, InvitationOver), **ANSWER
)
def decline_clinic_invitation(actor: Actor, invitation_id: UUID) -> None:
    """Say no to a clinic"""
    joining.decline(actor, invitation_id)

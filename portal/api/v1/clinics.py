"""Clinics, and who works in them: read by everybody, kept right by their admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.clinic_invitations import InvitationOut
from portal.api.v1.clinics_answers import ClinicsWhole, ClinicWhole, MemberOut, Members
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound, TooMany
from portal.core.shapes import Limit, MaybeLabel, Shape
from portal.domain.clinics import managing, members, queries
from portal.domain.clinics.invitations import AlreadyInvited
from portal.domain.clinics.members import AlreadyMember, OwnRole
from portal.domain.clinics.models import Clinic
from portal.domain.clinics.shapes import ClinicShape, MemberShape
from portal.domain.doctors.shapes import Cursor
from portal.domain.scheduling import withdrawing
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.shapes import KeepVisits

TAG = "Clinics"
WRITE = "clinics:write"
EXAMPLE = {
    "name": "Clinique El Djazair",
    "address": "12 rue Didouche Mourad",
    "city": "Algiers",
    "postcode": "16000",
    "phone": "+213 21 23 45 67",
    "time_zone": "Africa/Algiers",
    "currency": "DZD",
    "sun": [["08:00", "12:00"], ["13:00", "17:00"]],
    "mon": "08:00-12:00, 13:00-17:00",
}
SWITCH: dict[str, Any] = {
    "tag": TAG, "answer": ClinicWhole, "scope": WRITE, "keyed": True, "tagged": True, "refuses": (Forbidden,),
}  # fmt: skip


class RunQuery(Shape):
    """Clinics whose name or city has these words."""

    name: MaybeLabel = None
    after: Cursor | None = None
    limit: Limit = 25


@endpoint("GET", "/clinics/mine", tag=TAG, query=RunQuery, answer=ClinicsWhole, scope=WRITE)
def list_my_clinics(actor: Actor, query: RunQuery) -> ClinicsWhole:
    """The clinics whose admin you are, closed ones too; a superadmin's are all"""
    found = managing.mine(actor, query.name or "", after=query.after, limit=query.limit)
    return ClinicsWhole(items=[ClinicWhole.of(one) for one in found], next=found.next)


@endpoint("GET", "/clinics/{clinic_id}", tag=TAG, answer=ClinicWhole, public=True, tagged=True)
def get_clinic(actor: Actor, clinic_id: UUID) -> ClinicWhole:
    """A clinic with its opening hours; a closed one for those who work in it"""
    return ClinicWhole.of(queries.by_id(actor, clinic_id))


@endpoint(
    "POST",
    "/clinics",
    tag=TAG,
    body=ClinicShape,
    answer=ClinicWhole,
    status=201,
    refuses=(Forbidden,),
    scope=WRITE,
    keyed=True,
    tagged=True,
    example=EXAMPLE,
)
def create_clinic(actor: Actor, body: ClinicShape) -> Answer:
    """Add a clinic, as a superadmin; it can be found at once

    The hours of a day are pairs of times, or a text such as "08:00-12:00, 13:00-17:00".
    """
    made = managing.create(actor, **body.values())
    return _one(made, {"Location": f"/api/v1/clinics/{made.id}"})


@endpoint(
    "PUT",
    "/clinics/{clinic_id}",
    tag=TAG,
    body=ClinicShape,
    query=KeepVisits,
    answer=ClinicWhole,
    refuses=(VisitsAffected,),
    scope=WRITE,
    tagged=True,
    guarded=True,
    example=EXAMPLE,
)
def change_clinic(actor: Actor, clinic_id: UUID, body: ClinicShape, query: KeepVisits) -> Answer:
    """Write a clinic down anew, as its admin; what is left out goes back to its default

    The time zone is the superadmin's to change, because all hours are meant in it. With another zone or address while
    visits are booked nothing is changed, and 409 `visits_affected` names them: plan it with POST /changes, or send
    keep_visits=true.
    """
    etags.unless_changed(ClinicWhole.of(withdrawing.take_clinic(actor, clinic_id)))
    return _one(withdrawing.change_clinic(actor, clinic_id, keep_visits=query.keep_visits, **body.values()))


@endpoint(
    "POST", "/clinics/{clinic_id}/deactivate", query=KeepVisits, **SWITCH | {"refuses": (Forbidden, VisitsAffected)}
)
def deactivate_clinic(actor: Actor, clinic_id: UUID, query: KeepVisits) -> Answer:
    """Take a clinic out of the directory and out of booking, as a superadmin

    409 `visits_affected` while visits are booked: plan it with POST /changes, or send keep_visits=true.
    """
    return _one(withdrawing.close_clinic_for_good(actor, clinic_id, keep_visits=query.keep_visits))


@endpoint("POST", "/clinics/{clinic_id}/reactivate", **SWITCH)
def reactivate_clinic(actor: Actor, clinic_id: UUID) -> Answer:
    """Put a clinic back into the directory, as a superadmin"""
    return _one(managing.reactivate(actor, clinic_id))


@endpoint("GET", "/clinics/{clinic_id}/members", tag=TAG, answer=Members, scope="users:read")
def list_members(actor: Actor, clinic_id: UUID) -> Members:
    """Who works in a clinic, for its admins; its doctors are in the directory"""
    return Members(items=[MemberOut.of(one) for one in members.of_clinic(actor, clinic_id)])


@endpoint(
    "POST",
    "/clinics/{clinic_id}/members",
    tag=TAG,
    body=MemberShape,
    answer=InvitationOut,
    status=201,
    refuses=(NotFound, AlreadyMember, AlreadyInvited, TooMany),
    scope="users:write",
    keyed=True,
    example={"email": "nadia@example.dz", "given_name": "Nadia", "family_name": "Slimani", "role": "staff"},
)
def invite_member(actor: Actor, clinic_id: UUID, body: MemberShape) -> Answer:
    """Ask somebody to work in a clinic by letter; the role begins once they accept

    The answer is the same whether the address has an account; the name is what you wrote until they accept.
    """
    made = members.invite(actor, clinic_id, **body.values())
    return Answer(InvitationOut.of(made), {"Location": f"/api/v1/clinic-invitations/{made.id}"})


@endpoint(
    "DELETE",
    "/memberships/{membership_id}",
    tag=TAG,
    status=204,
    refuses=(NotFound, OwnRole),
    scope="users:write",
)
def end_membership(actor: Actor, membership_id: UUID) -> None:
    """Take a role in a clinic from somebody; it is gone with their next request"""
    members.end(actor, membership_id)


def _one(clinic: Clinic, headers: dict[str, str] | None = None) -> Answer:
    told = ClinicWhole.of(clinic)
    return Answer(told, {"ETag": etags.of(told)} | (headers or {}))

"""Who looks after whom: those one looks after, those who look after one, and the invitations between them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.family_answers import AskedOut, CareOut, CircleOut, FamilyOut, InvitedOut
from portal.core.actor import Actor
from portal.core.errors import Conflict, Forbidden, Gone, NotFound, TooMany
from portal.core.shapes import Shape, storable
from portal.domain.identity.accounts import OwnAccount
from portal.domain.patients import accepting, family, inviting, own
from portal.domain.patients.accepting import NotYours
from portal.domain.patients.care import Deceased, OwnRecord
from portal.domain.patients.family import Ended, Grown, InFamily
from portal.domain.patients.family_shapes import Acceptance, CareChange, CareShape, DependantShape, HandOver
from portal.domain.patients.inviting import AddressNotKnown, HasAccount, NoBirthDate, OwnAddress
from portal.domain.patients.joining import BothBusy, Joined

TAG = "Family"
READ, WRITE = "family:read", "family:write"
EMAIL = {"email": "karim@example.dz"}
Token = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    AfterValidator(storable),
    Field(description="From the letter's link"),
]
INVITE: dict[str, Any] = {"tag": TAG, "answer": InvitedOut, "status": 201, "scope": WRITE, "keyed": True}
ASKED: dict[str, Any] = {"tag": TAG, "answer": AskedOut, "scope": WRITE, "keyed": True}


class Link(Shape):
    """The token of an invitation's link; it never stands in an address of the API."""

    token: Token


class AcceptInvitation(Acceptance):
    """The token of an invitation's link; to take over a record its birth date, too."""

    token: Token


@endpoint("GET", "/family", tag=TAG, answer=FamilyOut, scope=READ)
def get_family(actor: Actor) -> FamilyOut:
    """Whom you look after, who looks after you, and whom you have asked to"""
    looks_after = [CareOut.of(one) for one in family.mine(actor)]
    if actor.patient_id is None:
        return FamilyOut(looks_after=looks_after, looked_after_by=[], invitations=[])
    mine = own.circle(actor, actor.patient_id)
    return FamilyOut(
        looks_after=looks_after,
        looked_after_by=[CareOut.of(one) for one in mine.carers],
        invitations=[InvitedOut.of(one) for one in mine.waiting],
    )


@endpoint("GET", "/patients/{patient_id}/carers", tag=TAG, answer=CircleOut, scope=READ)
def list_carers(actor: Actor, patient_id: UUID) -> CircleOut:
    """Who looks after a patient: for whoever decides about it, and the desk of a clinic that knows them

    A desk sees who looks after the whole record and who was named for its own clinic's part.
    """
    return CircleOut.of(own.circle(actor, patient_id))


@endpoint(
    "POST",
    "/family/dependants",
    tag=TAG,
    body=DependantShape,
    answer=CareOut,
    status=201,
    refuses=(Grown, InFamily, Conflict),
    scope=WRITE,
    keyed=True,
    example={"given_name": "Adam", "family_name": "Boudiaf", "birth_date": "2019-05-04", "relation": "child"},
)
def add_dependant(actor: Actor, body: DependantShape) -> Answer:
    """Add a child or somebody in your legal care, who has no account"""
    held = family.add_dependant(actor, **body.values())
    return _care(CareOut.of(held), {"Location": f"/api/v1/care/{held.id}"})


@endpoint(
    "POST",
    "/patients/{patient_id}/carer-invitations",
    body=CareShape,
    refuses=(NotFound, Forbidden, OwnAccount, TooMany),
    example=EMAIL | {"relation": "parent", "scopes": ["view", "book"], "until": None},
    **INVITE,
)
def invite_carer(actor: Actor, patient_id: UUID, body: CareShape) -> Answer:
    """Ask somebody by letter to act for you, or for somebody you look after; it counts once they accept

    The answer is the same whether the address has an account.
    """
    return _sent(inviting.grant(actor, patient_id=patient_id, **body.values()))


@endpoint(
    "POST",
    "/patients/{patient_id}/hand-over",
    body=HandOver,
    refuses=(NotFound, Forbidden, HasAccount, NoBirthDate, OwnAddress, AddressNotKnown, TooMany),
    example=EMAIL,
    **INVITE,
)
def hand_over(actor: Actor, patient_id: UUID, body: HandOver) -> Answer:
    """Ask the person themselves to take their record into their own hands, as their carer or a clinic's desk

    A desk writes to the record's own address here; for another one POST
    /patients/{patient_id}/hand-over-requests.
    """
    return _sent(inviting.hand_over(actor, patient_id, **body.values()))


@endpoint("DELETE", "/family/invitations/{invitation_id}", tag=TAG, status=204, refuses=(NotFound,), scope=WRITE)
def withdraw_care_invitation(actor: Actor, invitation_id: UUID) -> None:
    """The link of an invitation stops working"""
    inviting.withdraw(actor, invitation_id)


@endpoint("POST", "/family/invitations/look", body=Link, refuses=(Gone, NotYours), example={"token": "…"}, **ASKED)
def look_at_care_invitation(actor: Actor, body: Link) -> AskedOut:
    """What an invitation asks of you; looking does nothing yet"""
    return AskedOut.of(accepting.look(actor, body.token))


@endpoint(
    "POST",
    "/family/invitations/accept",
    body=AcceptInvitation,
    refuses=(Gone, NotYours, Forbidden, OwnRecord, NoBirthDate, BothBusy, Joined, Deceased, Conflict, TooMany),
    example={"token": "…", "birth_date": "1988-04-12"},
    **ASKED,
)
def accept_care_invitation(actor: Actor, body: AcceptInvitation) -> AskedOut:
    """Act for the patient from now on, or take over the record that is yours"""
    return AskedOut.of(accepting.accept(actor, body.token, birth_date=body.birth_date))


@endpoint("GET", "/care/{care_id}", tag=TAG, answer=CareOut, refuses=(Forbidden, Ended), scope=READ, tagged=True)
def get_care(actor: Actor, care_id: UUID) -> CareOut:
    """What somebody may do for a patient, for whoever may change it"""
    return CareOut.of(family.one(actor, care_id))


@endpoint(
    "PUT",
    "/care/{care_id}",
    tag=TAG,
    body=CareChange,
    answer=CareOut,
    refuses=(Forbidden, Ended),
    scope=WRITE,
    tagged=True,
    guarded=True,
    example={"scopes": ["view"], "until": "2027-12-31"},
)
def change_care(actor: Actor, care_id: UUID, body: CareChange) -> Answer:
    """Say anew what somebody may do and until when; carers themselves can only take on less

    Care for one clinic's part never holds `profile`.
    """
    etags.unless_changed(CareOut.of(family.one(actor, care_id)))
    return _care(CareOut.of(family.change(actor, care_id, **body.values())))


@endpoint("DELETE", "/care/{care_id}", tag=TAG, status=204, refuses=(NotFound,), scope=WRITE)
def end_care(actor: Actor, care_id: UUID) -> None:
    """Stop it at once: by the patient, the carer, whoever let the carer in, or the desk of the clinic it is for"""
    family.end(actor, care_id)


def _care(told: CareOut, headers: dict[str, str] | None = None) -> Answer:
    return Answer(told, {"ETag": etags.of(told)} | (headers or {}))


def _sent(made: inviting.Invitation) -> Answer:
    return Answer(InvitedOut.of(made), {"Location": f"/api/v1/patients/{made.patient_id}/carers"})

"""Families as they go out: who may act for whom, and who was asked to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1.answers import Out, Person
from portal.domain.patients.inviting import Invitation
from portal.domain.patients.models import Delegation
from portal.domain.patients.own import Circle

Relation = Literal["child", "parent", "spouse", "ward", "other"]
CareScope = Literal["view", "book", "profile"]
Relations = Annotated[Relation, Field(description="What the patient is to the one who looks after them")]


class ClinicPart(Out):
    """A clinic whose visits alone are meant."""

    id: UUID
    name: str


class CareOut(Out):
    """Somebody may act for a patient, from one day to another, both included."""

    id: UUID
    patient: Person
    carer_id: Annotated[UUID, Field(description="The account of the one who looks after the patient")]
    carer_name: str
    relation: Relations
    scopes: Annotated[list[CareScope], Field(description="See visits; book, move and cancel them; change the profile")]
    starts_on: date
    ends_on: date | None
    clinic: Annotated[
        ClinicPart | None, Field(description="Named by this clinic's desk: reaches its visits only; null: all of it")
    ]

    @classmethod
    def of(cls, held: Delegation) -> Self:
        """From a delegation with `patient`, `user` and `clinic` loaded."""
        told: dict[str, Any] = {"relation": held.relation, "scopes": list(held.scopes)}
        return cls(
            id=held.id,
            patient=Person(id=held.patient_id, name=held.patient.name),
            carer_id=held.user_id,
            carer_name=held.user.name,
            starts_on=held.starts_on,
            ends_on=held.ends_on,
            clinic=ClinicPart(id=held.clinic.id, name=held.clinic.name) if held.clinic else None,
            **told,
        )


class InvitedOut(Out):
    """Somebody was asked by letter, who has not answered yet; the address is not kept."""

    id: UUID
    patient_id: UUID
    kind: Annotated[Literal["care", "record"], Field(description="To act for the patient, or to take over the record")]
    relation: Relations
    scopes: list[CareScope]
    until: date | None
    ends_at: Annotated[datetime, Field(description="Until when the link works")]

    @classmethod
    def told(cls, one: Invitation) -> dict[str, Any]:
        plain = ("id", "patient_id", "kind", "relation", "until")
        told: dict[str, Any] = {name: getattr(one, name) for name in plain}
        return told | {"scopes": list(one.scopes), "ends_at": one.ends_at.astimezone(UTC)}

    @classmethod
    def of(cls, one: Invitation) -> Self:
        return cls(**cls.told(one))


class AskedOut(InvitedOut):
    """An invitation as the one who was asked sees it."""

    patient_name: str
    asked_by: str

    @classmethod
    def of(cls, one: Invitation) -> Self:
        name = one.patient.name if one.patient else ""
        return cls(**cls.told(one), patient_name=name, asked_by=one.asked_by)


class CircleOut(Out):
    """Who looks after a patient, the first first, and the invitations that can still be accepted."""

    patient: Person
    carers: list[CareOut]
    invitations: list[InvitedOut]

    @classmethod
    def of(cls, found: Circle) -> Self:
        return cls(
            patient=Person(id=found.patient.id, name=found.patient.name),
            carers=[CareOut.of(one) for one in found.carers],
            invitations=[InvitedOut.of(one) for one in found.waiting],
        )


class FamilyOut(Out):
    """`invitations` are those about oneself that can still be accepted."""

    looks_after: list[CareOut]
    looked_after_by: list[CareOut]
    invitations: list[InvitedOut]

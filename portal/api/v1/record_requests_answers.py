"""Requests about a record as they go out: to the patient with everything, to the clinic with what it knows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1.answers import Out, Person
from portal.domain.patients.request_models import JOIN, RecordRequest


class ContactChangeOut(Out):
    """One field of a contact, before and after; dates as YYYY-MM-DD."""

    field: Literal["phone", "email", "birth_date"]
    before: str
    after: str


class RequestOut(Out):
    """A clinic asks to read a record, to change a contact, to let somebody act there, or to hand the record over."""

    id: UUID
    kind: Literal["join", "contact", "carer", "hand_over"]
    state: Literal["open", "accepted", "refused", "withdrawn", "over"]
    clinic: Person
    patient: Annotated[
        Person, Field(description="For the clinic that asks to read a record: the one it entered itself")
    ]
    contact: Annotated[list[ContactChangeOut], Field(description="Of a contact")]
    email: Annotated[str | None, Field(description="Who would act, or take the record over")]
    scopes: list[Literal["view", "book"]]
    until: Annotated[date | None, Field(description="The last day for which somebody would act")]
    on_paper: Annotated[bool, Field(description="A second person of the clinic may confirm a signed paper")]
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_way: Annotated[
        Literal["account", "link", "paper"] | None, Field(description="Signed in, by a link, or by two people on paper")
    ]
    is_seen: Annotated[bool, Field(description="The patient has read what was done on paper")]
    is_disputed: Annotated[bool, Field(description="The patient said that the paper was wrong, and it was taken back")]

    @classmethod
    def of(cls, one: RecordRequest, *, for_clinic: bool = False) -> Self:
        """From a request with `patient`, `entered` and `clinic` loaded; `for_clinic` never names the asked patient of a
        join."""
        patient = one.entered if for_clinic and one.kind == JOIN and one.entered else one.patient
        told: dict[str, Any] = {
            "kind": one.kind,
            "state": "open" if one.is_open else one.outcome or "over",
            "contact": [
                {"field": name, "before": str(was or ""), "after": str(new or "")}
                for name, was, new in one.contact_changes
            ],
            "scopes": one.wanted.get("scopes", []),
            "decided_way": one.decided_way,
        }
        return cls(
            id=one.id,
            clinic=Person(id=one.clinic_id, name=one.clinic.name),
            patient=Person(id=patient.id, name=patient.name),
            email=one.wanted.get("email") if one.kind in {"carer", "hand_over"} else None,
            until=one.until,
            on_paper=one.on_paper,
            created_at=one.created_at.astimezone(UTC),
            expires_at=one.expires_at.astimezone(UTC),
            decided_at=one.decided_at.astimezone(UTC) if one.decided_at else None,
            is_seen=one.seen_at is not None,
            is_disputed=one.disputed_at is not None,
            **told,
        )

"""The audit log: what happened, who did it, to what, by which door. Ids and field names, never what was in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from flask import current_app
from pydantic import Field

from portal.api.v1 import endpoint
from portal.api.v1.answers import ListOut, Out
from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.errors import Forbidden
from portal.core.shapes import Limit
from portal.domain import audit
from portal.domain.audit import Chain, Entry, EventQuery
from portal.domain.doctors.shapes import Cursor

TAG = "Audit"
READ = "audit:read"


class AuditQuery(EventQuery):
    """Which events: `name` is a name or its beginning, such as appointment or appointment.booked."""

    actor_id: Annotated[UUID | None, Field(description="The account that did it")] = None
    subject_id: Annotated[UUID | None, Field(description="What it was done to")] = None
    first: Annotated[Day | None, Field(alias="from", description="First date, in the installation's zone")] = None
    last: Annotated[Day | None, Field(alias="to", description="Last date, included")] = None
    after: Cursor | None = None
    limit: Limit = 50


class EventOut(Out):
    """One thing that happened. `for_whom` names the patient when somebody who looks after them did it."""

    id: UUID
    seq: Annotated[int, Field(description="Grows with time")]
    name: str
    actor_id: Annotated[UUID | None, Field(description="null: the portal itself, or a stranger")]
    actor_name: str
    for_whom: str
    subject_type: str
    subject_id: UUID | None
    patient_id: UUID | None
    clinic_id: UUID | None
    facts: dict[str, Any]
    door: str
    address: str | None
    correlation_id: str | None
    sealed: Annotated[bool, Field(description="The chain of seals is closed over it")]
    created_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> Self:
        event = entry.event
        made = {"actor_name", "for_whom", "sealed", "created_at"}
        return cls(
            **{name: getattr(event, name) for name in cls.model_fields if name not in made},
            actor_name=entry.actor_name,
            for_whom=entry.for_whom,
            sealed=event.seal_id is not None,
            created_at=event.created_at.astimezone(UTC),
        )


class Events(ListOut):
    """The latest first."""

    items: list[EventOut]


class ChainOut(Out):
    """How far the chain is closed: the last seal, its digest, and how many events wait for the next."""

    number: int
    sealed_at: datetime | None
    digest: str
    open: int
    refused: Annotated[int, Field(description="Events that are not as the portal wrote them, so they are not sealed")]

    @classmethod
    def of(cls, chain: Chain) -> Self:
        return cls(**{name: getattr(chain, name) for name in cls.model_fields})


@endpoint("GET", "/audit", tag=TAG, query=AuditQuery, answer=Events, refuses=(Forbidden,), scope=READ)
def list_events(actor: Actor, query: AuditQuery) -> Events:
    """What happened: everything for a superadmin, what happened in their clinics for an admin"""
    zone = current_app.extensions["portal.settings"].default_time_zone
    found = audit.events(actor, query, zone=zone, after=query.after, limit=query.limit)
    return Events(items=[EventOut.of(entry) for entry in found], next=found.next)


@endpoint("GET", "/audit/chain", tag=TAG, answer=ChainOut, refuses=(Forbidden,), scope=READ)
def get_chain(actor: Actor) -> ChainOut:
    """How far the log is sealed, for a superadmin"""
    return ChainOut.of(audit.chain(actor))

"""Programs of a clinic that work by themselves: their account holds one role there, and no other anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid
from portal.core.events import record
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Membership
from portal.domain.identity import clients
from portal.domain.identity.client_models import OAuthClient


def add(
    actor: Actor,
    *,
    kind: str,
    name: str,
    scopes: Sequence[str],
    website: str = "",
    redirect_uris: Sequence[str] = (),
    clinic_id: UUID | None = None,
    role: str = "staff",
) -> tuple[OAuthClient, str | None]:
    """Let a program in, as clients.make does; one that works by itself gets `role` at the clinic.

    Raises NotFound for a clinic the actor does not run, Forbidden, Invalid.
    """
    if clinic_id:
        managing.get(actor, clinic_id)
    elif kind == "service":
        sentence = _("A program that works by itself belongs to a clinic. Please choose one.")
        raise Invalid(fields={"clinic_id": sentence})
    client, secret = clients.make(
        actor,
        kind=kind,
        name=name,
        scopes=scopes,
        website=website,
        redirect_uris=redirect_uris,
        clinic_id=clinic_id,
    )
    if client.service_user_id and clinic_id:
        membership = Membership(user_id=client.service_user_id, clinic_id=clinic_id, role=role)
        session().add(membership)
        session().flush()
        record(actor, "membership.started", membership, role=role, user_id=client.service_user_id)
    return client, secret


def end(actor: Actor, key: UUID | str) -> OAuthClient:
    """Let a program in no more; the role its own account held ends with it. Raises NotFound, ClientEnded."""
    client = clients.end(actor, key)
    for held in _roles(client):
        held.ended_at = clock.now()
        record(actor, "membership.ended", held, role=held.role, user_id=held.user_id)
    session().flush()
    return client


def role_of(client: OAuthClient) -> str | None:
    """The role in which a program works by itself; None for one that acts for people, or whose role was ended."""
    return next((held.role for held in _roles(client)), None)


def _roles(client: OAuthClient) -> list[Membership]:
    if client.service_user_id is None:
        return []
    held = select(Membership).where(Membership.user_id == client.service_user_id, Membership.ended_at.is_(None))
    return list(session().scalars(held))

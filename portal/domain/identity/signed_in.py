"""Everything that is signed in for somebody, browsers and programs in one list, and ending one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.domain.identity import sessions, tokens


@dataclass(frozen=True)
class SignedIn:
    """A browser or a program that acts for the account; `label` is what it calls itself."""

    id: UUID
    kind: str  # browser, program
    label: str
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool


def mine(actor: Actor) -> list[SignedIn]:
    """What is signed in for the actor, the one used last first."""
    browsers = [
        SignedIn(
            one.id, "browser", one.user_agent or "", one.address, one.created_at, one.last_seen_at, one.expires_at,
            one.id == actor.session_id,
        )
        for one in sessions.mine(actor)
    ]  # fmt: skip
    programs = [
        SignedIn(
            one.id, "program", one.label or "", None, one.created_at, one.last_used_at, one.expires_at,
            one.id == actor.session_id,
        )
        for one in tokens.mine(actor)
    ]  # fmt: skip
    return sorted([*browsers, *programs], key=lambda one: one.last_used_at, reverse=True)


def end(actor: Actor, key: UUID) -> None:
    """Sign one browser or program out; raises NotFound for anybody else's."""
    try:
        sessions.end(actor, key)
    except NotFound:
        tokens.end_mine(actor, key)

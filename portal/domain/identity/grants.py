"""What programs are given and how they show it again: codes, tokens, their end, their state (RFC 6749, 7009, 7662)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from portal.core import clock, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid, Refused, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.identity import acts_for, signing, tokens
from portal.domain.identity.client_models import AuthorizationCode, OAuthClient
from portal.domain.identity.models import RefreshToken, TokenFamily, User
from portal.domain.identity.tokens import ScopeTooWide

CODE_LASTS = timedelta(seconds=60)
CODES_KEPT = timedelta(days=1)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url (RFC 7636, section 4.2)


class InvalidGrant(Refused):
    """The code or token is not one of this program's, is too old, or was used already."""

    code = "invalid_grant"
    sentence = _("This code is not valid (any more). Please ask the person again.")


class CodeReused(InvalidGrant):
    """A code came twice, so one of the two who had it is a thief: what grew from it ends."""

    def __init__(self, family_id: UUID | None) -> None:
        super().__init__(audit="code.reused", family_id=family_id)
        self.family_id = family_id

    def afterwards(self) -> None:
        """End the family; done in a transaction of its own after the request's was undone."""
        if self.family_id:
            tokens.end_family(self.family_id, "code_reused")


@dataclass(frozen=True)
class Given(tokens.Grant):
    """Tokens, and what they are good for."""

    scope: str = ""


def scopes_for(client: OAuthClient, asked: Sequence[str] | None) -> list[str]:
    """What the program asks for, everything it may when it says nothing; raises ScopeTooWide for more than that."""
    wanted = list(dict.fromkeys(asked or client.scopes))
    allow(set(wanted) <= set(client.scopes), ScopeTooWide)
    return wanted


def allow_client(actor: Actor, client: OAuthClient, *, redirect_uri: str, scopes: Sequence[str], challenge: str) -> str:
    """The actor lets the program act for them within these scopes; returns the code it changes for tokens.

    Raises ScopeTooWide, Invalid when the challenge is no S256 one, EmailNotVerified.
    """
    acts_for.admit(actor)
    given = scopes_for(client, scopes)
    if not CHALLENGE.fullmatch(challenge):
        raise Invalid(code="invalid_request")
    code = secrets.make_token()
    kept = AuthorizationCode(
        fingerprint=secrets.fingerprint(code),
        client_id=client.id,
        user_id=actor.user_id,
        redirect_uri=redirect_uri,
        scopes=given,
        challenge=challenge,
        expires_at=clock.now() + CODE_LASTS,
    )
    session().add(kept)
    session().flush()
    record(actor, "client.allowed", client, scopes=len(given))
    return code


def take_code(client: OAuthClient, code: str) -> AuthorizationCode:
    """The code, held by this transaction so that of two who come at once one waits; raises InvalidGrant, CodeReused."""
    found = session().scalars(
        select(AuthorizationCode)
        .where(AuthorizationCode.fingerprint == secrets.fingerprint(code), AuthorizationCode.client_id == client.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none() or refuse(InvalidGrant)
    if found.used_at:
        raise CodeReused(found.family_id)
    user = session().get(User, found.user_id)
    if found.expires_at <= clock.now() or user is None or not user.is_active:
        raise InvalidGrant
    return found


def redeem(actor: Actor, client: OAuthClient, code: AuthorizationCode) -> Given:
    """Tokens for a code that was taken and whose verifier was right; the code is used by this."""
    scopes = [scope for scope in code.scopes if scope in client.scopes]
    grant, family = tokens.start_for_client(actor, client, code.user_id, scopes)
    code.used_at, code.family_id = clock.now(), family.id
    session().flush()
    return Given(**asdict(grant), scope=" ".join(scopes))


def act_alone(actor: Actor, client: OAuthClient, asked: Sequence[str] | None) -> Given:
    """An access token with which the program acts as its own account; raises ScopeTooWide, InvalidGrant."""
    scopes = scopes_for(client, asked)
    user = session().get(User, client.service_user_id) if client.service_user_id else None
    if user is None or not user.is_active:
        raise InvalidGrant
    grant, _family = tokens.start_for_client(actor, client, user.id, scopes, alone=True)
    return Given(**asdict(grant), scope=" ".join(scopes))


def refresh(actor: Actor, client: OAuthClient, token: str, asked: Sequence[str] | None) -> Given:
    """New tokens for the program's refresh token, which is spent by it; raises as tokens.refresh does."""
    grant = tokens.refresh(actor, token, client, asked or None)
    return Given(**asdict(grant), scope=str(signing.read(grant.access_token).claims.get("scope", "")))


def take_back(actor: Actor, client: OAuthClient, token: str) -> None:
    """The program gives up an access or refresh token and all that belongs to it; one nobody knows is no news.

    Raises InvalidGrant for another program's (RFC 7009, section 2.1).
    """
    found = _look_up(token)
    if found is None:
        return
    allow(found.family.client_id == client.id, InvalidGrant)
    if not found.family.ended_at:
        tokens.end_family(found.family.id, "signed_out")
        who = Actor(user_id=found.family.user_id, door=actor.door, address=actor.address)
        record(who, "token.ended", found.family)


def look_at(client: OAuthClient, token: str) -> dict[str, Any] | None:
    """What a token is good for (RFC 7662, section 2.2); None when for nothing, or none of its business.

    A program looks at its own tokens and at those of the programs of its clinic.
    """
    found = _look_up(token)
    if found is None or found.is_spent or found.family.ended_at or found.family.expires_at <= clock.now():
        return None
    owner = session().get(OAuthClient, found.family.client_id) if found.family.client_id else None
    user = session().get(User, found.family.user_id)
    if owner is None or owner.ended_at or user is None or not user.is_active:
        return None
    if owner.id != client.id and (owner.clinic_id is None or owner.clinic_id != client.clinic_id):
        return None
    return {
        "active": True,
        "iss": signing.issuer(),
        "sub": str(user.id),
        "client_id": owner.client_id,
        **found.told(),
    }


def prune() -> None:
    """Forget codes that are long over."""
    session().execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at < clock.now() - CODES_KEPT))


@dataclass(frozen=True)
class _Found:
    """A token that was shown: its family, and what it says if it is an access token."""

    family: TokenFamily
    access: tokens.Read | None = None
    is_spent: bool = False

    def told(self) -> dict[str, Any]:
        given = self.family.scopes or []
        if self.access is None:
            return {"scope": " ".join(given), "exp": int(self.family.expires_at.timestamp())}
        narrowed = [one for one in given if self.access.scopes is None or one in self.access.scopes]
        claims = {name: self.access.claims[name] for name in ("aud", "exp", "iat", "jti")}
        return {"token_type": "Bearer", "scope": " ".join(narrowed), **claims}


def _look_up(token: str) -> _Found | None:
    """The family of an access or a refresh token."""
    try:
        access = tokens.read(token)
    except tokens.TokenRefused:
        shown = select(RefreshToken).where(RefreshToken.fingerprint == secrets.fingerprint(token))
        refresh_ = session().scalars(shown).one_or_none()
        family = session().get(TokenFamily, refresh_.family_id) if refresh_ else None
        return _Found(family, is_spent=bool(refresh_ and refresh_.spent_at)) if family else None
    family = session().get(TokenFamily, access.family_id)
    return _Found(family, access) if family else None


def _end(_actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    """Codes on their way; one that is being changed for tokens is waited for, so that its tokens end too."""
    session().execute(delete(AuthorizationCode).where(AuthorizationCode.user_id == user_id))
    return 0


ACTS = acts_for.Kind("code", frozenset({AuthorizationCode.__tablename__}), _end)

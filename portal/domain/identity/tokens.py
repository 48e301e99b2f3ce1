"""Tokens for programs: short access tokens (JWT) and refresh tokens that rotate (RFC 6749, 7519, 9068)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from sqlalchemy import select

from portal.core import clock, secrets
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import NotFound, Unauthenticated, refuse
from portal.core.events import record
from portal.core.policy import as_id
from portal.core.text import lazy as _
from portal.domain.identity import sessions
from portal.domain.identity.models import RefreshToken, TokenFamily

AUDIENCE = "portal-api"
_ALGORITHM = "HS256"
_access = timedelta(minutes=15)
_refresh = timedelta(days=30)


class TokenRefused(Unauthenticated):
    """The token is not one of ours, is too old, or was taken back."""

    code = "invalid_token"
    sentence = _("This token is not valid (any more). Please sign in again.")


@dataclass(frozen=True)
class Grant:
    """What a program gets: seconds are the access token's."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the kind of token, not one


def live_for(access_minutes: int, refresh_days: int) -> None:
    """Say at start how long tokens last."""
    global _access, _refresh
    _access, _refresh = timedelta(minutes=access_minutes), timedelta(days=refresh_days)


def sign_in(
    actor: Actor, email: str, password: str, label: str | None = None, scopes: Sequence[str] | None = None
) -> Grant:
    """Tokens for a program that knows the password; raises SignInRefused or TooMany."""
    user = sessions.check_password(actor, email, password)
    now = clock.now()
    family = TokenFamily(
        id=new_id(),
        user_id=user.id,
        label=label,
        scopes=None if scopes is None else list(scopes),
        last_used_at=now,
        expires_at=now + _refresh,
    )
    session().add(family)
    session().flush()
    record(Actor(user_id=user.id, door=actor.door, address=actor.address), "token.granted", family)
    return _grant(family)


def refresh(actor: Actor, token: str) -> Grant:
    """New tokens for a refresh token, which is spent by it; showing a spent one ends the whole family."""
    found = session().scalars(
        select(RefreshToken).where(RefreshToken.fingerprint == secrets.fingerprint(token)).with_for_update()
    ).one_or_none() or refuse(TokenRefused)
    family = session().get(TokenFamily, found.family_id, with_for_update=True, populate_existing=True) or refuse(
        TokenRefused
    )
    if found.spent_at and not family.ended_at:
        raise TokenReused(family.id)
    if found.spent_at or family.ended_at or family.expires_at <= clock.now():
        raise TokenRefused
    found.spent_at = family.last_used_at = clock.now()
    record(Actor(user_id=family.user_id, door=actor.door, address=actor.address), "token.refreshed", family)
    return _grant(family)


class TokenReused(TokenRefused):
    """A refresh token was shown twice, so one of the two who showed it is a thief."""

    code = "token_reused"

    def __init__(self, family_id: UUID) -> None:
        super().__init__(audit="token.reused")
        self.family_id = family_id

    def afterwards(self) -> None:
        """End the family; done in a transaction of its own after the request's was undone."""
        end_family(self.family_id, "reused")


def sign_out(token_or_family: str | UUID) -> None:
    """Take back a refresh token's whole family, or the family given; an unknown one is no news."""
    if isinstance(token_or_family, UUID):
        end_family(token_or_family, "signed_out")
        return
    found = (
        session()
        .scalars(select(RefreshToken).where(RefreshToken.fingerprint == secrets.fingerprint(token_or_family)))
        .one_or_none()
    )
    if found:
        end_family(found.family_id, "signed_out")


def mine(actor: Actor) -> list[TokenFamily]:
    """The programs that are signed in for the actor, the one used last first."""
    now = clock.now()
    statement = select(TokenFamily).where(
        TokenFamily.user_id == actor.user_id, TokenFamily.ended_at.is_(None), TokenFamily.expires_at > now
    )
    return list(session().scalars(statement.order_by(TokenFamily.last_used_at.desc())))


def end_mine(actor: Actor, family_id: UUID | str) -> None:
    """Sign one of one's own programs out; raises NotFound for anybody else's."""
    family = session().get(TokenFamily, as_id(family_id))
    if family is None or family.user_id != actor.user_id:
        raise NotFound
    end_family(family.id, "signed_out")
    record(actor, "token.ended", family)


def end_family(family_id: UUID, why: str) -> None:
    family = session().get(TokenFamily, family_id)
    if family and not family.ended_at:
        family.ended_at, family.ended_why = clock.now(), why
        session().flush()


def read(access_token: str) -> UUID:
    """The family an access token belongs to; raises TokenRefused. The caller still asks whether it lives."""
    try:
        token = jwt.decode(access_token, _key(), algorithms=[_ALGORITHM])
        _claims().validate(token.claims)
        return UUID(token.claims["fam"])
    except (JoseError, ValueError, KeyError, TypeError):
        raise TokenRefused from None


def _grant(family: TokenFamily) -> Grant:
    now = clock.now()
    token = secrets.make_token()
    session().add(RefreshToken(family_id=family.id, fingerprint=secrets.fingerprint(token)))
    session().flush()
    claims: dict[str, Any] = {
        "iss": AUDIENCE,
        "aud": AUDIENCE,
        "sub": str(family.user_id),
        "fam": str(family.id),
        "iat": int(now.timestamp()),
        "exp": int((now + _access).timestamp()),
        "typ": "access",
    }
    access = jwt.encode({"alg": _ALGORITHM, "typ": "at+jwt"}, claims, _key())
    return Grant(access, token, int(_access.total_seconds()))


def _claims() -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=lambda: int(clock.now().timestamp()),
        iss={"essential": True, "value": AUDIENCE},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        sub={"essential": True},
        typ={"essential": True, "value": "access"},
    )


def _key() -> OctKey:
    return OctKey.import_key(secrets.derived("access-token"))

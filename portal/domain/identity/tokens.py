"""Tokens for programs: short access tokens (JWT) and refresh tokens that rotate (RFC 6749, 7519, 9068)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from portal.core import clock, live, secrets
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import NotFound, Refused, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.identity import acts_for, challenges, sessions, signing
from portal.domain.identity.acts_for import Thing
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.models import RefreshToken, TokenFamily, User
from portal.domain.identity.signing import Read, TokenRefused

__all__ = ["Grant", "Read", "TokenRefused", "TokenReused"]

KEPT = timedelta(days=30)  # families that are over, for whoever looks why a program stopped
_access = timedelta(minutes=15)
_refresh = timedelta(days=30)


class ScopeTooWide(Refused):
    """A program asked for more than it was given."""

    code = "invalid_scope"
    sentence = _("This asks for more than what was allowed.")


@dataclass(frozen=True)
class Grant:
    """What a program gets: seconds are the access token's; a program that acts for itself gets no refresh token."""

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
    """Tokens for a program that knows the password.

    Raises SignInRefused, TooMany, EmailNotVerified, or what has to follow: MailCodeRequired (mail_step.grant_tokens),
    SecondFactorRequired (second_step.grant_tokens).
    """
    narrowed = None if scopes is None else list(scopes)
    return enter(actor, sessions.identify(actor, email, password, "api", label=label, scopes=narrowed), label, scopes)


def enter(actor: Actor, user: User, label: str | None, scopes: Sequence[str] | None) -> Grant:
    """Tokens for a user who proved who they are in one way; raises SecondFactorRequired if they need two.

    Raises EmailNotVerified.
    """
    allow(user.is_verified, acts_for.EmailNotVerified)
    challenges.ask(actor, user, "api", label=label, scopes=None if scopes is None else list(scopes))
    return start(actor, user, label, scopes)


def start(actor: Actor, user: User, label: str | None, scopes: Sequence[str] | None) -> Grant:
    """Tokens for a program of a user who has proved who they are in every way they must.

    Raises ChangedHands, EmailNotVerified.
    """
    acts_for.hold(user)
    allow(user.is_verified, acts_for.EmailNotVerified)
    return _grant(open_family(actor, user.id, label, scopes))


def start_for_client(
    actor: Actor, client: OAuthClient, user_id: UUID, scopes: Sequence[str], *, alone: bool = False
) -> tuple[Grant, TokenFamily]:
    """Tokens for a known program that acts for this account; `alone`: without anybody there, so for once only."""
    lasts = _access if alone else _refresh
    family = open_family(actor, user_id, client.name, scopes, lasts=lasts, client=client)
    return _grant(family, client.client_id, refreshing=not alone), family


def open_family(
    actor: Actor,
    user_id: UUID,
    label: str | None,
    scopes: Sequence[str] | None,
    *,
    lasts: timedelta | None = None,
    client: OAuthClient | None = None,
) -> TokenFamily:
    """One sign-in of a program; the tokens that come of it live and die with it."""
    now = clock.now()
    family = TokenFamily(
        id=new_id(),
        user_id=user_id,
        client_id=client.id if client else None,
        label=label,
        place=sessions.known_place(actor) if client is None else None,  # a program asks from a place of its own
        scopes=None if scopes is None else list(scopes),
        last_used_at=now,
        expires_at=now + (lasts or _refresh),
    )
    session().add(family)
    session().flush()
    who = Actor(user_id=user_id, door=actor.door, address=actor.address)
    record(who, "token.granted", family, client_id=family.client_id)
    return family


def refresh(actor: Actor, token: str, client: OAuthClient | None = None, scopes: Sequence[str] | None = None) -> Grant:
    """New tokens for a refresh token, which is spent by it; showing a spent one ends the whole family.

    The token must have been given to `client`, or to nobody's program in particular when that is None. `scopes` narrows
    the new access token and no later one. Raises TokenRefused, TokenReused, ScopeTooWide.
    """
    found = session().scalars(
        select(RefreshToken).where(RefreshToken.fingerprint == secrets.fingerprint(token)).with_for_update()
    ).one_or_none() or refuse(TokenRefused)
    family = session().get(TokenFamily, found.family_id, with_for_update=True, populate_existing=True)
    if family is None or family.client_id != (client.id if client else None):
        raise TokenRefused
    if found.spent_at and not family.ended_at:
        raise TokenReused(family.id)
    if found.spent_at or family.ended_at or family.expires_at <= clock.now():
        raise TokenRefused
    if scopes is not None and not set(scopes) <= set(family.scopes or ()):
        raise ScopeTooWide
    found.spent_at = family.last_used_at = clock.now()
    record(Actor(user_id=family.user_id, door=actor.door, address=actor.address), "token.refreshed", family)
    return _grant(family, client.client_id if client else signing.FIRST_PARTY, scopes)


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
        live.look_again([family.user_id])  # its streams look, and end


def read(access_token: str) -> Read:
    """What an access token says; raises TokenRefused. The caller still asks whether its family lives."""
    return signing.read(access_token)


def prune() -> None:
    """Forget families that ended a while ago, with their refresh tokens."""
    session().execute(delete(TokenFamily).where(TokenFamily.expires_at < clock.now() - KEPT))


def _grant(
    family: TokenFamily,
    client: str = signing.FIRST_PARTY,
    scopes: Sequence[str] | None = None,
    *,
    refreshing: bool = True,
) -> Grant:
    token = ""
    if refreshing:
        token = secrets.make_token()
        session().add(RefreshToken(family_id=family.id, fingerprint=secrets.fingerprint(token)))
        session().flush()
    access = signing.write(
        user_id=family.user_id,
        family_id=family.id,
        lasts=_access,
        client=client,
        scopes=family.scopes if scopes is None else scopes,
    )
    return Grant(access, token, int(_access.total_seconds()))


def _things(actor: Actor, _user_id: UUID) -> list[Thing]:
    return [
        Thing(
            "program", one.id, one.label or "", one.created_at, one.last_used_at, one.expires_at, scopes=one.scopes,
            is_current=one.id == actor.session_id,
        )
        for one in mine(actor)
    ]  # fmt: skip


def _end(_actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    """Every sign-in of a program; how many could still be used. Their streams look when they are nudged, and end."""
    now = clock.now()
    families = update(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.ended_at.is_(None))
    ended = session().scalars(
        families.values(ended_at=now, ended_why="revoked").returning(TokenFamily.expires_at),
        execution_options={"synchronize_session": "fetch"},
    )
    return sum(until > now for until in ended)


ACTS = acts_for.Kind(
    "program",
    frozenset({TokenFamily.__tablename__, RefreshToken.__tablename__}),
    _end,
    find=_things,
    end_one=end_mine,
    counted=lambda n: ngettext("%(n)s program that acted for you", "%(n)s programs that acted for you", n),
)

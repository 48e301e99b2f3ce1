"""Half a sign-in: the password was right, the account has a second factor, and its code is still to come.

Nothing is opened and nothing is stored meanwhile: whoever signs in keeps a signed challenge that says who they are,
grows old in minutes, and is worth nothing at another door or after what acts for the account ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Gone, Unauthenticated
from portal.core.events import record
from portal.core.text import lazy as _
from portal.domain.identity.factor_models import SecondFactor
from portal.domain.identity.models import User

LASTS = {"web": timedelta(minutes=10), "api": timedelta(minutes=5)}


class SecondFactorRequired(Unauthenticated):
    """The password was right; `challenge` says so, and wants a code beside it."""

    code = "second_factor_required"
    sentence = _("Please also enter the code from your authenticator app.")

    @property
    def challenge(self) -> str:
        return str(self.facts["challenge"])


class ChallengeOver(Gone):
    """The code came too late, or what the challenge stands for has changed since."""

    code = "challenge_over"
    sentence = _("This took too long. Please sign in again.")


@dataclass(frozen=True)
class Challenge:
    """Who showed the password, and what they asked for with it."""

    user: User
    facts: Mapping[str, Any]


def ask(actor: Actor, user: User, door: str, **facts: Any) -> None:
    """Go on if the account has no second factor; raises SecondFactorRequired, whose challenge carries `facts`."""
    stands = select(SecondFactor.id).where(SecondFactor.user_id == user.id, SecondFactor.confirmed_at.is_not(None))
    if session().scalar(stands) is None:
        return
    record(actor, "session.half_started", user_id=user.id)
    signed = secrets.sign(_purpose(door), {"user": str(user.id), "since": since(user), "facts": facts})
    raise SecondFactorRequired(challenge=signed, audit="session.half_started", user_id=user.id)


def read(door: str, challenge: str) -> Challenge:
    """What the challenge says; raises ChallengeOver when it is too old, altered, or its account has changed."""
    try:
        said = secrets.unsign(_purpose(door), challenge, max_age=int(LASTS[door].total_seconds()))
    except Gone:
        raise ChallengeOver from None
    taken = {"key_share": True}  # the account first, then its factor: as whoever ends them does
    user = session().get(User, UUID(said["user"]), populate_existing=True, with_for_update=taken)
    if user is None or not user.is_active or since(user) != said["since"]:
        raise ChallengeOver
    return Challenge(user, said["facts"])


def since(user: User) -> str:
    """Since when the account stands as it does: another one, once what acts for it has ended."""
    return " ".join(at.isoformat() if at else "-" for at in (user.password_changed_at, user.access_since))


def _purpose(door: str) -> str:
    return f"second-factor:{door}"

"""Links that work once: made here, mailed by a task, used by exactly one POST.

The newest three of a purpose work until one of them is used, then none does: a letter that a stranger asked for takes
no link from the account's owner.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock, limits, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Gone, refuse
from portal.domain.identity import acts_for
from portal.domain.identity.models import OneTimeToken, User

LIFETIME = {
    "verify": timedelta(hours=24),
    "reset": timedelta(hours=1),  # twice as long as letters.PER_ADDRESSEE counts: see there
    "sign_in": timedelta(minutes=15),
}
NEWEST = 3
PER_PLACE = "60 per hour"  # links that a place asks for; one that was used is not counted any more


def count_asking(actor: Actor) -> str:
    """Count that a link is asked for from here; returns the place's mark, which travels with it. Raises TooMany."""
    asked_at = limits.mark("place", actor.place)
    limits.hit(PER_PLACE, "link", asked_at)
    return asked_at


def uncount_asking(asked_at: str) -> None:
    """Do not count it any more: the link was used, so whoever asked was who they said, or none was made."""
    limits.give_back(PER_PLACE, "link", asked_at)


def make(purpose: str, user: User, *, token: str | None = None, **facts: Any) -> str:
    """A new token for `user` (`token`, if it was drawn already); two earlier ones of its purpose go on working."""
    now = clock.now()
    newest = (
        select(OneTimeToken.id)
        .where(*_open(purpose, user.id))
        .order_by(OneTimeToken.created_at.desc(), OneTimeToken.id.desc())
        .limit(NEWEST - 1)
    )
    _end(*_open(purpose, user.id), OneTimeToken.id.not_in(newest))
    token = token or secrets.make_token()
    session().add(
        OneTimeToken(
            purpose=purpose,
            user_id=user.id,
            fingerprint=secrets.fingerprint(token),
            expires_at=now + LIFETIME[purpose],
            facts=facts,
        )
    )
    session().flush()
    return token


def look(purpose: str, token: str) -> OneTimeToken:
    """The token's row with its user, for showing the page; raises Gone when used, expired or unknown."""
    found = session().scalars(_usable(purpose, token)).one_or_none()
    return found or refuse(Gone)


def use(purpose: str, token: str) -> OneTimeToken:
    """Spend the token, and with it the others for its purpose; of two at once one wins, the other gets Gone.

    The account is taken for this transaction.
    """
    user_id = look(purpose, token).user_id
    acts_for.take(user_id)  # of two tokens, too, one wins
    found = session().scalars(_usable(purpose, token).with_for_update(of=OneTimeToken)).one_or_none() or refuse(Gone)
    found.used_at = clock.now()
    session().flush()
    end_all(purpose, user_id)
    if asked_at := found.facts.get("asked_at"):
        uncount_asking(asked_at)
    return found


def end_all(purpose: str, user_id: UUID) -> None:
    """No link for this purpose works any more."""
    _end(*_open(purpose, user_id))


def _end(*which: ColumnElement[bool]) -> None:
    session().execute(update(OneTimeToken).where(*which).values(used_at=clock.now()))


def _open(purpose: str, user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return OneTimeToken.user_id == user_id, OneTimeToken.purpose == purpose, OneTimeToken.used_at.is_(None)


def _end_acting(_actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    for purpose in LIFETIME:
        end_all(purpose, user_id)
    return 0


def _usable(purpose: str, token: str) -> Any:
    return (
        select(OneTimeToken)
        .join(OneTimeToken.user)
        .options(contains_eager(OneTimeToken.user))
        .where(
            OneTimeToken.fingerprint == secrets.fingerprint(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > clock.now(),
            User.deactivated_at.is_(None),
        )
        .execution_options(populate_existing=True)
    )


ACTS = acts_for.Kind("link", frozenset({OneTimeToken.__tablename__}), _end_acting)

"""Links that work once: made here, mailed by a task, used by exactly one POST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import contains_eager

from portal.core import clock, secrets
from portal.core.db import session
from portal.core.errors import Gone, refuse
from portal.domain.identity.models import OneTimeToken, User

LIFETIME = {"verify": timedelta(hours=24), "reset": timedelta(minutes=30), "invite": timedelta(days=7)}


def make(purpose: str, user: User, **facts: Any) -> str:
    """A new token for `user`; earlier ones for the same purpose stop working."""
    now = clock.now()
    end_all(purpose, user.id)
    token = secrets.make_token()
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
    """Spend the token; of two at once one wins, the other gets Gone."""
    found = session().scalars(_usable(purpose, token).with_for_update(of=OneTimeToken)).one_or_none() or refuse(Gone)
    found.used_at = clock.now()
    session().flush()
    return found


def end_all(purpose: str, user_id: UUID) -> None:
    session().execute(
        update(OneTimeToken)
        .where(OneTimeToken.user_id == user_id, OneTimeToken.purpose == purpose, OneTimeToken.used_at.is_(None))
        .values(used_at=clock.now())
    )


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

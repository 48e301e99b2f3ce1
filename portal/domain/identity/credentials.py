"""Passwords of accounts: forgotten, reset, changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.events import record
from portal.domain.identity import accounts, acts_for, letters, links, passwords, sessions
from portal.domain.identity.acts_for import Ended
from portal.domain.identity.models import User


def forgot(actor: Actor, email: str, **facts: Any) -> None:
    """Mail a link to choose a new password, if there is such an account; everything is the same if there is none.

    `facts` travel with the link. Raises TooMany.
    """
    asked_at = links.count_asking(actor)
    user = accounts.by_email(email)
    if user and not user.is_active:
        user = None
    record(actor, "password.forgotten", user)
    letters.post(letters.reset, email, user, {**facts, "asked_at": asked_at})


def reset(actor: Actor, token: str, password: str) -> tuple[User, dict[str, Any]]:
    """Set a new password by link; what acted for the account ends. Returns the user and the link's facts.

    Raises Gone or Invalid.
    """
    user, facts, ended = _choose(actor, "reset", token, password, "password.reset")
    letters.tell_new_password(user, ended)
    return user, facts


def change(actor: Actor, current_password: str, password: str) -> Ended:
    """Set a new password, knowing the present one; what acted for the account ends, a program's own sign-in too.

    The browser goes on under a new token, which is returned with what ended. Raises Invalid or TooMany.
    """
    user = accounts.get(actor.user_id)
    sessions.prove(actor, current_password, "current_password")
    hashed = passwords.accept(password, user.email, user.given_name, user.family_name)
    ended = acts_for.end(actor, user, acts_for.CHANGED, spare=actor.session_id)
    _set(actor, user, hashed, "password.changed")
    letters.tell_new_password(user, ended)
    return ended


def _choose(actor: Actor, purpose: str, token: str, password: str, event: str) -> tuple[User, dict[str, Any], Ended]:
    user = links.look(purpose, token).user
    hashed = passwords.accept(password, user.email, user.given_name, user.family_name)
    link = links.use(purpose, token)
    ended = acts_for.end(actor, user, acts_for.RESET if user.is_verified else acts_for.VERIFIED)
    user.email_verified_at = user.email_verified_at or clock.now()  # they could open the mail
    _set(actor, user, hashed, event)
    return user, link.facts, ended


def _set(actor: Actor, user: User, hashed: str, event: str) -> None:
    user.password_hash, user.password_changed_at, user.registered_mark = hashed, clock.now(), None
    session().flush()
    record(actor, event, user)


def _end(_actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    """The password of whoever registered the address opens nothing any more."""
    user = accounts.get(user_id)
    had, user.password_hash = user.password_hash is not None, None
    session().flush()
    return int(had)


ACTS = acts_for.Kind("password", frozenset({User.__tablename__}), _end)

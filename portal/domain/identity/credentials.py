"""Passwords of accounts: forgotten, reset, changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.core import clock, tasks
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid
from portal.core.events import record
from portal.core.text import lazy as _
from portal.domain.identity import accounts, letters, links, passwords, sessions
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
    """Set a new password by link; every session ends. Returns the user and the link's facts. Raises Gone or Invalid."""
    user, facts = _choose(actor, "reset", token, password, "password.reset")
    tasks.later(letters.password_changed, user.id)
    return user, facts


def change(actor: Actor, current_password: str, password: str) -> None:
    """Set a new password, knowing the present one; every other session ends. Raises Invalid or TooMany."""
    user = accounts.get(actor.user_id)
    try:
        sessions.check_again(actor, current_password)
    except sessions.SignInRefused:
        sentence = _("This is not your present password.")
        raise Invalid(fields={"current_password": sentence}, code="wrong_password", audit="password.refused") from None
    hashed = passwords.accept(password, user.email, user.given_name, user.family_name)
    _set(actor, user, hashed, "password.changed", spare=actor.session_id)
    tasks.later(letters.password_changed, user.id)


def _choose(actor: Actor, purpose: str, token: str, password: str, event: str) -> tuple[User, dict[str, Any]]:
    user = links.look(purpose, token).user
    hashed = passwords.accept(password, user.email, user.given_name, user.family_name)
    link = links.use(purpose, token)
    user.email_verified_at = user.email_verified_at or clock.now()  # they could open the mail
    _set(actor, user, hashed, event)
    return user, link.facts


def _set(actor: Actor, user: User, hashed: str, event: str, spare: UUID | None = None) -> None:
    user.password_hash, user.password_changed_at = hashed, clock.now()
    session().flush()
    sessions.end_all(user.id, spare=spare)
    links.end_all("reset", user.id)
    record(actor, event, user)

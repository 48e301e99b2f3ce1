"""Letters that must arrive whatever someone's preferences: about the account itself. Tasks; links are made here.

A link's token exists only in the mail: the task's record holds ids.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.core import clock
from portal.core.db import session
from portal.core.tasks import task
from portal.domain.identity import links
from portal.domain.identity.models import User
from portal.gateways import mail


@task
def verify(user_id: str, facts: dict[str, Any]) -> None:
    """Ask someone to show that the address is theirs."""
    user = _active(user_id)
    if user and not user.email_verified_at:
        _send(user, "verify", token=links.make("verify", user, **facts))


@task
def already_registered(user_id: str) -> None:
    """Tell the owner of an address that somebody tried to register with it; offer a new password."""
    user = _active(user_id)
    if user:
        _send(user, "already_registered", token=links.make("reset", user))


@task
def reset(user_id: str) -> None:
    """The link to choose a new password."""
    user = _active(user_id)
    if user:
        _send(user, "reset", token=links.make("reset", user))


@task
def invitation(user_id: str, facts: dict[str, Any]) -> None:
    """The link by which an invited person chooses a password; one who has a password is told of the new role."""
    user = _active(user_id)
    if user and user.password_hash:
        _send(user, "new_role", **facts)
    elif user:
        _send(user, "invitation", token=links.make("invite", user, **facts), **facts)


@task
def password_changed(user_id: str) -> None:
    """Tell someone that their password is another now, in case it was not them."""
    user = _active(user_id)
    if user:
        _send(user, "password_changed", at=clock.now())


def _active(user_id: str) -> User | None:
    user = session().get(User, UUID(user_id))
    return user if user and user.is_active else None


def _send(user: User, notice: str, **about: Any) -> None:
    key = f"{notice}:{user.id}:{about.get('token', clock.now().isoformat())}"
    mail.send(user.email, user.name, notice, user.locale, key, **about)

"""Accounts: made, verified, deactivated. Their passwords are changed in credentials.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.paging import Page, page
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.identity import letters, links, passwords, sessions
from portal.domain.identity.models import User


class OwnAccount(Conflict):
    """The account is the one who asks."""

    code = "own_account"
    sentence = _("You cannot deactivate your own account.")


class HasAccount(Conflict):
    """The address has an account."""

    code = "has_account"
    sentence = _("This address has an account already. Please sign in.")


def register(
    actor: Actor, *, email: str, password: str, given_name: str, family_name: str, locale: str, **facts: Any
) -> User | None:
    """Make an account that still has to verify its address; None when the address has one already.

    Either way the address gets a mail, so the answer does not tell whether the account exists. `facts` travel with
    the link (where to go on afterwards). Raises Invalid for a weak password and TooMany.
    """
    asked_at = links.count_asking(actor)
    try:
        hashed = passwords.accept(password, email, given_name, family_name)
    except Invalid:
        links.uncount_asking(asked_at)
        raise
    facts["asked_at"] = asked_at
    user = _insert(email=email, password_hash=hashed, given_name=given_name, family_name=family_name, locale=locale)
    if user is None:
        letters.post(letters.already_registered, email, by_email(email), facts)
        return None
    record(actor, "user.registered", user)
    letters.post(letters.verify, email, user, facts)
    return user


def verify_email(actor: Actor, token: str) -> tuple[User, dict[str, Any]]:
    """The address is the person's own: they could open the link. Raises Gone. Returns the user and the link's facts."""
    link = links.use("verify", token)
    user = link.user
    if not user.email_verified_at:
        user.email_verified_at = clock.now()
        session().flush()
        record(actor, "user.verified", user)
    return user, link.facts


def send_verification(actor: Actor, email: str = "", **facts: Any) -> None:
    """Mail the link again, to whoever is signed in or to `email`; nothing tells whether there was anything to send.

    Raises TooMany.
    """
    facts["asked_at"] = links.count_asking(actor)
    user = get(actor.user_id) if actor.user_id else by_email(email)
    waiting = user if user and not user.is_verified else None
    letters.post(letters.verify, user.email if user else email, waiting, facts)


def open_proved(
    actor: Actor, *, email: str, password_hash: str, given_name: str, family_name: str, locale: str
) -> User:
    """A new account of somebody who has shown that the address is theirs. Raises HasAccount when it has one.

    Whoever calls this has taken the proof, such as a link that was mailed there.
    """
    now = clock.now()
    user = _insert(
        email=email,
        password_hash=password_hash,
        password_changed_at=now,
        email_verified_at=now,
        given_name=given_name,
        family_name=family_name,
        locale=locale,
    )
    if user is None:
        raise HasAccount
    record(replace(actor, user_id=user.id), "user.registered", user)
    return user


def deactivate(actor: Actor, user_id: UUID) -> User:
    """Shut an account at once: its sessions and tokens end with this transaction."""
    allow(actor.is_superadmin)
    user = get(user_id)
    if user.id == actor.user_id:
        raise OwnAccount
    if user.is_active:
        user.deactivated_at = clock.now()
        session().flush()
        sessions.end_all(user.id)
        record(actor, "user.deactivated", user)
    return user


def reactivate(actor: Actor, user_id: UUID) -> User:
    """Open a deactivated account again; they sign in as before."""
    allow(actor.is_superadmin)
    user = get(user_id)
    if not user.is_active:
        user.deactivated_at = None
        session().flush()
        record(actor, "user.reactivated", user)
    return user


def rename(actor: Actor, *, given_name: str, family_name: str, locale: str) -> User:
    """Change one's own name and language."""
    user = get(actor.user_id)
    user.given_name, user.family_name, user.locale = given_name, family_name, locale
    session().flush()
    record(actor, "user.changed", user)
    return user


def choose_language(actor: Actor, locale: str) -> None:
    """Remember the language someone reads in."""
    if actor.user_id:
        get(actor.user_id).locale = locale
        session().flush()


def make_superadmin(email: str, password: str, given_name: str = "Super", family_name: str = "Admin") -> User:
    """The first superadmin, from the command line or the environment. Raises Invalid for a weak password."""
    hashed = passwords.accept(password, email)
    user = _insert(email=email, given_name=given_name, family_name=family_name) or by_email(email) or refuse(NotFound)
    user.password_hash, user.password_changed_at = hashed, clock.now()
    user.is_superadmin, user.deactivated_at = True, None
    user.email_verified_at = user.email_verified_at or clock.now()
    session().flush()
    record(SYSTEM, "user.made_superadmin", user)
    return user


def get(user_id: UUID | None) -> User:
    """The account with this id; raises NotFound."""
    return (session().get(User, user_id) if user_id else None) or refuse(NotFound)


def by_email(email: str) -> User | None:
    """The account of this address, however it is written (core.emails)."""
    return session().scalars(select(User).where(User.email == email)).one_or_none()


def search(actor: Actor, text: str = "", after: str | None = None, limit: int = 25) -> Page[User]:
    """Accounts by name or e-mail, for the superadmin."""
    allow(actor.is_superadmin)
    statement = select(User)
    if text:
        # the very expression of the index ix_users_search
        whole = func.lower(User.given_name + " " + User.family_name + " " + cast(User.email, Text))
        statement = statement.where(whole.contains(text.lower(), autoescape=True))
    return page(statement, [User.family_name, User.given_name, User.id], after=after, limit=limit)


def _insert(**values: Any) -> User | None:
    """A new account, or None when the address has one: of two that come at once, one makes it."""
    statement = insert(User).values(**values).on_conflict_do_nothing(index_elements=["email"]).returning(User)
    return session().scalars(statement).one_or_none()

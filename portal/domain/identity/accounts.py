"""Accounts: made, verified, invited, deactivated, and their passwords."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from portal.core import clock, tasks
from portal.core.actor import SYSTEM, Actor
from portal.core.db import session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.paging import Page, page
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.identity import letters, links, passwords, sessions
from portal.domain.identity.models import User


def register(
    actor: Actor, *, email: str, password: str, given_name: str, family_name: str, locale: str, **facts: Any
) -> User | None:
    """Make an account that still has to verify its address; None when the address has one already.

    Either way the address gets a mail, so the answer does not tell whether the account exists. `facts` travel with
    the link (where to go on afterwards).
    """
    hashed = passwords.accept(password, email, given_name, family_name)
    existing = by_email(email)
    if existing:
        tasks.later(letters.already_registered, existing.id)
        return None
    user = User(email=email, password_hash=hashed, given_name=given_name, family_name=family_name, locale=locale)
    session().add(user)
    session().flush()
    record(actor, "user.registered", user)
    tasks.later(letters.verify, user.id, facts)
    return user


def verify_email(actor: Actor, token: str) -> tuple[User, dict[str, Any]]:
    """The address is the person's own: they could open the link. Raises Gone. Returns the user and the link's facts."""
    link = links.use("verify", token)
    user = link.user
    if not user.email_verified_at:
        user.email_verified_at = clock.now()
        record(actor, "user.verified", user)
    return user, link.facts


def send_verification(actor: Actor) -> None:
    """Mail the link again to whoever is signed in and has not used it."""
    user = get(actor.user_id)
    if not user.email_verified_at:
        tasks.later(letters.verify, user.id, {})


def forgot(actor: Actor, email: str) -> None:
    """Mail a link to choose a new password, if there is such an account; the answer is the same if there is none."""
    user = by_email(email)
    if user and user.is_active:
        record(actor, "password.forgotten", user)
        tasks.later(letters.reset, user.id)


def reset_password(actor: Actor, token: str, password: str) -> User:
    """Set a new password by link; every session ends. Raises Gone or Invalid."""
    user = links.look("reset", token).user
    hashed = passwords.accept(password, user.email, user.given_name, user.family_name)
    links.use("reset", token)
    _set_password(actor, user, hashed, "password.reset")
    user.email_verified_at = user.email_verified_at or clock.now()
    return user


def change_password(actor: Actor, current_password: str, password: str) -> None:
    """Set a new password, knowing the present one; every other session ends."""
    user = get(actor.user_id)
    if not passwords.matches(current_password, user.password_hash):
        raise Invalid(fields={"current_password": _("This is not your present password.")}, audit="password.refused")
    hashed = passwords.accept(password, user.email, user.given_name, user.family_name)
    _set_password(actor, user, hashed, "password.changed", spare=actor.session_id)
    tasks.later(letters.password_changed, user.id)


def invite(actor: Actor, *, email: str, given_name: str, family_name: str, locale: str, **facts: Any) -> User:
    """An account for someone who will choose their own password by a link; an existing account is taken as it is.

    Whoever calls this has checked that the actor may give the role.
    """
    user = by_email(email)
    if user and not user.is_active:
        raise Conflict(_("This account is deactivated. Reactivate it first."), code="deactivated")
    if user is None:
        user = User(email=email, given_name=given_name, family_name=family_name, locale=locale)
        session().add(user)
        session().flush()
        record(actor, "user.invited", user, **facts)
    tasks.later(letters.invitation, user.id, {key: str(value) for key, value in facts.items()})
    return user


def accept_invitation(actor: Actor, token: str, password: str) -> User:
    """The invited person chooses a password; the address counts as verified. Raises Gone or Invalid."""
    user = links.look("invite", token).user
    hashed = passwords.accept(password, user.email, user.given_name, user.family_name)
    links.use("invite", token)
    _set_password(actor, user, hashed, "invitation.accepted")
    user.email_verified_at = user.email_verified_at or clock.now()
    return user


def deactivate(actor: Actor, user_id: UUID) -> User:
    """Shut an account at once: its sessions and tokens end with this transaction."""
    allow(actor.is_superadmin)
    user = get(user_id)
    if user.id == actor.user_id:
        raise Conflict(_("You cannot deactivate your own account."), code="own_account")
    if user.is_active:
        user.deactivated_at = clock.now()
        sessions.end_all(user.id)
        record(actor, "user.deactivated", user)
    return user


def reactivate(actor: Actor, user_id: UUID) -> User:
    """Open a deactivated account again; they sign in as before."""
    allow(actor.is_superadmin)
    user = get(user_id)
    if not user.is_active:
        user.deactivated_at = None
        record(actor, "user.reactivated", user)
    return user


def rename(actor: Actor, *, given_name: str, family_name: str, locale: str) -> User:
    """Change one's own name and language."""
    user = get(actor.user_id)
    user.given_name, user.family_name, user.locale = given_name, family_name, locale
    record(actor, "user.changed", user)
    return user


def choose_language(actor: Actor, locale: str) -> None:
    """Remember the language someone reads in."""
    if actor.user_id:
        get(actor.user_id).locale = locale


def make_superadmin(email: str, password: str, given_name: str = "Super", family_name: str = "Admin") -> User:
    """The first superadmin, from the command line or the environment. Raises Invalid for a weak password."""
    user = by_email(email)
    if user is None:
        user = User(email=email, given_name=given_name, family_name=family_name)
        session().add(user)
    user.password_hash = passwords.accept(password, email)
    user.is_superadmin, user.deactivated_at = True, None
    user.email_verified_at = user.email_verified_at or clock.now()
    session().flush()
    record(SYSTEM, "user.made_superadmin", user)
    return user


def get(user_id: UUID | None) -> User:
    return session().get(User, user_id) or refuse(NotFound) if user_id else refuse(NotFound)


def by_email(email: str) -> User | None:
    return session().scalars(select(User).where(User.email == email)).one_or_none()


def search(actor: Actor, text: str = "", after: str | None = None, limit: int = 25) -> Page[User]:
    """Accounts by name or e-mail, for the superadmin."""
    allow(actor.is_superadmin, Forbidden)
    statement = select(User)
    if text:
        whole = func.lower(User.given_name + " " + User.family_name + " " + func.cast(User.email, _text()))
        pattern = "%" + text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        statement = statement.where(or_(whole.like(pattern)))
    return page(statement, [User.family_name, User.given_name, User.id], after=after, limit=limit)


def _set_password(actor: Actor, user: User, hashed: str, event: str, spare: UUID | None = None) -> None:
    user.password_hash, user.password_changed_at = hashed, clock.now()
    sessions.end_all(user.id, spare=spare)
    links.end_all("reset", user.id)
    record(actor, event, user)


def _text() -> Any:
    from sqlalchemy import Text

    return Text()

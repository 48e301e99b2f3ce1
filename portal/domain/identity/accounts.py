"""Accounts: made, verified, deactivated. Their passwords are changed in credentials.py."""

from __future__ import annotations

from dataclasses import replace
from hmac import compare_digest
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Text, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock, emails, names, secrets
from portal.core.actor import SYSTEM, Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.paging import Page, page
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.identity import acts_for, letters, links, passwords
from portal.domain.identity.models import SEARCHED, User


class OwnAccount(Conflict):
    """The account is the one who asks."""

    code = "own_account"
    sentence = _("You cannot deactivate your own account.")


class HasAccount(Conflict):
    """The address has an account."""

    code = "has_account"
    sentence = _("This address has an account already. Please sign in.")


class PasswordNeeded(Invalid):
    """Whoever confirms the address did not show that they chose the account's password."""

    code = "password_needed"

    def __init__(self) -> None:
        super().__init__(fields={"password": _("Please choose a password. You sign in with it from now on.")})


def register(
    actor: Actor,
    *,
    email: str,
    password: str,
    given_name: str,
    family_name: str,
    locale: str,
    mark: str = "",
    **facts: Any,
) -> User | None:
    """Make an account that still has to verify its address; None when the address has one already.

    Either way the address gets a mail, so the answer does not tell whether the account exists. `facts` travel with
    the link (where to go on afterwards). `mark` is a secret of the browser, by which it is known again when the address
    is verified. Raises Invalid for a weak password and TooMany.
    """
    asked_at = links.count_asking(actor)
    try:
        hashed = passwords.accept(password, email, given_name, family_name)
    except Invalid:
        links.uncount_asking(asked_at)
        raise
    facts["asked_at"] = asked_at
    about: dict[str, Any] = {"given_name": given_name, "family_name": family_name, "locale": locale}
    marked = secrets.fingerprint(mark) if mark else None
    user = _insert(email=email, password_hash=hashed, registered_mark=marked, **about)
    if user is None:
        letters.post(letters.already_registered, email, by_email(email), facts)
        return None
    record(actor, "user.registered", user)
    letters.post(letters.verify, email, user, facts)
    return user


def verify_email(
    actor: Actor, token: str, *, mark: str = "", password: str | None = None
) -> tuple[User, dict[str, Any], str]:
    """The address is the person's own: they could open the link.

    Whoever registered it may have been a stranger, so what was let in before ends. The password stays only if the
    browser shows that it is the maker's (see is_made_here); otherwise `password` replaces it. Returns the user, the
    link's facts and the new token of the browser's own session, empty when it has none. Raises Gone, Invalid.
    """
    user = links.look("verify", token).user
    keeps = is_made_here(actor, user, mark)
    hashed = None if keeps else _chosen(user, password)
    link = links.use("verify", token)
    own = actor.session_id if actor.user_id == user.id else None
    ended = acts_for.end(actor, user, acts_for.VERIFIED, spare=own, but=("password",) if keeps else ())
    if hashed:
        user.password_hash, user.password_changed_at = hashed, clock.now()
    user.email_verified_at, user.registered_mark = clock.now(), None
    session().flush()
    record(actor, "user.verified", user)
    letters.tell_ended(user, acts_for.VERIFIED, ended)
    return user, link.facts, ended.cookie


def is_made_here(actor: Actor, user: User, mark: str = "") -> bool:
    """Whether this browser is signed in to the account, or is the one in which its password was chosen (`mark`)."""
    if not user.password_hash:
        return False
    made_it = bool(mark) and compare_digest(secrets.fingerprint(mark), user.registered_mark or "")
    return made_it or (actor.door == "web" and actor.user_id == user.id)


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


def sign_out_everywhere(actor: Actor) -> acts_for.Ended:
    """End everything that acts for one's own account but this browser, which goes on under a new token.

    A program's own sign-in ends with the rest. Whoever calls this has seen the password once more.
    """
    ended = acts_for.end_mine(actor, acts_for.EVERYWHERE)
    letters.tell_ended(get(actor.user_id), acts_for.EVERYWHERE, ended)
    return ended


def deactivate(actor: Actor, user_id: UUID) -> User:
    """Shut an account at once: what acts for it ends with this transaction.

    Whoever calls this has looked at a doctor's visits that are booked (withdrawing.shut_account).
    """
    user = to_shut(actor, user_id)
    shut(actor, user)
    return user


def shut(actor: Actor, user: User) -> bool:
    """Shut it; whoever calls this has checked that the actor may. False when it was shut already."""
    if not user.is_active:
        return False
    user.deactivated_at = clock.now()
    session().flush()
    acts_for.end(actor, user, acts_for.SHUT)
    record(actor, "user.deactivated", user)
    return True


def to_shut(actor: Actor, user_id: UUID | str) -> User:
    """The account, for who may shut it: a superadmin, never one's own. Raises NotFound, Forbidden or OwnAccount."""
    allow(actor.is_superadmin)
    user = get(as_id(user_id))
    if user.id == actor.user_id:
        raise OwnAccount
    return user


def reactivate(actor: Actor, user_id: UUID) -> User:
    """Open a deactivated account again; they sign in as before."""
    allow(actor.is_superadmin)
    user = get(user_id)
    open_again(actor, user)
    return user


def open_again(actor: Actor, user: User) -> None:
    """Open it; whoever calls this has checked that the actor may."""
    if not user.is_active:
        user.deactivated_at = None
        session().flush()
        record(actor, "user.reactivated", user)


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
    acts_for.end(SYSTEM, user, acts_for.RESET if user.is_verified else acts_for.VERIFIED)
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
        whole: ColumnElement[str] = literal_column(SEARCHED, Text)  # the very expression of the index ix_users_search
        statement = statement.where(*(_holds(whole, word) for word in text.split()))
    return page(statement, [User.family_name, User.given_name, User.id], after=after, limit=limit)


def _holds(whole: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """In SQL: it holds this word as names are compared, or as e-mail addresses are."""
    forms = {names.fold(word), emails.normalise(word)} - {""}
    return or_(*(whole.contains(form, autoescape=True) for form in forms)) if forms else literal_column("true", Boolean)


def _chosen(user: User, password: str | None) -> str:
    if password is None:
        raise PasswordNeeded
    return passwords.accept(password, user.email, user.given_name, user.family_name)


def _insert(**values: Any) -> User | None:
    """A new account, or None when the address has one: of two that come at once, one makes it."""
    statement = insert(User).values(**values).on_conflict_do_nothing(index_elements=["email"]).returning(User)
    return session().scalars(statement).one_or_none()

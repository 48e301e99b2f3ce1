"""Signing in and out, and the list of signed-in browsers a person can end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock, emails, limits, live, places, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid, NotFound, TooMany, Unauthenticated, refuse
from portal.core.events import record
from portal.core.policy import as_id
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.identity import acts_for, challenges, mail_challenges, passwords
from portal.domain.identity.acts_for import Thing
from portal.domain.identity.models import OneTimeToken, TokenFamily, User, UserSession

# Wrong passwords. Beyond the first two the right one still opens the account, with a code that is mailed to its owner.
PER_PERSON_AND_PLACE = "10 per 15 minutes"
PER_PERSON_ELSEWHERE = "50 per hour"  # from all places together at which the person never signed in
PER_PLACE = "100 per 15 minutes"
PER_SESSION = "10 per 15 minutes"  # asked once more of whoever is signed in

_idle = timedelta(hours=12)
_absolute = timedelta(days=14)
_sudo = timedelta(minutes=15)


class SignInRefused(Unauthenticated):
    """Wrong e-mail or password; never says which."""

    code = "sign_in_refused"
    sentence = _("This e-mail and password do not belong together. Please try again, or choose a new password.")


def limit_by(idle_minutes: int, absolute_hours: int, sudo_minutes: int) -> None:
    """Say at start how long a session lasts unused and at most, and for how long a shown password is trusted."""
    global _idle, _absolute, _sudo
    _idle, _absolute, _sudo = (
        timedelta(minutes=idle_minutes),
        timedelta(hours=absolute_hours),
        timedelta(minutes=sudo_minutes),
    )


def idle_limit() -> timedelta:
    return _idle


def identify(actor: Actor, email: str, password: str, door: str, **facts: Any) -> User:
    """The user whose password this is; takes as long for unknown accounts.

    Raises SignInRefused, TooMany where this place tried too many passwords, and after too many wrong ones for this
    account MailCodeRequired, whether this one is right or not: only its owner then gets a code. `facts` travel with it.
    """
    who = emails.normalise(email)
    user, is_known_here = _find(email, actor.place)
    here = (PER_PERSON_AND_PLACE, "sign-in", who, actor.place)
    elsewhere = () if is_known_here else ((PER_PERSON_ELSEWHERE, "sign-in-elsewhere", who),)
    with limits.failures((PER_PLACE, "sign-in-place", actor.place)):
        try:
            with limits.failures(here, *elsewhere):
                found = _with_password(user, password)
                if found is None:
                    raise SignInRefused(audit="session.refused", user_id=user.id if user else None)
        except TooMany:
            mail_challenges.ask(actor, _with_password(user, password), door, **facts)
    limits.forget(*here)
    return found


def forget_tries(actor: Actor, user: User) -> None:
    """Count wrong passwords of this account at this place anew, after its owner came in."""
    limits.forget(PER_PERSON_AND_PLACE, "sign-in", emails.normalise(user.email), actor.place)


def check_again(actor: Actor, password: str) -> User:
    """The actor's own account, if this is its password; raises SignInRefused or TooMany."""
    user = session().get(User, actor.user_id) or refuse(NotFound)
    with limits.failures((PER_SESSION, "password", str(user.id), str(actor.session_id))):
        return _with_password(user, password) or refuse(SignInRefused)


def sign_in(actor: Actor, email: str, password: str, user_agent: str = "") -> tuple[UserSession, str]:
    """Open a session for whoever knows the password; returns it with the token for the cookie.

    Raises SignInRefused, TooMany, or what has to follow: MailCodeRequired (mail_step.open_session),
    SecondFactorRequired (second_step.open_session).
    """
    return enter(actor, identify(actor, email, password, "web"), user_agent)


def enter(actor: Actor, user: User, user_agent: str = "") -> tuple[UserSession, str]:
    """Open a session for a user who proved who they are in one way; raises SecondFactorRequired if they need two."""
    challenges.ask(actor, user, "web")
    return start(actor, user, user_agent)


def start(actor: Actor, user: User, user_agent: str = "") -> tuple[UserSession, str]:
    """Open a session for a user who has proved who they are in every way they must; returns it with its token.

    Raises ChangedHands when what they proved it with was replaced meanwhile.
    """
    acts_for.hold(user)
    now = clock.now()
    token = secrets.make_token()
    opened = UserSession(
        user_id=user.id,
        fingerprint=secrets.fingerprint(token),
        last_seen_at=now,
        expires_at=now + _absolute,
        sudo_until=now + _sudo,
        address=actor.address,
        place=known_place(actor),
        user_agent="".join(char for char in user_agent if char.isprintable())[:300],
    )
    user.last_signed_in_at = now
    session().add(opened)
    session().flush()
    record(Actor(user_id=user.id, door=actor.door, address=actor.address), "session.started", opened)
    return opened, token


def renew(actor: Actor) -> str:
    """A new token for this session's cookie, the earlier one is worth nothing: for when the account's rights change."""
    token = secrets.make_token()
    mine_ = update(UserSession).where(UserSession.id == actor.session_id, UserSession.user_id == actor.user_id)
    session().execute(mine_.values(fingerprint=secrets.fingerprint(token)))
    return token


def sign_out(actor: Actor) -> None:
    """End the session this request came with."""
    if actor.session_id:
        end(actor, actor.session_id)


def end(actor: Actor, session_id: UUID | str) -> None:
    """End one of one's own sessions; raises NotFound for anybody else's."""
    opened = session().scalars(
        select(UserSession).where(UserSession.id == as_id(session_id), UserSession.user_id == actor.user_id)
    ).one_or_none() or refuse(NotFound)
    if opened.ended_at is None:
        opened.ended_at = clock.now()
        session().flush()
        live.look_again([opened.user_id])  # its streams look, and end
        record(actor, "session.ended", opened)


def mine(actor: Actor) -> list[UserSession]:
    """The sessions that are open, the one used last first."""
    now = clock.now()
    return list(
        session().scalars(
            select(UserSession)
            .where(
                UserSession.user_id == actor.user_id,
                UserSession.ended_at.is_(None),
                UserSession.expires_at > now,
                UserSession.last_seen_at > now - _idle,
            )
            .order_by(UserSession.last_seen_at.desc())
        )
    )


def prove(actor: Actor, password: str, field: str = "password") -> None:
    """Show the password again before changing secrets; good for a few minutes in this session.

    Raises Invalid, which names `field`, or TooMany.
    """
    try:
        check_again(actor, password)
    except SignInRefused:
        sentence = _("This is not your present password.")
        raise Invalid(fields={field: sentence}, code="wrong_password", audit="password.refused") from None
    session().execute(
        update(UserSession).where(UserSession.id == actor.session_id).values(sudo_until=clock.now() + _sudo)
    )


def is_known_at(user_id: UUID, place: str) -> bool:
    """Whether the user was signed in from this place before, in a browser or in a program of theirs."""
    return session().scalar(select(_came_from(user_id, place))) or False


def known_place(actor: Actor) -> str | None:
    """What is kept of where somebody signs in, so that they are known there; None when nobody can tell."""
    return None if actor.place == places.UNKNOWN else actor.place


def prune() -> int:
    """Forget sessions and links that ended a while ago; returns how many sessions."""
    before = clock.now() - timedelta(days=90)
    session().execute(delete(OneTimeToken).where(OneTimeToken.expires_at < before))
    gone = session().execute(delete(UserSession).where(UserSession.expires_at < before))
    return int(getattr(gone, "rowcount", 0))


def _find(email: str, place: str) -> tuple[User | None, bool]:
    """The account of this address, and whether its owner was signed in from this place before."""
    found = session().execute(select(User, _came_from(User.id, place)).where(User.email == email)).one_or_none()
    return (found[0], bool(found[1])) if found else (None, False)


def _came_from(user_id: Any, place: str) -> ColumnElement[bool]:
    browser = exists().where(UserSession.user_id == user_id, UserSession.place == place)
    return browser | exists().where(TokenFamily.user_id == user_id, TokenFamily.place == place)


def _with_password(user: User | None, password: str) -> User | None:
    """The user, if it is theirs and the account is open; its hash is renewed when it is weaker than today's."""
    right = passwords.matches(password, user.password_hash if user else None)
    if user is None or not right or not user.is_active:
        return None
    if user.password_hash and passwords.outdated(user.password_hash):
        user.password_hash = passwords.rehash(password)
    return user


def _things(actor: Actor, _user_id: UUID) -> list[Thing]:
    return [
        Thing(
            "browser", one.id, one.user_agent or "", one.created_at, one.last_seen_at, one.expires_at, one.address,
            is_current=one.id == actor.session_id,
        )
        for one in mine(actor)
    ]  # fmt: skip


def _end(_actor: Actor, user_id: UUID, spare: UUID | None) -> int:
    """Every session but the spared one; how many could still be used."""
    now = clock.now()
    open_ones = update(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    if spare:
        open_ones = open_ones.where(UserSession.id != spare)
    ended = session().execute(
        open_ones.values(ended_at=now).returning(UserSession.last_seen_at, UserSession.expires_at),
        execution_options={"synchronize_session": "fetch"},
    )
    return sum(seen > now - _idle and until > now for seen, until in ended)


ACTS = acts_for.Kind(
    "browser",
    frozenset({UserSession.__tablename__}),
    _end,
    find=_things,
    end_one=end,
    counted=lambda n: ngettext("%(n)s browser that was signed in", "%(n)s browsers that were signed in", n),
)

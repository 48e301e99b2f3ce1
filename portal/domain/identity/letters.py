"""Letters that must arrive whatever someone's preferences: about the account itself. Tasks; links are made here.

One task makes a link, the next one mails it: a letter leaves only once its link is kept, and one that is sent again
holds the same link. A token is in plain only in the mail; between the two tasks it is locked for its owner.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from portal.core import clock, emails, limits, secrets
from portal.core.db import new_id, session
from portal.core.errors import Gone, TooMany
from portal.core.tasks import Steps, later, promptly, task
from portal.core.text import speaking
from portal.domain.identity import acts_for, links
from portal.domain.identity.acts_for import Ended
from portal.domain.identity.models import User
from portal.gateways import mail

# Letters of a kind to one address. A link in them lives twice as long (links.LIFETIME): whenever one more is withheld,
# a link that still works for a while is in the mailbox, whoever asked for it.
PER_ADDRESSEE = "3 per 30 minute"
KINDS = {"verify": "verify", "reset": "reset", "already_registered": "reset"}  # a letter's kind is its link's purpose
CODE_DIGITS = 8
LOCKED = "link in a letter"


def post(letter: Callable[..., Any], email: str, user: User | None, facts: dict[str, Any]) -> None:
    """Queue a letter that a stranger may ask for; whether `user` is somebody changes nothing that can be measured.

    An address that was sent several of its kind lately gets no more for a while, silently: the last one is in its
    mailbox, and its link works.
    """
    try:
        limits.hit(PER_ADDRESSEE, "letter", KINDS[letter.__name__], emails.normalise(email))
    except TooMany:
        return
    later(letter, user.id if user else new_id(), facts)


def may_post_code(user: User | None) -> bool:
    """Count a letter with a code to this account (to nobody, which takes as long); whether it gets one more now."""
    try:
        limits.hit(PER_ADDRESSEE, "letter", "sign_in", str(user.id if user else new_id()))
    except TooMany:
        return False
    return True


def post_code(key: str, addressee: UUID | None) -> None:
    """Queue the code that belongs to `key` for this account, or as much work for nobody; see mail_challenges."""
    user_id = addressee or new_id()
    later(sign_in_code, user_id, secrets.lock(LOCKED, key.encode(), user_id.bytes).hex())


@promptly
@task
def verify(user_id: str, facts: dict[str, Any]) -> None:
    """Ask someone to show that the address is theirs."""
    user = _active(user_id)
    if user and not user.is_verified:
        _send_link(user, "verify", "verify", facts)


@promptly
@task
def already_registered(user_id: str, facts: dict[str, Any]) -> None:
    """Tell the owner of an address that somebody tried to register with it; offer a new password."""
    user = _active(user_id)
    if user:
        _send_link(user, "already_registered", "reset", facts)


@promptly
@task
def reset(user_id: str, facts: dict[str, Any]) -> None:
    """The link to choose a new password."""
    user = _active(user_id)
    if user:
        _send_link(user, "reset", "reset", facts)


@promptly
@task
def sign_in_code(user_id: str, locked: str) -> None:
    """A code with which somebody shows that the mailbox of the account they sign in to is theirs."""
    user = _active(user_id)
    if user:
        key = secrets.unlock(LOCKED, bytes.fromhex(locked), user.id.bytes).decode()
        _send_link(user, "sign_in_code", "sign_in", {}, code_token(key, secrets.pick("0123456789", CODE_DIGITS)))


@promptly
@task
def send_link(user_id: str, notice: str, purpose: str, locked: str, about: dict[str, Any]) -> Steps:
    """Mail the link that was made for this letter; one that is over meanwhile is not worth a letter."""
    token = secrets.unlock(LOCKED, bytes.fromhex(locked), UUID(user_id).bytes).decode()
    try:
        user = links.look(purpose, token).user
    except Gone:
        return
    yield from _send(user, notice, secrets.fingerprint(token), token=token, lifetime=links.LIFETIME[purpose], **about)


def tell_new_password(user: User, ended: Ended) -> None:
    """Queue the letter that the password is another now, with what ended by it."""
    later(password_changed, user.id, dict(ended.counts))


def tell_factor(user_id: UUID, what: str, ended: Ended | None = None) -> None:
    """Queue the letter about a second factor: set_up, removed, taken_away, codes_renewed, code_used."""
    others = {kind: count for kind, count in ended.counts.items() if kind != "second_factor"} if ended else {}
    later(second_factor, user_id, what, clock.now().isoformat(), others)


def tell_ended(user: User, why: str, ended: Ended) -> None:
    """Queue the letter that says what acted for the account and has ended; a new way in is told in any case."""
    if acts_for.told(ended.counts) or why == acts_for.LINKED:
        later(access_ended, user.id, why, clock.now().isoformat(), dict(ended.counts))


@promptly
@task
def password_changed(user_id: str, counts: dict[str, int] | None = None) -> Steps:
    """Tell someone that their password is another now, in case it was not them."""
    user = _active(user_id)
    if user and user.password_changed_at:
        yield from _send(user, "password_changed", user.password_changed_at.isoformat(), **_ended(user, counts))


@promptly
@task
def second_factor(user_id: str, what: str, at: str, counts: dict[str, int] | None = None) -> Steps:
    """Tell someone what became of their second factor."""
    user = _active(user_id)
    if user:
        yield from _send(user, "second_factor", at, what=what, **_ended(user, counts))


@promptly
@task
def access_ended(user_id: str, why: str, at: str, counts: dict[str, int]) -> Steps:
    """Tell someone what acts for their account no more, and why."""
    user = _active(user_id)
    if user:
        yield from _send(user, "access_ended", at, why=why, **_ended(user, counts))


def _ended(user: User, counts: dict[str, int] | None) -> dict[str, Any]:
    """What ended, in the language of whoever is told."""
    with speaking(user.locale):
        return {"ended": acts_for.told(counts or {}), "had_calendar": "calendar" in (counts or {})}


@promptly
@task
def factor_help(user_id: str, locked: str, asked_by: str) -> Steps:
    """Ask someone to agree that their second factor is removed, because an admin says that the phone is lost."""
    user, admin = _active(user_id), session().get(User, UUID(asked_by))
    if user and user.is_verified and admin:
        token = secrets.unlock(LOCKED, bytes.fromhex(locked), user.id.bytes).decode()
        yield from _send(user, "factor_help", secrets.fingerprint(token), token=token, asker=admin.name)


def _active(user_id: str) -> User | None:
    user = session().get(User, UUID(user_id))
    return user if user and user.is_active else None


def code_token(key: str, code: str) -> str:
    """What is kept (as a fingerprint) of a code: it is worth something only together with its key."""
    return f"{key}.{code}"


def _send_link(
    user: User, notice: str, purpose: str, facts: dict[str, Any], token: str | None = None, **about: Any
) -> None:
    locked = secrets.lock(LOCKED, links.make(purpose, user, token=token, **facts).encode(), user.id.bytes)
    later(send_link, user.id, notice, purpose, locked.hex(), about)


def _send(user: User, notice: str, key: str, **about: Any) -> Steps:
    key = f"{notice}:{user.id}:{key}"
    yield partial(mail.send, mail.write(user.email, user.greeted_as, notice, user.locale, key, **about))

"""What acts for an account, and the one verb that ends it when the account may have changed hands.

Each feature describes its kinds (browsers, programs, calendar addresses …); `portal/acting.py` lists them in order, and
says for each occasion what is spared and why. Whatever is not named there ends, so a new kind ends everywhere until
somebody gives a reason.

The account's row is locked first, here and by whoever makes something that acts, so that of "make" and "end" at the
same moment the one that comes second sees the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from portal.core import clock, live, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Forbidden, NotFound, Unauthenticated, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.identity.models import TokenFamily, User, UserSession

# Occasions on which what acts for an account ends.
VERIFIED = "address_verified"  # for the first time, by whichever way
RESET = "password_reset"
CHANGED = "password_changed"
LINKED = "provider_linked"
FACTOR_ON, FACTOR_OFF, FACTOR_TAKEN = "factor_set_up", "factor_removed", "factor_taken_away"
TAKEN_OVER = "record_taken_over"
SHUT = "account_deactivated"
EVERYWHERE = "signed_out_everywhere"
OCCASIONS = (
    VERIFIED, RESET, CHANGED, LINKED, FACTOR_ON, FACTOR_OFF, FACTOR_TAKEN, TAKEN_OVER, SHUT, EVERYWHERE,
)  # fmt: skip


class EmailNotVerified(Forbidden):
    """The address may be somebody else's."""

    code = "email_not_verified"
    sentence = _("Please confirm your e-mail address first: we have sent you a link.")


class ChangedHands(Unauthenticated):
    """What the request came with was ended while it was being done."""

    code = "access_ended"
    sentence = _("Your account was changed at this moment. Please sign in again.")


class EndsOnPages(Forbidden):
    """It is ended on the pages, where the password is asked for again."""

    code = "ends_on_pages"
    sentence = _("This can only be ended on the portal's pages, under Security: the password is asked for there.")


@dataclass(frozen=True)
class Thing:
    """One thing that acts for an account; `label` is what it calls itself, or what it is for."""

    kind: str
    id: UUID
    label: str
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    address: str | None = None  # where a browser signed in from
    scopes: Sequence[str] | None = None  # of a program; None: everything the account may
    is_current: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of thing that acts. `end` ends all of an account but the browser it is told to spare; returns how many.

    `tables` are those it answers for. Without `find` it is not shown, because it lives for minutes. Without `end_one`
    no program ends it. `counted` says how many ended, for letters and pages; None is not told.
    """

    name: str
    tables: frozenset[str]
    end: Callable[[Actor, UUID, UUID | None], int]
    find: Callable[[Actor, UUID], list[Thing]] | None = None
    end_one: Callable[[Actor, UUID], Any] | None = None
    counted: Callable[[int], str] | None = None


@dataclass(frozen=True)
class Ended:
    """How many of each kind ended, and the new token of the browser that was spared (empty when none was)."""

    counts: Mapping[str, int] = field(default_factory=dict)
    cookie: str = ""


_kinds: dict[str, Kind] = {}
_spared: dict[str, frozenset[str]] = {}


def use(kinds: Sequence[Kind], spared: Mapping[str, Mapping[str, str]]) -> None:
    """Say once, at start, which kinds there are, in which order they end, and which each occasion spares."""
    _kinds.clear()
    _kinds.update({kind.name: kind for kind in kinds})
    _spared.clear()
    _spared.update({occasion: frozenset(names) for occasion, names in spared.items()})


def end(actor: Actor, user: User, occasion: str, *, spare: UUID | None = None, but: Collection[str] = ()) -> Ended:
    """End everything that acts for `user`, except the kinds that the occasion spares, those in `but`, and one browser.

    `spare` is that browser's session; it goes on under a new token, which is returned. Raises ChangedHands.
    """
    hold(user)
    allow(actor.user_id != user.id or actor.session_id is None or _lives(actor.session_id), ChangedHands)
    user.access_since = clock.now()
    session().flush()
    counts: dict[str, int] = {}
    for kind in _kinds.values():
        if kind.name not in _spared[occasion] and kind.name not in but and (ended := kind.end(actor, user.id, spare)):
            counts[kind.name] = ended
    facts: dict[str, Any] = {"why": occasion, **counts}
    record(actor, "account.access_ended", user, **facts)
    live.look_again([user.id])  # open streams look, and end
    return Ended(counts, _renew(user.id, spare) if spare else "")


def end_mine(actor: Actor, occasion: str) -> Ended:
    """The same for one's own account: the browser one does it in goes on, a program ends with the rest."""
    user = session().get(User, actor.user_id) or refuse(NotFound)
    return end(actor, user, occasion, spare=actor.session_id)


def mine(actor: Actor, names: Collection[str] = ()) -> list[Thing]:
    """What acts for the actor, kind by kind in the order of `portal/acting.py`; only of these kinds when named."""
    user_id = actor.user_id or refuse(NotFound)
    wanted = [kind for kind in _kinds.values() if kind.find and (not names or kind.name in names)]
    return [thing for kind in wanted if kind.find for thing in kind.find(actor, user_id)]


def end_one(actor: Actor, key: UUID, names: Collection[str] = ()) -> Thing:
    """End one thing of one's own, and return what it was. Raises NotFound, EndsOnPages."""
    thing = next((one for one in mine(actor, names) if one.id == key), None) or refuse(NotFound)
    ending = _kinds[thing.kind].end_one or refuse(EndsOnPages)
    ending(actor, thing.id)
    return thing


def told(counts: Mapping[str, int]) -> list[str]:
    """What ended, in words of the language that is spoken."""
    kinds = [(kind, counts.get(kind.name, 0)) for kind in _kinds.values()]
    return [kind.counted(count) for kind, count in kinds if kind.counted and count]


def take(user_id: UUID) -> Any:
    """Take the account for this transaction; returns its access_since and email_verified_at as they are now."""
    wanted = select(User.access_since, User.email_verified_at).where(User.id == user_id)
    return session().execute(wanted.with_for_update(key_share=True)).one()


def hold(user: User) -> None:
    """Take the account for this transaction; raises ChangedHands when its access ended since `user` was read."""
    seen = user.access_since
    allow(take(user.id).access_since == seen, ChangedHands)


def admit(actor: Actor) -> None:
    """Go on if something new may act for the actor: their address is verified, and what they came with still lives.

    Takes the account for this transaction. Raises ChangedHands, EmailNotVerified.
    """
    user_id = actor.user_id or refuse(Unauthenticated)
    account = take(user_id)
    allow(actor.session_id is None or _lives(actor.session_id), ChangedHands)
    allow(account.email_verified_at is not None, EmailNotVerified)


def _lives(opened_id: UUID) -> bool:
    """Whether a browser's session or a program's sign-in has not been ended."""
    browsers = select(UserSession.id).where(UserSession.id == opened_id, UserSession.ended_at.is_(None))
    programs = select(TokenFamily.id).where(TokenFamily.id == opened_id, TokenFamily.ended_at.is_(None))
    return bool(session().scalar(select(browsers.exists() | programs.exists())))


def _renew(user_id: UUID, session_id: UUID) -> str:
    """Another token for the browser that was spared: a copy of its cookie is worth nothing."""
    token = secrets.make_token()
    living = (UserSession.id == session_id, UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    renewing = update(UserSession).where(*living).values(fingerprint=secrets.fingerprint(token))
    return token if session().scalar(renewing.returning(UserSession.id)) else ""

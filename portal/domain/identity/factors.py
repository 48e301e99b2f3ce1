"""The second factor: a code from an authenticator app (TOTP, RFC 6238), and recovery codes for when the phone is gone.

A code is taken once, and so is every code before it. Wrong ones are counted only after the right password, per person
and place, so that a stranger locks nobody out.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock, limits, secrets
from portal.core.actor import PATIENT, ROLES, Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.identity import acts_for, letters, recovery, sessions
from portal.domain.identity.acts_for import Thing
from portal.domain.identity.factor_models import RecoveryCode, SecondFactor
from portal.domain.identity.models import User

PER_PERSON_AND_PLACE = "10 per 15 minutes"
PER_PERSON_ELSEWHERE = "30 per day"  # from places the person never signed in from; anew with another password
STEP = 30  # seconds a code is shown for; the one before and the one after are taken too (RFC 6238, 5.2)
DIGITS = 6
PURPOSE = "second-factor-secret"
_OF_STAFF = tuple(role for role in ROLES if role != PATIENT)
_staff_need_one = False


class WrongCode(Invalid):
    """Not a code of this account, or one that was used."""

    code = "wrong_code"
    sentence = _("This code is not right. Please enter the one your app shows now.")

    def __init__(self, sentence: Any = None, **facts: Any) -> None:
        super().__init__(fields={"code": sentence or type(self).sentence}, audit="factor.refused", **facts)


class HasFactor(Conflict):
    """There is one already."""

    code = "has_second_factor"
    sentence = _("Your account has a second factor already. Remove it first if you have a new phone.")


class NotBegun(Conflict):
    """Nothing was begun that could be confirmed, or it was confirmed or taken away."""

    code = "second_factor_not_begun"
    sentence = _("Please begin setting up your second factor again.")


class SetupRequired(Forbidden):
    """Whoever works here needs a second factor before anything else."""

    code = "second_factor_setup_required"
    sentence = _("Your work here needs a second factor. Please set it up on the portal's pages first, under Security.")


@dataclass(frozen=True)
class Setup:
    """What an authenticator app is told: by QR code (`address`), or typed by hand (`secret`, in groups of four)."""

    address: str
    secret: str


@dataclass(frozen=True)
class Standing:
    """Since when a second factor protects an account, and how many recovery codes are left."""

    since: datetime
    codes_left: int


def require_of_staff(yes: bool) -> None:
    """Say at start whether everybody but patients needs a second factor."""
    global _staff_need_one
    _staff_need_one = yes


def is_missing(actor: Actor) -> bool:
    """Whether the actor has to set up a second factor before anything else."""
    return _staff_need_one and not actor.has_factor and actor.has_role(*_OF_STAFF)


def is_required(actor: Actor) -> bool:
    """Whether the actor may not go without one."""
    return _staff_need_one and actor.has_role(*_OF_STAFF)


def of(user_id: UUID | None) -> Standing | None:
    """How the account's second factor stands; None when there is none."""
    factor = session().scalars(select(SecondFactor).where(SecondFactor.user_id == user_id)).one_or_none()
    if factor is None or factor.confirmed_at is None:
        return None
    return Standing(factor.confirmed_at, recovery.left(factor.user_id))


def begin(actor: Actor) -> None:
    """Make a new secret, which counts for nothing until a code of it was entered.

    Raises HasFactor, EmailNotVerified.
    """
    acts_for.admit(actor)
    now, user_id = clock.now(), actor.user_id or refuse(NotFound)
    secret = secrets.lock(PURPOSE, pyotp.random_base32().encode(), user_id.bytes)
    row = {"secret": secret, "updated_at": now, "last_step": 0}
    making = (
        insert(SecondFactor)
        .values(id=new_id(), created_at=now, user_id=user_id, **row)
        .on_conflict_do_update(index_elements=["user_id"], set_=row, where=SecondFactor.confirmed_at.is_(None))
        .returning(SecondFactor.id)
    )
    session().scalars(making).one_or_none() or refuse(HasFactor)
    record(actor, "factor.begun", user_id=user_id)


def pending(actor: Actor, issuer: str) -> Setup | None:
    """What the app is to be told, while it is not confirmed; `issuer` is the name it shows."""
    factor = session().scalars(select(SecondFactor).where(SecondFactor.user_id == actor.user_id)).one_or_none()
    if factor is None or factor.stands:
        return None
    secret = _secret(factor)
    address = pyotp.TOTP(secret, digits=DIGITS, interval=STEP).provisioning_uri(name=actor.email, issuer_name=issuer)
    return Setup(address, " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)))


def confirm(actor: Actor, code: str) -> list[str]:
    """From now on the account asks for a code; returns the recovery codes, which are shown this once.

    Whoever was signed in elsewhere had the password only, and is signed out; this browser goes on under a new token.
    Raises WrongCode, NotBegun, EmailNotVerified or TooMany.
    """
    acts_for.admit(actor)
    factor = _locked(actor.user_id)
    if factor is None or factor.stands:
        raise NotBegun
    with limits.failures((PER_PERSON_AND_PLACE, "second-factor-setup", str(actor.user_id))):
        factor.last_step = _step(factor, plain(code)) or refuse(WrongCode, user_id=actor.user_id)
    factor.confirmed_at = clock.now()
    session().flush()
    ended = acts_for.end(actor, _owner(factor.user_id), acts_for.FACTOR_ON, spare=actor.session_id)
    record(actor, "factor.confirmed", factor, user_id=factor.user_id)
    letters.tell_factor(factor.user_id, "set_up", ended)
    return recovery.make(factor.user_id)


def check(actor: Actor, user: User, code: str) -> None:
    """Take a code of the app or a recovery code, once. Whoever calls this has seen the right password.

    Raises WrongCode, TooMany, or NotFound when the account has no second factor.
    """
    who = f"{user.id} {user.password_changed_at}"  # whoever knew the earlier password used up nothing of the new one's
    here = (PER_PERSON_AND_PLACE, "second-factor", who, actor.place)
    known = sessions.is_known_at(user.id, actor.place)
    elsewhere = () if known else ((PER_PERSON_ELSEWHERE, "second-factor-elsewhere", who),)
    with limits.failures(here, *elsewhere):
        factor = _locked(user.id)
        if factor is None or not factor.stands:
            raise NotFound
        shown = plain(code)
        if len(shown) == DIGITS and shown.isdecimal():
            _take(factor, shown)
        else:
            _take_recovery(actor, user, shown)
    limits.forget(*here)


def renew_codes(actor: Actor) -> list[str]:
    """Ten new recovery codes, shown this once; the earlier ones are worth nothing any more."""
    factor = _locked(actor.user_id)
    if factor is None or not factor.stands:
        raise NotFound
    record(actor, "factor.codes_renewed", factor, user_id=factor.user_id)
    letters.tell_factor(factor.user_id, "codes_renewed")
    return recovery.make(factor.user_id)


def remove(actor: Actor) -> None:
    """Take away one's own second factor; the password alone opens the account again. Raises NotFound.

    Other browsers and programs are signed out, this browser goes on under a new token (sessions.renew).
    """
    _remove(actor, actor.user_id or refuse(NotFound), "removed", acts_for.FACTOR_OFF, spare=actor.session_id)


def key_of(user_id: UUID) -> UUID | None:
    """The id of the second factor that protects an account now; another phone has another."""
    statement = select(SecondFactor.id).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    return session().scalar(statement)


def take_away(actor: Actor, user_id: UUID) -> None:
    """Take away somebody's second factor because the phone is lost; what acts for them ends. Raises NotFound.

    Whoever calls this has checked that the actor may.
    """
    _remove(actor, user_id, "taken_away", acts_for.FACTOR_TAKEN)


def _remove(actor: Actor, user_id: UUID, what: str, occasion: str, spare: UUID | None = None) -> None:
    user = _owner(user_id)
    acts_for.hold(user)
    factor = _locked(user_id)
    if factor is None or not factor.stands:
        raise NotFound
    ended = acts_for.end(actor, user, occasion, spare=spare)
    record(actor, f"factor.{what}", factor, user_id=user_id)
    letters.tell_factor(user_id, what, ended)


def _take(factor: SecondFactor, code: str) -> None:
    step = _step(factor, code) or refuse(WrongCode, user_id=factor.user_id)
    if step <= factor.last_step:
        raise WrongCode(_("This code was used already. Please wait for the next one."), user_id=factor.user_id)
    factor.last_step = step
    session().flush()


def _take_recovery(actor: Actor, user: User, code: str) -> None:
    if not recovery.use(user.id, code):
        raise WrongCode(_("This is not one of your codes, or it was used already."), user_id=user.id)
    known = Actor(user_id=user.id, door=actor.door, address=actor.address)
    record(known, "factor.recovery_code_used", user_id=user.id)
    letters.tell_factor(user.id, "code_used")


def _step(factor: SecondFactor, code: str) -> int | None:
    """The half minute this is the code of: the present one or a neighbour."""
    shown, now = pyotp.TOTP(_secret(factor), digits=DIGITS, interval=STEP), int(clock.now().timestamp()) // STEP
    near = {step: shown.generate_otp(step).encode() for step in (now - 1, now, now + 1)}
    return max((step for step, one in near.items() if compare_digest(one, code.encode())), default=None)


def _locked(user_id: UUID | None) -> SecondFactor | None:
    """The account's factor, taken for this transaction: of two who show one code at once, one comes first."""
    wanted = select(SecondFactor).where(SecondFactor.user_id == user_id)
    return session().scalars(wanted.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _secret(factor: SecondFactor) -> str:
    return secrets.unlock(PURPOSE, factor.secret, factor.user_id.bytes).decode()


def plain(code: str) -> str:
    """The code as it was meant: without spaces and dashes, in small letters, its digits as any keyboard types them."""
    kept = (char for char in code.casefold() if char not in "-–" and not char.isspace())
    return "".join(str(unicodedata.digit(char, char)) for char in kept)


def _owner(user_id: UUID) -> User:
    return session().get(User, user_id) or refuse(NotFound)


def _things(_actor: Actor, user_id: UUID) -> list[Thing]:
    factor = session().scalars(select(SecondFactor).where(SecondFactor.user_id == user_id)).one_or_none()
    if factor is None or factor.confirmed_at is None:
        return []
    return [Thing("second_factor", factor.id, say("Authenticator app"), factor.confirmed_at)]


def _end(_actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    """The app's secret, one that was only begun too, and the recovery codes; whether one protected the account."""
    session().execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    gone = delete(SecondFactor).where(SecondFactor.user_id == user_id).returning(SecondFactor.confirmed_at)
    return sum(confirmed is not None for confirmed in session().scalars(gone))


ACTS = acts_for.Kind(
    "second_factor",
    frozenset({SecondFactor.__tablename__, RecoveryCode.__tablename__}),
    _end,
    find=_things,
    counted=lambda n: ngettext("%(n)s second factor", "%(n)s second factors", n),
)

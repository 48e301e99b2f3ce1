"""Helping a colleague whose phone is lost: the second factor is taken away, so that a new one can be set up.

A superadmin does it at once. An admin of a clinic asks, and the person says yes by a link that is mailed to their
verified address: an account may also be a patient's or a carer's, and no employer opens it alone. It is the same for
every account, so that an admin does not learn whose account has a patient's record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from portal.core import clock, limits, secrets
from portal.core.actor import ADMIN, Actor
from portal.core.errors import Conflict, Gone, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.tasks import later
from portal.core.text import lazy as _
from portal.domain.access import actors, people
from portal.domain.identity import accounts, factors, letters
from portal.domain.identity.models import User

LASTS = timedelta(hours=24)
PER_PERSON = "5 per day"
PURPOSE = "factor-help"


class NoAddress(Conflict):
    """There is nowhere to send the link."""

    code = "address_not_verified"
    sentence = _("This person has not confirmed their e-mail address. Please ask a superadmin.")


@dataclass(frozen=True)
class Asked:
    """What a link asks: whose second factor goes, and which admin asked for it."""

    user: User
    admin: Actor


def may_take_away(actor: Actor, user_id: UUID) -> bool:
    """A superadmin from anybody else; an admin asks whoever works in their clinics and nowhere else.

    Nobody takes their own away here: that is done in the account, with a password. To take it from somebody who also
    works elsewhere, or from a superadmin, would weaken what the admin has no say in.
    """
    if user_id == actor.user_id:
        return False
    if actor.is_superadmin:
        return True
    other = actors.by_user(user_id)
    if other is None or other.is_superadmin:
        return False
    works_at = frozenset().union(*other.clinics.values())
    return bool(works_at) and works_at <= actor.clinics_as(ADMIN)


def take_away(actor: Actor, user_id: UUID) -> bool:
    """Take somebody's second factor away: a superadmin at once (True), an admin once the person has agreed (False).

    They are signed out everywhere and told by letter. Raises NotFound when the actor may not see the account or it has
    none, Forbidden when it is not theirs to help, NoAddress and TooMany.
    """
    user = people.get(actor, user_id).user
    allow(may_take_away(actor, user.id))
    factor = factors.key_of(user.id) or refuse(NotFound)
    if actor.is_superadmin:
        factors.take_away(actor, user.id)
        return True
    allow(user.is_verified, NoAddress)
    limits.hit(PER_PERSON, "factor-help", str(user.id))
    until = (clock.now() + LASTS).isoformat()
    facts = {"factor": str(factor), "user": str(user.id), "by": str(actor.user_id), "until": until}
    token = secrets.sign(PURPOSE, facts)
    locked = secrets.lock(letters.LOCKED, token.encode(), user.id.bytes)
    later(letters.factor_help, user.id, locked.hex(), str(actor.user_id))
    record(actor, "factor.help_asked", user_id=user.id)
    return False


def look(token: str) -> Asked:
    """What this link asks. Raises Gone once the factor is another, or the admin may not ask it any more."""
    said = secrets.unsign(PURPOSE, token)
    allow(clock.now() < datetime.fromisoformat(said["until"]), Gone)
    user_id = UUID(said["user"])
    admin = actors.by_user(UUID(said["by"])) or refuse(Gone)
    allow(str(factors.key_of(user_id)) == said["factor"] and may_take_away(admin, user_id), Gone)
    user = accounts.get(user_id)
    allow(user.is_active, Gone)
    return Asked(user, admin)


def agree(actor: Actor, token: str) -> None:
    """The person agrees: the second factor goes, and they are signed out everywhere. Works once. Raises Gone."""
    asked = look(token)
    person = replace(actor, user_id=asked.user.id, door="link")
    try:
        factors.take_away(person, asked.user.id)
    except NotFound:
        raise Gone from None

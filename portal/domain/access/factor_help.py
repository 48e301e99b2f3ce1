"""Helping a colleague whose phone is lost: an admin takes the second factor away, so that a new one can be set up."""

from __future__ import annotations

from uuid import UUID

from portal.core.actor import ADMIN, Actor
from portal.core.errors import NotFound
from portal.core.policy import allow
from portal.domain.access import actors, people
from portal.domain.identity import factors


def may_take_away(actor: Actor, user_id: UUID) -> bool:
    """A superadmin from anybody else; an admin from whoever works in their clinics and nowhere else.

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


def take_away(actor: Actor, user_id: UUID) -> None:
    """Take somebody's second factor away; they are signed out everywhere and told by letter.

    Raises NotFound when the actor may not see the account or it has none, Forbidden when it is not theirs to help.
    """
    user = people.get(actor, user_id).user
    allow(may_take_away(actor, user.id))
    allow(factors.of(user.id) is not None, NotFound)
    factors.take_away(actor, user.id)

"""Who works in a clinic and in which role: invited by its admins, ended by them, at the latest by the next request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Membership
from portal.domain.identity import accounts


class OwnRole(Conflict):
    """Nobody locks themselves out."""

    code = "own_role"
    sentence = _("You cannot end your own role. Ask another admin.")


class AlreadyMember(Conflict):
    """The role is held already."""

    code = "already_member"
    sentence = _("This person has this role in the clinic already.")


def of_clinic(actor: Actor, clinic_id: UUID) -> list[Membership]:
    """The present members of a clinic with their accounts, by role and name; for its admins."""
    managing.get(actor, clinic_id)
    found = session().scalars(
        select(Membership)
        .join(Membership.user)
        .where(Membership.clinic_id == clinic_id, Membership.ended_at.is_(None))
        .options(joinedload(Membership.user))
    )
    return sorted(found, key=lambda member: (member.role, member.user.family_name, member.user.given_name))


def invite(
    actor: Actor, clinic_id: UUID, *, email: str, given_name: str, family_name: str, role: str, locale: str = "en"
) -> Membership:
    """Ask someone to join a clinic; the role holds at once, they sign in when they have chosen a password.

    Raises NotFound for a clinic the actor does not run, Conflict when the person has the role already.
    """
    clinic = managing.get(actor, clinic_id)
    existing = accounts.by_email(email)
    if existing and _current(existing.id, clinic.id, role):
        raise AlreadyMember
    user = accounts.invite(
        actor,
        email=email,
        given_name=given_name,
        family_name=family_name,
        locale=locale,
        place=clinic.name,
        role=role,
        clinic_id=clinic.id,
    )
    membership = Membership(user_id=user.id, clinic_id=clinic.id, role=role)
    session().add(membership)
    session().flush()
    record(actor, "membership.started", membership, role=role, user_id=user.id)
    return membership


def end(actor: Actor, membership_id: UUID | str) -> Membership:
    """Take a role from someone; their next request is made without it. Nobody takes their own last admin role away."""
    membership = (
        session()
        .scalars(
            select(Membership)
            .where(Membership.id == as_id(membership_id))
            .options(joinedload(Membership.user), joinedload(Membership.clinic))
            .with_for_update(of=Membership)
            .execution_options(populate_existing=True)
        )
        .one_or_none()
    )
    if membership is None or not actor.administers(membership.clinic_id):
        refuse(NotFound)
    if membership.user_id == actor.user_id and not actor.is_superadmin:
        raise OwnRole
    if membership.ended_at is None:
        membership.ended_at = clock.now()
        record(actor, "membership.ended", membership, role=membership.role, user_id=membership.user_id)
        session().flush()
    return membership


def one(actor: Actor, membership_id: UUID) -> Membership:
    """A present role with its account, for the admins of its clinic; raises NotFound."""
    statement = select(Membership).where(Membership.id == membership_id, Membership.ended_at.is_(None))
    found = session().scalars(statement.options(joinedload(Membership.user))).one_or_none() or refuse(NotFound)
    allow(actor.administers(found.clinic_id), NotFound)
    return found


def of_user(actor: Actor, user_id: UUID) -> list[Membership]:
    """Someone's present roles with their clinics, as far as the actor runs those."""
    allow(actor.is_superadmin or bool(actor.clinics_as("admin")))
    statement = (
        select(Membership)
        .join(Membership.clinic)
        .where(Membership.user_id == user_id, Membership.ended_at.is_(None), managing.administered(actor))
        .options(joinedload(Membership.clinic))
        .order_by(Membership.role, Membership.created_at)
    )
    return list(session().scalars(statement))


def _current(user_id: UUID, clinic_id: UUID, role: str) -> Any:
    return session().scalar(
        select(Membership.id).where(
            Membership.user_id == user_id,
            Membership.clinic_id == clinic_id,
            Membership.role == role,
            Membership.ended_at.is_(None),
        )
    )

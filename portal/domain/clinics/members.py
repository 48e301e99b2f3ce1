"""Who works in a clinic and in which role: asked by its admins, begun by their own yes, ended at the next request."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal.core import clock, live
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.names import fold
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import invitations, managing
from portal.domain.clinics.models import ClinicInvitation, Membership
from portal.domain.identity.models import User


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
    managing.at_hand(actor, clinic_id)
    found = session().scalars(
        select(Membership)
        .join(Membership.user)
        .where(Membership.clinic_id == clinic_id, Membership.ended_at.is_(None))
        .options(joinedload(Membership.user))
    )
    return sorted(found, key=lambda member: (member.role, fold(member.user.family_name, member.user.given_name)))


def invite(
    actor: Actor, clinic_id: UUID, *, email: str, given_name: str, family_name: str, role: str, locale: str = "en"
) -> ClinicInvitation:
    """Ask whoever reads this address to join a clinic; the role begins when they accept (doctors/joining).

    The answer is the same whether the address has an account, and in whatever state. Raises NotFound for a clinic the
    actor does not run, AlreadyMember for whom the team's list shows in this role, AlreadyInvited and TooMany.
    """
    clinic = managing.get(actor, clinic_id)
    if session().scalar(_current(clinic.id, role).join(Membership.user).where(User.email == email)):
        raise AlreadyMember
    return invitations.send(
        actor, clinic, role=role, email=email, given_name=given_name, family_name=family_name, locale=locale
    )


def begin(actor: Actor, invitation: ClinicInvitation, user_id: UUID) -> None:
    """Give the account the role it was asked to take; whoever has it already keeps it.

    Whoever calls this has taken the invitation and checked that its addressee says yes.
    """
    if session().scalar(_current(invitation.clinic_id, invitation.role).where(Membership.user_id == user_id)):
        return
    membership = Membership(user_id=user_id, clinic_id=invitation.clinic_id, role=invitation.role)
    session().add(membership)
    session().flush()
    record(actor, "membership.started", membership, role=membership.role, user_id=user_id)


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
        live.look_again([membership.user_id])
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


def _current(clinic_id: UUID, role: str) -> Select[UUID]:
    return select(Membership.id).where(
        Membership.clinic_id == clinic_id, Membership.role == role, Membership.ended_at.is_(None)
    )

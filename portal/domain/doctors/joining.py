"""Answering what a clinic asks: to join its team, to take a doctor's profile into one's account, to practise there.

An invitation to an address is answered by whoever can show that the address is theirs: an account whose verified
address it is, or, where there is none, whoever holds the letter's link. One to a doctor of the portal is answered by
the doctor, and for a profile without an account by the admins of its clinics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import and_, false, or_, select
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.elements import ColumnElement

from portal.core import emails
from portal.core.actor import ADMIN, DOCTOR, Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import invitations, members
from portal.domain.clinics.invitations import InvitationOver
from portal.domain.clinics.models import ClinicInvitation
from portal.domain.doctors import practices, profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity import accounts, passwords
from portal.domain.identity.acts_for import EmailNotVerified
from portal.domain.identity.models import User


class AlreadyDoctor(Conflict):
    """One account is one doctor."""

    code = "already_doctor"
    sentence = _("Your account has a doctor's profile already. Please ask the clinic to invite you by that profile.")


def mine(actor: Actor) -> Sequence[ClinicInvitation]:
    """What the actor was asked and has not answered, the latest first."""
    ways = [and_(ClinicInvitation.email.is_(None), ClinicInvitation.doctor_id.in_(_answered_for(actor)))]
    if actor.email_verified and actor.email:
        ways.append(ClinicInvitation.email == actor.email)
    return invitations.among(or_(*ways))


def accept(actor: Actor, key: UUID | str) -> ClinicInvitation:
    """Say yes: the role or practice begins now. Of two answers at once the second finds the invitation over.

    Raises NotFound for one that is not the actor's to answer, InvitationOver and AlreadyDoctor.
    """
    _one_at_a_time(actor.user_id)
    invitation = _taken(actor, key)
    _begin(actor, invitation)
    invitations.end(actor, invitation, "accepted")
    return invitation


def decline(actor: Actor, key: UUID | str) -> ClinicInvitation:
    """Say no. Raises NotFound for one that is not the actor's to answer, and InvitationOver."""
    invitation = _taken(actor, key)
    invitations.end(actor, invitation, "declined")
    return invitation


def accept_new(actor: Actor, token: str, *, given_name: str, family_name: str, password: str) -> User:
    """Say yes by the letter's link and open an account with a password and the name the person gives.

    The address counts as verified: they could open the letter. Raises InvitationOver, Invalid for a weak password, and
    HasAccount when the address has an account by now.
    """
    invitation = invitations.by_token(token)
    address = invitation.email or refuse(InvitationOver)
    hashed = passwords.accept(password, address, given_name, family_name)
    invitation = invitations.take(invitation.id)
    name = {"given_name": given_name, "family_name": family_name}
    user = accounts.open_proved(actor, email=address, password_hash=hashed, locale=invitation.locale, **name)
    person = replace(actor, user_id=user.id, name=user.name, email=str(user.email), email_verified=True)
    _begin(person, invitation)
    invitations.end(person, invitation, "accepted")
    return user


def decline_by_link(actor: Actor, token: str) -> ClinicInvitation:
    """Say no by the letter's link, with or without an account. Raises InvitationOver."""
    invitation = invitations.take(invitations.by_token(token).id)
    invitations.end(actor, invitation, "declined")
    return invitation


def is_addressed_to(actor: Actor, invitation: ClinicInvitation) -> bool:
    """Whether it went to the address of the actor's account, verified or not."""
    return bool(invitation.email and actor.email and emails.is_same(invitation.email, actor.email))


def has_account(invitation: ClinicInvitation) -> bool:
    """Whether the address has an account; for whoever holds the letter's link, never for the clinic."""
    return bool(invitation.email and accounts.by_email(invitation.email))


def _taken(actor: Actor, key: UUID | str) -> ClinicInvitation:
    invitation = invitations.take(as_id(key))
    if invitation.email:
        allow(is_addressed_to(actor, invitation), NotFound)
        allow(actor.email_verified, EmailNotVerified)
        return invitation
    asked = session().scalar(
        select(Doctor.id).where(Doctor.id == invitation.doctor_id, Doctor.id.in_(_answered_for(actor)))
    )
    allow(asked is not None, NotFound)
    return invitation


def _answered_for(actor: Actor) -> ColumnElement[UUID]:
    """In SQL: the doctors for whom the actor says yes or no to a clinic that names their profile."""
    clinics = actor.clinics_as(ADMIN)
    kept_by = select(Practice.doctor_id).where(Practice.clinic_id.in_(clinics), Practice.is_active)
    without_account = and_(Doctor.user_id.is_(None), Doctor.id.in_(kept_by)) if clinics else false()
    own = Doctor.user_id == actor.user_id if actor.user_id else false()
    return select(Doctor.id).where(or_(own, without_account))  # type: ignore[return-value]


def _begin(actor: Actor, invitation: ClinicInvitation) -> None:
    if invitation.role != DOCTOR:
        members.begin(actor, invitation, actor.user_id or refuse(NotFound))
        return
    statement = select(Doctor).where(Doctor.id == invitation.doctor_id).options(selectinload(Doctor.practices))
    doctor = session().scalars(statement.with_for_update().execution_options(populate_existing=True)).one()
    if invitation.email:
        _take_profile(actor, invitation, doctor)
    else:
        practices.begin(actor, invitation, doctor)


def _take_profile(actor: Actor, invitation: ClinicInvitation, doctor: Doctor) -> None:
    """The profile becomes the account's; a licence its new owner has verified is to be verified by somebody else."""
    allow(doctor.user_id is None, InvitationOver)
    if session().scalar(select(Doctor.id).where(Doctor.user_id == actor.user_id)):
        raise AlreadyDoctor
    by_superadmin = invitation.inviter is not None and invitation.inviter.is_superadmin
    here = all(one.clinic_id == invitation.clinic_id for one in doctor.practices if one.is_active)
    allow(here or by_superadmin, sentence=practices.ELSEWHERE)
    doctor.user_id = actor.user_id
    session().flush()
    record(actor, "doctor.account_connected", doctor, clinic_id=invitation.clinic_id, user_id=actor.user_id)
    if doctor.licence_verified_by == actor.user_id:
        profiles.unverify(actor, doctor, undecided=True)


def _one_at_a_time(user_id: UUID | None) -> None:
    """Answers of one account come one after the other, so that it takes one doctor's profile at most."""
    session().execute(select(User.id).where(User.id == user_id).with_for_update())

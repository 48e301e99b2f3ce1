"""Doctors working at clinics: asked by a clinic's admins, begun by the doctor's yes, ended when they leave."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.core.actor import ADMIN, DOCTOR, Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.names import as_listed
from portal.core.policy import allow, as_id
from portal.core.slugs import is_id
from portal.core.text import lazy as _
from portal.domain.clinics import invitations, managing
from portal.domain.clinics.models import Clinic, ClinicInvitation
from portal.domain.doctors import profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.doctors.profile_shapes import DoctorInvitation, ProfileShape
from portal.domain.identity import accounts

ELSEWHERE = _("This doctor practises at other clinics, too. Please ask the portal's superadmin to connect an account.")


class AlreadyHere(Conflict):
    """One practice for each doctor and clinic."""

    code = "already_here"
    sentence = _("This doctor practises at this clinic already.")


def invite(actor: Actor, **about: Any) -> Doctor:
    """A new doctor at a clinic the actor runs; whoever reads the e-mail address is asked to take the profile.

    `about` is a DoctorInvitation's values. The profile has no account until that person accepts (joining), and nothing
    tells whether the address has one. Raises NotFound for another's clinic and Invalid for a licence in use.
    """
    wanted = DoctorInvitation.parse(about)
    clinic = managing.get(actor, wanted.clinic_id)
    said = {name: getattr(wanted, name) for name in ProfileShape.model_fields}
    doctor = profiles.create(actor, **said)
    _join(actor, doctor.id, clinic.id, wanted.fee_minor)
    if wanted.email:
        _ask(actor, clinic, doctor, email=wanted.email, locale=wanted.locale)
    return doctor


def connect(actor: Actor, key: UUID | str, *, clinic_id: UUID, email: str, locale: str = "en") -> ClinicInvitation:
    """Ask whoever reads this address to take a doctor's profile that has no account, for a clinic the actor runs.

    A profile that practises elsewhere too is connected by a superadmin: the account would work there as well. Raises
    NotFound, Forbidden, HasAccount and AlreadyInvited.
    """
    clinic = managing.get(actor, clinic_id)
    doctor = profiles.get(actor, key, lock=True)
    allow(any(one.is_active and one.clinic_id == clinic.id for one in doctor.practices), NotFound)
    if doctor.user_id is not None:
        raise accounts.HasAccount(_("This doctor has an account already."))
    allow(may_connect(actor, doctor, clinic.id), sentence=ELSEWHERE)
    return _ask(actor, clinic, doctor, email=email, locale=locale)


def may_connect(actor: Actor, doctor: Doctor, clinic_id: UUID) -> bool:
    """Whether this clinic alone decides which account is the doctor's; `practices` must be loaded."""
    return actor.is_superadmin or all(one.clinic_id == clinic_id for one in doctor.practices if one.is_active)


def start(actor: Actor, key: UUID | str, *, clinic_id: UUID, fee_minor: int | None = None) -> ClinicInvitation:
    """Ask a doctor of the portal to practise at a clinic the actor runs, too, or again.

    The practice begins with the doctor's own yes, or, of a profile without an account, with that of an admin of its
    clinics (joining.accept); at once when that is the actor. Raises NotFound, AlreadyHere and AlreadyInvited.
    """
    clinic = managing.get(actor, clinic_id)
    wanted = Doctor.id == as_id(key) if is_id(key) else Doctor.slug == key
    statement = select(Doctor).where(wanted, Doctor.visible(actor)).options(selectinload(Doctor.practices))
    statement = statement.with_for_update().execution_options(populate_existing=True)
    doctor = session().scalars(statement).one_or_none() or refuse(NotFound)
    known = _known(doctor.id, clinic.id)
    if known and known.is_active:
        raise AlreadyHere
    invitation = _ask(actor, clinic, doctor, fee_minor=fee_minor)
    if doctor.user_id == actor.user_id if doctor.user_id else profiles.may_administer(actor, doctor):
        begin(actor, invitation, doctor)
        invitations.end(actor, invitation, "accepted")
    return invitation


def begin(actor: Actor, invitation: ClinicInvitation, doctor: Doctor) -> Practice:
    """The doctor practises at the clinic that asked, or again; whoever calls this has taken the invitation."""
    known = _known(doctor.id, invitation.clinic_id)
    if known is None:
        return _join(actor, doctor.id, invitation.clinic_id, invitation.fee_minor)
    if not known.is_active:
        known.is_active, known.fee_minor = True, invitation.fee_minor
        record(actor, "practice.started", known, doctor_id=doctor.id)
        session().flush()
    return known


def end(actor: Actor, practice_id: UUID | str) -> Practice:
    """A doctor stops at a clinic and takes no new visits there.

    Whoever calls this has looked at the visits that are booked (withdrawing.end_practice).
    """
    practice = _practice(actor, practice_id)
    if practice.is_active:
        practice.is_active = False
        record(actor, "practice.ended", practice, doctor_id=practice.doctor_id)
        session().flush()
    return practice


def set_fee(actor: Actor, practice_id: UUID | str, fee_minor: int | None) -> Practice:
    """What a visit costs with this doctor here where the visit type names no price."""
    practice = _practice(actor, practice_id)
    practice.fee_minor = fee_minor
    record(actor, "practice.changed", practice, doctor_id=practice.doctor_id)
    session().flush()
    return practice


def of_clinic(actor: Actor, clinic_id: UUID) -> list[Practice]:
    """The doctors of a clinic, by name; for its admins."""
    managing.get(actor, clinic_id)
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .where(Practice.clinic_id == clinic_id, Practice.is_active)
        .options(
            joinedload(Practice.doctor).selectinload(Doctor.specialties),
            joinedload(Practice.doctor).joinedload(Doctor.amendment),
        )
        .order_by(*as_listed(Doctor.family_name, Doctor.given_name))
    )
    return list(session().scalars(statement))


def count_at(clinic_ids: list[UUID]) -> dict[UUID, int]:
    """How many doctors practise at each of these clinics."""
    statement = (
        select(Practice.clinic_id, func.count().label("number"))
        .where(Practice.clinic_id.in_(clinic_ids), Practice.is_active)
        .group_by(Practice.clinic_id)
    )
    return {row.clinic_id: row.number for row in session().execute(statement)}


def _ask(actor: Actor, clinic: Clinic, doctor: Doctor, **about: Any) -> ClinicInvitation:
    return invitations.send(
        actor,
        clinic,
        role=DOCTOR,
        doctor_id=doctor.id,
        given_name=doctor.given_name,
        family_name=doctor.family_name,
        **about,
    )


def _known(doctor_id: UUID, clinic_id: UUID) -> Practice | None:
    wanted = select(Practice).where(Practice.doctor_id == doctor_id, Practice.clinic_id == clinic_id)
    return session().scalars(wanted).one_or_none()


def _join(actor: Actor, doctor_id: UUID, clinic_id: UUID, fee_minor: int | None) -> Practice:
    practice = Practice(doctor_id=doctor_id, clinic_id=clinic_id, fee_minor=fee_minor)
    session().add(practice)
    session().flush()
    record(actor, "practice.started", practice, doctor_id=doctor_id)
    return practice


def _practice(actor: Actor, practice_id: UUID | str) -> Practice:
    statement = select(Practice).where(Practice.id == as_id(practice_id)).options(joinedload(Practice.doctor))
    practice = session().scalars(statement.with_for_update(of=Practice, key_share=True)).one_or_none() or refuse(
        NotFound
    )
    allow(actor.is_superadmin or practice.clinic_id in actor.clinics_as(ADMIN), NotFound)
    return practice

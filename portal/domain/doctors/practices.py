"""Doctors working at clinics: invited by a clinic's admins, joined by known doctors, ended when they leave."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.core.actor import ADMIN, Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.slugs import is_id
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic
from portal.domain.doctors import profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.doctors.profile_shapes import DoctorInvitation, ProfileShape
from portal.domain.identity import accounts
from portal.domain.identity.models import User


class AlreadyDoctor(Conflict):
    """One account is one doctor."""

    code = "already_doctor"
    sentence = _("This account belongs to a doctor of the portal already.")


class AlreadyHere(Conflict):
    """One practice for each doctor and clinic."""

    code = "already_here"
    sentence = _("This doctor practises at this clinic already.")


def invite(actor: Actor, **about: Any) -> Doctor:
    """A new doctor at a clinic the actor runs; with an e-mail address they are asked to choose a password.

    `about` is a DoctorInvitation's values. Raises NotFound for another's clinic, Invalid for a licence in use,
    Conflict when the account has a doctor's profile already.
    """
    wanted = DoctorInvitation.parse(about)
    clinic = managing.get(actor, wanted.clinic_id)
    user = _account(actor, wanted, clinic) if wanted.email else None
    said = {name: getattr(wanted, name) for name in ProfileShape.model_fields}
    doctor = profiles.create(actor, user_id=user.id if user else None, **said)
    _join(actor, doctor, clinic.id, wanted.fee_minor)
    return doctor


def start(actor: Actor, key: UUID | str, *, clinic_id: UUID, fee_minor: int | None = None) -> Practice:
    """A doctor of the portal practises at a clinic the actor runs, too, or again."""
    clinic = managing.get(actor, clinic_id)
    wanted = Doctor.id == as_id(key) if is_id(key) else Doctor.slug == key
    statement = select(Doctor).where(wanted, Doctor.visible(actor)).with_for_update()
    doctor = session().scalars(statement).one_or_none() or refuse(NotFound)
    known = (
        session()
        .scalars(select(Practice).where(Practice.doctor_id == doctor.id, Practice.clinic_id == clinic.id))
        .one_or_none()
    )
    if known is None:
        return _join(actor, doctor, clinic.id, fee_minor)
    if known.is_active:
        raise AlreadyHere
    known.is_active, known.fee_minor = True, fee_minor
    record(actor, "practice.started", known, doctor_id=doctor.id)
    session().flush()
    return known


def end(actor: Actor, practice_id: UUID | str) -> Practice:
    """A doctor stops at a clinic: it takes no new visits there; booked ones stand until moved or cancelled."""
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
        .options(joinedload(Practice.doctor).selectinload(Doctor.specialties))
        .order_by(Doctor.family_name, Doctor.given_name)
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


def _account(actor: Actor, wanted: DoctorInvitation, clinic: Clinic) -> User:
    email = str(wanted.email)
    known = accounts.by_email(email)
    if known and session().scalar(select(Doctor.id).where(Doctor.user_id == known.id)):
        raise AlreadyDoctor
    return accounts.invite(
        actor,
        email=email,
        given_name=wanted.given_name,
        family_name=wanted.family_name,
        locale=wanted.locale,
        place=clinic.name,
        role="doctor",
        clinic_id=clinic.id,
    )


def _join(actor: Actor, doctor: Doctor, clinic_id: UUID, fee_minor: int | None) -> Practice:
    practice = Practice(doctor_id=doctor.id, clinic_id=clinic_id, fee_minor=fee_minor)
    session().add(practice)
    session().flush()
    record(actor, "practice.started", practice, doctor_id=doctor.id)
    return practice


def _practice(actor: Actor, practice_id: UUID | str) -> Practice:
    statement = select(Practice).where(Practice.id == as_id(practice_id)).options(joinedload(Practice.doctor))
    practice = session().scalars(statement.with_for_update(of=Practice)).one_or_none() or refuse(NotFound)
    allow(actor.is_superadmin or practice.clinic_id in actor.clinics_as(ADMIN), NotFound)
    return practice

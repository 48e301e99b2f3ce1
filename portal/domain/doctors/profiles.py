"""Doctors' profiles: made by clinics, changed by the doctor, public once an admin has seen the licence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import ADMIN, Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.names import fold
from portal.core.paging import Page, page
from portal.core.policy import allow, as_id
from portal.core.slugs import free_slug, is_id
from portal.core.text import lazy as _
from portal.domain.doctors.models import Doctor, Practice, Specialty
from portal.domain.doctors.profile_shapes import ProfileShape

WHOLE = (
    selectinload(Doctor.specialties),
    selectinload(Doctor.practices).joinedload(Practice.clinic),
    joinedload(Doctor.user),
)


class OwnLicence(Conflict):
    """Nobody vouches for themselves."""

    code = "own_licence"
    sentence = _("You cannot verify your own licence. Ask another admin.")


def may_administer(actor: Actor, doctor: Doctor) -> bool:
    """An admin of one of the doctor's clinics, or a superadmin; `practices` must be loaded."""
    return actor.is_superadmin or any(
        practice.is_active and actor.administers(practice.clinic_id) for practice in doctor.practices
    )


def may_change(actor: Actor, doctor: Doctor) -> bool:
    return may_administer(actor, doctor) or (actor.doctor_id is not None and actor.doctor_id == doctor.id)


def get(actor: Actor, key: UUID | str, *, lock: bool = False) -> Doctor:
    """A doctor by slug or id with specialties, practices and account, for whoever may change the profile."""
    wanted = Doctor.id == as_id(key) if is_id(key) else Doctor.slug == key
    statement = select(Doctor).where(wanted).options(*WHOLE)
    if lock:
        statement = statement.with_for_update(of=Doctor).execution_options(populate_existing=True)
    doctor = session().scalars(statement).unique().one_or_none() or refuse(NotFound)
    allow(may_change(actor, doctor), NotFound)
    return doctor


def mine(
    actor: Actor,
    text: str = "",
    *,
    licence: str | None = None,
    clinic_id: UUID | None = None,
    after: str | None = None,
    limit: int = 25,
) -> Page[Doctor]:
    """The doctors of the clinics the actor runs, by name; `licence` is "verified" or "open"."""
    statement = select(Doctor).where(_administered(actor)).options(*WHOLE)
    for word in fold(text).split():
        statement = statement.where(Doctor.search_name.contains(word, autoescape=True))
    if clinic_id:
        statement = statement.where(Doctor.id.in_(select(Practice.doctor_id).where(Practice.clinic_id == clinic_id)))
    if licence in {"verified", "open"}:
        verified = Doctor.licence_verified_at.is_not(None)
        statement = statement.where(verified if licence == "verified" else ~verified)
    return page(statement, [Doctor.family_name, Doctor.given_name, Doctor.id], after=after, limit=limit)


def specialties() -> list[Specialty]:
    """Every field of medicine the portal knows, by code."""
    return list(session().scalars(select(Specialty).order_by(Specialty.code)))


def create(actor: Actor, *, user_id: UUID | None = None, **about: Any) -> Doctor:
    """A new profile, not public until its licence is verified; `about` is a ProfileShape's values.

    Whoever calls this has checked that the actor may (practices.invite). Raises Invalid for a licence or specialty
    that cannot be.
    """
    wanted = ProfileShape.parse(about)
    fields = _specialties(wanted.specialties)
    _licence_is_free(wanted.licence_number)
    doctor = Doctor(
        user_id=user_id,
        slug=free_slug(Doctor, wanted.title, wanted.given_name, wanted.family_name, otherwise="doctor"),
        specialties=fields,
        practices=[],
        **_columns(wanted),
    )
    session().add(doctor)
    session().flush()
    record(actor, "doctor.created", doctor)
    return doctor


def change(actor: Actor, key: UUID | str, **about: Any) -> Doctor:
    """Change a profile. Another licence number has to be verified again, so the profile goes private until then."""
    wanted = ProfileShape.parse(about)
    doctor = get(actor, key, lock=True)
    fields = _specialties(wanted.specialties)
    if wanted.licence_number != doctor.licence_number:
        _licence_is_free(wanted.licence_number)
        doctor.licence_verified_at = doctor.licence_verified_by = None
    values = _columns(wanted)
    changed = sorted(name for name, value in values.items() if getattr(doctor, name) != value)
    for name in changed:
        setattr(doctor, name, values[name])
    if {one.id for one in doctor.specialties} != {one.id for one in fields}:
        doctor.specialties = fields
        changed.append("specialties")
    if changed:
        record(actor, "doctor.changed", doctor, fields=changed)
        session().flush()
    return doctor


def verify_licence(actor: Actor, key: UUID | str) -> Doctor:
    """An admin has seen the licence: the profile becomes public. Nobody verifies their own."""
    doctor = get(actor, key, lock=True)
    allow(may_administer(actor, doctor))
    if doctor.id == actor.doctor_id:
        raise OwnLicence
    if doctor.licence_verified_at is None:
        doctor.licence_verified_at, doctor.licence_verified_by = clock.now(), actor.user_id
        record(actor, "doctor.licence_verified", doctor)
        session().flush()
    return doctor


def withdraw_licence(actor: Actor, key: UUID | str) -> Doctor:
    """The licence does not hold: the profile is not public and takes no new visits; booked ones stand."""
    doctor = get(actor, key, lock=True)
    allow(may_administer(actor, doctor))
    if doctor.licence_verified_at is not None:
        doctor.licence_verified_at = doctor.licence_verified_by = None
        record(actor, "doctor.licence_withdrawn", doctor)
        session().flush()
    return doctor


def _administered(actor: Actor) -> ColumnElement[bool]:
    if actor.is_superadmin:
        return Doctor.id.is_not(None)
    return Doctor.id.in_(
        select(Practice.doctor_id).where(Practice.clinic_id.in_(actor.clinics_as(ADMIN)), Practice.is_active)
    )


def _specialties(codes: Sequence[str]) -> list[Specialty]:
    found = list(session().scalars(select(Specialty).where(Specialty.code.in_(codes)).order_by(Specialty.code)))
    if len(found) != len(set(codes)):
        raise Invalid(fields={"specialties": _("Please choose among the specialties listed.")})
    return found


def _licence_is_free(number: str) -> None:
    if session().scalar(select(Doctor.id).where(Doctor.licence_number == number)):
        raise Invalid(fields={"licence_number": _("A doctor with this licence number is in the portal already.")})


def _columns(wanted: ProfileShape) -> dict[str, Any]:
    values = {name: getattr(wanted, name) for name in ProfileShape.model_fields if name != "specialties"}
    values["search_name"] = fold(wanted.given_name, wanted.family_name)
    return values

"""Doctors' profiles: made by clinics, changed by the doctor, public once an admin has seen the licence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
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
from portal.core.secrets import fingerprint
from portal.core.slugs import free_slug, is_id
from portal.core.text import lazy as _
from portal.domain.doctors.models import Amendment, Doctor, Practice, Specialty
from portal.domain.doctors.profile_shapes import ProfileShape

WHOLE = (
    selectinload(Doctor.specialties),
    selectinload(Doctor.practices).joinedload(Practice.clinic),
    joinedload(Doctor.user),
    joinedload(Doctor.amendment),
)
VOUCHED = ("title", "given_name", "family_name", "licence_number")  # and the specialties: what an admin verifies


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
        statement = statement.with_for_update(of=Doctor, key_share=True).execution_options(populate_existing=True)
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
    """The doctors of the clinics the actor runs, by name.

    `licence` is "verified", or "open": not verified, or with a change that waits for somebody to confirm it.
    """
    statement = select(Doctor).where(_administered(actor)).options(*WHOLE)
    for word in fold(text).split():
        statement = statement.where(Doctor.search_name.contains(word, autoescape=True))
    if clinic_id:
        statement = statement.where(Doctor.id.in_(select(Practice.doctor_id).where(Practice.clinic_id == clinic_id)))
    if licence == "verified":
        statement = statement.where(Doctor.licence_verified_at.is_not(None))
    if licence == "open":
        waits = Doctor.amendment.has(Amendment.refused_at.is_(None))
        statement = statement.where(or_(Doctor.licence_verified_at.is_(None), waits))
    return page(statement, [Doctor.family_name, Doctor.given_name, Doctor.id], after=after, limit=limit)


def specialties() -> list[Specialty]:
    """Every field of medicine the portal knows, by code."""
    return list(session().scalars(select(Specialty).order_by(Specialty.code)))


def create(actor: Actor, **about: Any) -> Doctor:
    """A new profile without an account, not public until its licence is verified; `about` is a ProfileShape's values.

    Whoever calls this has checked that the actor may (practices.invite). Raises Invalid for a licence or specialty
    that cannot be.
    """
    wanted = ProfileShape.parse(about)
    fields = _specialties(wanted.specialties)
    licence_is_free(wanted.licence_number)
    doctor = Doctor(
        user=None,
        slug=free_slug(Doctor, wanted.title, wanted.given_name, wanted.family_name, otherwise="doctor"),
        specialties=fields,
        practices=[],
        amendment=None,
        **_columns(wanted),
    )
    session().add(doctor)
    session().flush()
    record(actor, "doctor.created", doctor)
    return doctor


def change(actor: Actor, key: UUID | str, **about: Any) -> Doctor:
    """Change a profile.

    Name, licence number and specialties of a doctor whose licence was verified once wait for an admin to confirm them
    (amendments.confirm): until then everything shows the verified ones. To say the verified ones again takes back
    what waits.
    """
    wanted = ProfileShape.parse(about)
    doctor = get(actor, key, lock=True)
    _specialties(wanted.specialties)
    licence_is_free(wanted.licence_number, doctor.id)
    values: dict[str, Any] = _columns(wanted)
    codes: Sequence[str] | None = wanted.specialties
    if doctor.was_verified:
        _propose(actor, doctor, wanted)
        values = {name: value for name, value in values.items() if name not in VOUCHED}
        codes = None
    if changed := write_down(doctor, values, codes):
        record(actor, "doctor.changed", doctor, fields=changed)
    return doctor


def verify_licence(actor: Actor, key: UUID | str, seen: str | None = None) -> Doctor:
    """An admin has seen the licence: the profile becomes public. Nobody verifies their own.

    `seen` is the mark of what the admin was shown (mark_of); Conflict when it says something else by now.
    """
    doctor = get(actor, key, lock=True)
    allow(may_administer(actor, doctor))
    not_ones_own(actor, doctor)
    allow(seen is None or seen == mark_of(doctor), Conflict)
    if doctor.licence_verified_at is None:
        vouch(actor, doctor)
        record(actor, "doctor.licence_verified", doctor)
        session().flush()
    return doctor


def withdraw_licence(actor: Actor, key: UUID | str) -> Doctor:
    """The licence does not hold: the profile is not public and takes no new visits. Raises NotFound or Forbidden.

    Whoever calls this has looked at the visits that are booked (withdrawing.withdraw_licence).
    """
    doctor = to_administer(actor, key, lock=True)
    if doctor.licence_verified_at is not None:
        unverify(actor, doctor)
    return doctor


def to_administer(actor: Actor, key: UUID | str, *, lock: bool = False) -> Doctor:
    """The doctor, for an admin of one of the clinics or a superadmin; raises NotFound or Forbidden."""
    doctor = get(actor, key, lock=lock)
    allow(may_administer(actor, doctor))
    return doctor


def set_active(actor: Actor, doctor_id: UUID, active: bool) -> None:
    """Whether the doctor is found and booked at all; whoever calls this has checked that it may be."""
    statement = select(Doctor).where(Doctor.id == doctor_id).with_for_update(key_share=True)
    doctor = session().scalars(statement.execution_options(populate_existing=True)).one()
    if doctor.is_active != active:
        doctor.is_active = active
        session().flush()
        record(actor, "doctor.activated" if active else "doctor.deactivated", doctor)


def unverify(actor: Actor, doctor: Doctor, *, undecided: bool = False) -> None:
    """Nobody vouches for the licence any more; whoever calls this has checked that it may be.

    `undecided` says that nobody has decided about the visits that are booked: their desks are asked to call.
    """
    doctor.licence_verified_at = doctor.licence_verified_by = None
    doctor.licence_withdrawn_at = clock.now()
    session().flush()
    record(actor, "doctor.licence_withdrawn", doctor, undecided=undecided or None)


def vouch(actor: Actor, doctor: Doctor) -> None:
    """The actor stands for the name, licence and specialties as they are now."""
    doctor.licence_verified_at, doctor.licence_verified_by = clock.now(), actor.user_id
    doctor.licence_withdrawn_at = None


def not_ones_own(actor: Actor, doctor: Doctor) -> None:
    """Go on if the profile is somebody else's; raises OwnLicence."""
    if doctor.id == actor.doctor_id or (doctor.user_id is not None and doctor.user_id == actor.user_id):
        raise OwnLicence


def mark_of(doctor: Doctor) -> str:
    """A mark of what an admin verifies, to tell whether it is still what was shown."""
    return fingerprint("\n".join([*(getattr(doctor, name) for name in VOUCHED), *codes_of(doctor)]))[:16]


def codes_of(doctor: Doctor) -> list[str]:
    return sorted(one.code for one in doctor.specialties)


def write_down(doctor: Doctor, values: Mapping[str, Any], codes: Sequence[str] | None = None) -> list[str]:
    """Write these columns, and the specialties when given; returns the names of what changed."""
    changed = sorted(name for name, value in values.items() if getattr(doctor, name) != value)
    for name in changed:
        setattr(doctor, name, values[name])
    if codes is not None and codes_of(doctor) != sorted(codes):
        doctor.specialties = _specialties(codes)
        changed.append("specialties")
    session().flush()
    return changed


def licence_is_free(number: str, doctor_id: UUID | None = None) -> None:
    """Go on if no other doctor has this licence number; raises Invalid."""
    holder = session().scalar(select(Doctor.id).where(Doctor.licence_number == number))
    if holder not in {None, doctor_id}:
        raise Invalid(fields={"licence_number": _("A doctor with this licence number is in the portal already.")})


def _propose(actor: Actor, doctor: Doctor, wanted: ProfileShape) -> None:
    """Keep what is to be verified until an admin confirms it; nothing is kept when it is what the profile says."""
    said = {name: getattr(wanted, name) for name in VOUCHED}
    codes, before = sorted(set(wanted.specialties)), doctor.amendment
    if before and before.is_waiting and _says(before, said, codes):
        return
    changed = [name for name, value in said.items() if getattr(doctor, name) != value]
    if codes != codes_of(doctor):
        changed.append("specialties")
    if before and (before.is_waiting or changed):
        doctor.amendment = None
        session().delete(before)
        session().flush()
        if before.is_waiting and not changed:
            record(actor, "doctor.amendment_withdrawn", doctor)
    if changed:
        doctor.amendment = Amendment(doctor_id=doctor.id, specialties=codes, proposed_by=actor.user_id, **said)
        session().flush()
        record(actor, "doctor.amendment_proposed", doctor, fields=sorted(changed))


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


def _says(amendment: Amendment, said: Mapping[str, str], codes: Sequence[str]) -> bool:
    return amendment.specialties == codes and all(getattr(amendment, name) == said[name] for name in said)


def _columns(wanted: ProfileShape) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in ProfileShape.model_fields if name != "specialties"}

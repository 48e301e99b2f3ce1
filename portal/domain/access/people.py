"""Accounts with the roles they hold: the list admins search, as far as they may see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Text, false, func, or_, select, true
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import joinedload

from portal.core.actor import ADMIN, DOCTOR, PATIENT, SUPERADMIN, Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.paging import Page, page
from portal.core.policy import allow, as_id
from portal.domain.clinics.models import Clinic, Membership
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity.models import User
from portal.domain.patients.models import Patient


@dataclass(frozen=True)
class Role:
    """A role someone holds; in a clinic, or everywhere when `clinic` is None. Only a membership can be ended here."""

    name: str
    clinic: Clinic | None = None
    membership_id: UUID | None = None
    doctor_slug: str | None = None


@dataclass(frozen=True)
class Person:
    """An account and the roles it holds, those the reader may see."""

    user: User
    roles: list[Role] = field(default_factory=list)


def search(
    actor: Actor,
    text: str = "",
    *,
    role: str | None = None,
    clinic_id: UUID | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = 25,
) -> Page[Person]:
    """Accounts by name or e-mail: all for a superadmin, those who work in their clinics for an admin.

    `role` is one of the actor module's, `state` is active, deactivated or invited. Four statements, however many rows.
    """
    statement = select(User).where(_seen_by(actor))
    for word in text.lower().split()[:6]:
        statement = statement.where(_whole_name().contains(word, autoescape=True))
    if role or clinic_id:
        statement = statement.where(_holding(actor, role, clinic_id))
    if state in _STATES:
        statement = statement.where(*_STATES[state])
    found = page(statement, [User.family_name, User.given_name, User.id], after=after, limit=limit)
    return Page(_with_roles(actor, found.items), found.next)


def get(actor: Actor, user_id: UUID | str, *, lock: bool = False) -> Person:
    """One account with its roles; raises NotFound when the actor may not see it. With `lock` nobody changes the account
    until this transaction ends."""
    statement = select(User).where(User.id == as_id(user_id), _seen_by(actor))
    if lock:
        statement = statement.with_for_update(of=User).execution_options(populate_existing=True)
    user = session().scalars(statement).one_or_none() or refuse(NotFound)
    return _with_roles(actor, [user])[0]


def again(actor: Actor, seen: Person) -> Person:
    """The same account with its roles as they are now, also when its last role in the actor's clinics has ended."""
    return _with_roles(actor, [seen.user])[0]


def names(user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of these accounts, for showing who did something."""
    found = session().scalars(select(User).where(User.id.in_(user_ids))) if user_ids else ()
    return {user.id: user.name for user in found}


_STATES: dict[str, tuple[ColumnElement[bool], ...]] = {
    "active": (User.deactivated_at.is_(None), User.password_hash.is_not(None)),
    "deactivated": (User.deactivated_at.is_not(None),),
    "invited": (User.deactivated_at.is_(None), User.password_hash.is_(None)),
}


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """In SQL: all accounts for a superadmin; for an admin those who hold a role in the clinics they run."""
    if actor.is_superadmin:
        return true()
    clinics = actor.clinics_as(ADMIN)
    allow(bool(clinics))
    return or_(User.id.in_(_members(Membership.clinic_id.in_(clinics))), User.id.in_(_doctors(clinics)))


def _members(*which: ColumnElement[bool]) -> Any:
    return select(Membership.user_id).where(Membership.ended_at.is_(None), *which)


def _doctors(clinics: Collection[UUID] | None) -> Any:
    statement = select(Doctor.user_id).where(Doctor.user_id.is_not(None))
    if clinics is not None:
        at = select(Practice.doctor_id).where(Practice.clinic_id.in_(clinics), Practice.is_active)
        statement = statement.where(Doctor.id.in_(at))
    return statement


def _holding(actor: Actor, role: str | None, clinic_id: UUID | None) -> ColumnElement[bool]:
    """In SQL: who holds this role; an admin asks about their own clinics only. Raises NotFound for another's clinic."""
    allow(clinic_id is None or actor.administers(clinic_id), NotFound)
    if role in {SUPERADMIN, PATIENT} and not actor.is_superadmin:
        return false()
    if role == SUPERADMIN:
        return User.is_superadmin.is_(True)
    if role == PATIENT:
        return User.id.in_(select(Patient.user_id).where(Patient.user_id.is_not(None)))
    clinics = [clinic_id] if clinic_id else None if actor.is_superadmin else actor.clinics_as(ADMIN)
    members = [] if clinics is None else [Membership.clinic_id.in_(clinics)]
    if role == DOCTOR:
        return User.id.in_(_doctors(clinics))
    if role:
        return User.id.in_(_members(Membership.role == role, *members))
    return or_(User.id.in_(_members(*members)), User.id.in_(_doctors(clinics)))


def _with_roles(actor: Actor, users: Sequence[User]) -> list[Person]:
    ids = [user.id for user in users]
    roles: defaultdict[UUID, list[Role]] = defaultdict(list)
    for user in users:
        if user.is_superadmin and actor.is_superadmin:
            roles[user.id].append(Role(SUPERADMIN))
    held = select(Membership).where(Membership.user_id.in_(ids), Membership.ended_at.is_(None))
    for member in session().scalars(held.options(joinedload(Membership.clinic)).order_by(Membership.created_at)):
        if actor.administers(member.clinic_id):
            roles[member.user_id].append(Role(member.role, member.clinic, member.id))
    for doctor in _doctors_of(ids):
        at = [one.clinic for one in doctor.practices if one.is_active and actor.administers(one.clinic_id)]
        held_at: list[Clinic | None] = [*at] or [None]
        roles[cast(UUID, doctor.user_id)].extend(Role(DOCTOR, clinic, None, doctor.slug) for clinic in held_at)
    if actor.is_superadmin:
        patients = select(Patient.user_id).where(Patient.user_id.in_(ids))
        for user_id in session().scalars(patients):
            roles[cast(UUID, user_id)].append(Role(PATIENT))
    return [Person(user, roles[user.id]) for user in users]


def _doctors_of(user_ids: Sequence[UUID]) -> list[Doctor]:
    statement = select(Doctor).where(Doctor.user_id.in_(user_ids))
    with_clinics = joinedload(Doctor.practices).joinedload(Practice.clinic)
    return list(session().scalars(statement.options(with_clinics)).unique())


def _whole_name() -> ColumnElement[str]:
    """The expression of the trigram index ix_users_search."""
    return func.lower(User.given_name + " " + User.family_name + " " + sql_cast(User.email, Text))

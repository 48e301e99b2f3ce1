"""What visits stand on goes or changes: a clinic closes or moves, a doctor leaves, a licence or an account ends.

Each verb holds its own lock (closing). Where visits are booked it raises VisitsAffected unless they are kept, so that
nothing happens to them in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.events import Event
from portal.core.policy import allow, as_id
from portal.core.tasks import task
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic
from portal.domain.doctors import practices, profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity import accounts
from portal.domain.identity.models import User
from portal.domain.scheduling import calls, closing, impact
from portal.domain.scheduling.models import Appointment

ELSEWHERE = "licence_withdrawn"  # why another clinic's desk is asked to call


def change_clinic(actor: Actor, key: UUID | str, *, keep_visits: bool = False, **about: Any) -> Clinic:
    """Correct what is known of a clinic; raises as managing.change does.

    VisitsAffected where another zone or another address changes when or where people are expected.
    """
    clinic = take_clinic(actor, key)
    managing.may_write(actor, clinic, about)
    if any(getattr(clinic, name) != about[name] for name in managing.MEANT_IN):
        impact.unless_kept(impact.ahead(Appointment.clinic_id == clinic.id), keep_visits)
    return managing.change(actor, clinic.id, **about)


def take_clinic(actor: Actor, key: UUID | str) -> Clinic:
    """The clinic, locked for who changes it: nobody books there meanwhile. Raises NotFound."""
    closing.clinic(managing.get(actor, key).id)
    return managing.get(actor, key, lock=True)


def close_clinic_for_good(actor: Actor, key: UUID | str, *, keep_visits: bool = False) -> Clinic:
    """Take a clinic out of the directory and out of booking. For the superadmin; raises VisitsAffected."""
    clinic = managing.to_switch(actor, key)
    closing.clinic(clinic.id)
    if clinic.is_active:
        impact.unless_kept(impact.ahead(Appointment.clinic_id == clinic.id), keep_visits)
    return managing.deactivate(actor, clinic.id)


def end_practice(actor: Actor, practice_id: UUID | str, *, keep_visits: bool = False) -> Practice:
    """A doctor leaves a clinic and takes no new visits there; by its admins. Raises NotFound, VisitsAffected."""
    practice = practice_to_end(actor, practice_id)
    closing.practice(practice.id)
    impact.unless_kept(impact.ahead(Appointment.practice_id == practice.id), keep_visits)
    return practices.end(actor, practice.id)


def practice_to_end(actor: Actor, practice_id: UUID | str) -> Practice:
    """The practice, for those who may end it: the clinic's admins; it exists for nobody else."""
    practice = session().get(Practice, as_id(practice_id)) or refuse(NotFound)
    allow(actor.administers(practice.clinic_id), NotFound)
    return practice


def withdraw_licence(actor: Actor, key: UUID | str, *, keep_visits: bool = False) -> Doctor:
    """The licence does not hold: the profile is not public and takes no new visits.

    Raises as profiles.withdraw_licence does, and VisitsAffected for the visits of the clinics where the actor works.
    The desks of other clinics are asked to call their patients: those visits are theirs to decide.
    """
    doctor = profiles.to_administer(actor, key)
    closing.doctor(doctor.id)
    if doctor.licence_verified_at is not None:
        visits = impact.ahead(Appointment.doctor_id == doctor.id)
        impact.unless_kept([one for one in visits if actor.works_at(one.clinic_id)], keep_visits)
        _ask_the_desks(doctor.id, [one for one in visits if not actor.works_at(one.clinic_id)])
    return profiles.withdraw_licence(actor, doctor.id)


def shut_account(actor: Actor, user_id: UUID | str, *, keep_visits: bool = False) -> User:
    """Shut an account at once; a doctor whose account it is takes no new visits until it is opened again.

    Raises as accounts.deactivate does, and VisitsAffected where patients are booked with that doctor.
    """
    user = accounts.to_shut(actor, user_id)
    doctor = _doctor_of(user.id)
    if doctor is not None:
        closing.doctor(doctor.id)
        if user.is_active:
            impact.unless_kept(impact.ahead(Appointment.doctor_id == doctor.id), keep_visits)
            profiles.set_active(actor, doctor.id, False)
    return accounts.deactivate(actor, user.id)


def open_account(actor: Actor, user_id: UUID) -> User:
    """Open a deactivated account again; its doctor can be booked as before."""
    user = accounts.reactivate(actor, user_id)
    if doctor := _doctor_of(user.id):
        profiles.set_active(actor, doctor.id, True)
    return user


@task
def licence_lapsed(event_id: str, doctor_id: str) -> None:
    """A licence ceased to hold without anybody deciding about the visits: the desks are asked to call their patients.

    It happens where the admin who verified a licence takes the profile over (joining).
    """
    event = session().get(Event, UUID(event_id))
    if event is not None and event.facts.get("undecided"):
        _ask_the_desks(UUID(doctor_id), impact.ahead(Appointment.doctor_id == UUID(doctor_id)))


def _ask_the_desks(doctor_id: UUID, visits: Sequence[Appointment]) -> None:
    for visit in visits:
        calls.ask(
            clinic_id=visit.clinic_id,
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            code=ELSEWHERE,
            key=f"licence:{doctor_id}:{visit.id}:{visit.version}",
        )


def _doctor_of(user_id: UUID) -> Doctor | None:
    return session().scalars(select(Doctor).where(Doctor.user_id == user_id)).one_or_none()

"""What must be known before somebody is treated, for those who treat or receive them; each reading is in the audit log.

A doctor who has a visit with the patient at one of their clinics reads all of it. The front desk, the admins and the
other doctors of a clinic that knows the patient read the allergies and whom to call in an emergency; blood group and
conditions are the doctor's. Nobody else, a superadmin included, reads any of it here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sqlalchemy import select

from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.events import record
from portal.domain.patients import desk, profiles
from portal.domain.patients.models import Allergy, Patient, Registration
from portal.domain.scheduling.models import RELEASED, Appointment

AT_DESK = ("allergies", "emergency_contact")
CLINICAL = (*AT_DESK, "blood_group", "conditions")


@dataclass(frozen=True, slots=True)
class Health:
    """As far as the reader may know it. `blood_group` and `conditions` stay empty unless `is_clinical`."""

    is_clinical: bool
    allergies: list[Allergy]  # the worst first
    has_no_known_allergies: bool  # the patient said so; False with an empty list: nobody has asked
    emergency_contact: dict[str, str]
    blood_group: str | None = None
    conditions: list[str] = field(default_factory=list)

    @property
    def allergy_status(self) -> Literal["known", "none_known", "not_asked"]:
        if self.allergies:
            return "known"
        return "none_known" if self.has_no_known_allergies else "not_asked"


def read(actor: Actor, patient_id: UUID) -> Health:
    """The same for a patient by id; raises NotFound for one whose health the actor may not know."""
    return of(actor, desk.get(actor, patient_id)) or refuse(NotFound)


def of(actor: Actor, patient: Patient) -> Health | None:
    """What the actor may know of this patient's health, and the audit's entry that they read it; None for nothing."""
    treats_at = _treats_at(actor, patient.id)
    clinic_id = treats_at or _knows_at(actor, patient.id)
    if clinic_id is None:
        return None
    parts = CLINICAL if treats_at else AT_DESK
    record(actor, "health.read", patient, patient_id=patient.id, clinic_id=clinic_id, fields=list(parts))
    return Health(
        is_clinical=treats_at is not None,
        allergies=profiles.allergies_of(patient.id),
        has_no_known_allergies=patient.no_known_allergies,
        emergency_contact=dict(patient.emergency_contact),
        blood_group=patient.blood_group if treats_at else None,
        conditions=list(patient.conditions) if treats_at else [],
    )


def _treats_at(actor: Actor, patient_id: UUID) -> UUID | None:
    """The clinic of the actor's latest visit with the patient as a doctor who works there; none that was called off."""
    clinics = actor.clinics_as(DOCTOR)
    if actor.doctor_id is None or not clinics:
        return None
    visits = select(Appointment.clinic_id).where(
        Appointment.patient_id == patient_id,
        Appointment.doctor_id == actor.doctor_id,
        Appointment.clinic_id.in_(clinics),
        Appointment.status.not_in(RELEASED),
    )
    return session().scalar(visits.order_by(Appointment.starts_at.desc()).limit(1))


def _knows_at(actor: Actor, patient_id: UUID) -> UUID | None:
    """The first clinic of the actor that knows the patient."""
    clinics = actor.clinics_as(STAFF, ADMIN, DOCTOR)
    if not clinics:
        return None
    known = select(Registration.clinic_id).where(
        Registration.patient_id == patient_id, Registration.clinic_id.in_(clinics)
    )
    return session().scalar(known.order_by(Registration.created_at, Registration.id).limit(1))

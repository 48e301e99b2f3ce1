"""Records in one's own hands: oneself, and those whose profile one looks after. A clinic's desk has desk.py."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.policy import allow, find
from portal.domain.patients import family, inviting
from portal.domain.patients.inviting import Invitation
from portal.domain.patients.models import Allergy, Delegation, Patient


@dataclass(frozen=True, slots=True)
class Circle:
    """Who looks after a patient, and who was asked to and has not answered."""

    patient: Patient
    carers: list[Delegation]
    waiting: list[Invitation]


def profile(actor: Actor, patient_id: UUID, *, lock: bool = False) -> Patient:
    """The record of the actor, or of somebody whose profile they look after; raises NotFound for every other."""
    allow(patient_id in actor.cares_for("profile"), NotFound)
    return find(actor, Patient, patient_id, lock=lock)


def whose_allergy(actor: Actor, allergy_id: UUID) -> Allergy:
    """An allergy of such a record; raises NotFound."""
    statement = select(Allergy).where(Allergy.id == allergy_id, Allergy.patient_id.in_(actor.cares_for("profile")))
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def circle(actor: Actor, patient_id: UUID) -> Circle:
    """Who looks after a patient, for whoever decides about it and the front desk that knows them, as far as either may
    know; raises NotFound."""
    patient = find(actor, Patient, patient_id)
    return Circle(patient, family.carers(actor, patient.id), inviting.waiting(actor, patient))

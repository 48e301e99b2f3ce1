"""Who is told of what concerns a patient, and where they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from portal.core.db import session
from portal.domain.identity.models import User
from portal.domain.notifications.models import Delivery
from portal.domain.patients import care, reach
from portal.domain.patients.models import Delegation, Patient


@dataclass(frozen=True)
class Addressee:
    """Somebody a message goes to. `for_whom` names the patient when it is somebody else.

    `name` is empty where nobody has shown yet that the address is theirs: a letter to a stranger greets nobody.
    """

    name: str
    locale: str
    email: str
    phone: str  # E.164
    has_account: bool
    for_whom: str = ""

    def at(self, channel: str) -> str:
        """Where this channel reaches them; empty: it does not."""
        return {"email": self.email, "sms": self.phone}.get(channel, "")


def accounts_of(patient_id: UUID, clinic_id: UUID | None) -> list[User]:
    """Who is told of what belongs to this clinic: the patient's own account and those who may book for them there now;
    of what belongs to no clinic (None), the carers of the whole record. Shut ones are left out."""
    carers = select(Delegation.user_id).where(
        Delegation.patient_id == patient_id,
        reach.is_current(),
        reach.covers(clinic_id),
        Delegation.scopes.contains(["book"]),
    )
    own = select(Patient.user_id).where(Patient.id == patient_id, Patient.user_id.is_not(None))
    statement = select(User).where(User.deactivated_at.is_(None), User.id.in_(own.union(carers)))
    return list(session().scalars(statement.order_by(User.created_at, User.id)))


def deciding_for(patient: Patient) -> list[User]:
    """The patient's own account; for a patient without one those who decide for them. Shut ones are left out."""
    own = select(Patient.user_id).where(Patient.id == patient.id)
    others = care.governing(patient.id).with_only_columns(Delegation.user_id)
    wanted = User.id.in_(own) if patient.user_id else User.id.in_(others)
    return list(session().scalars(select(User).where(User.deactivated_at.is_(None), wanted).order_by(User.id)))


def of(delivery: Delivery) -> Addressee | None:
    """Where a delivery goes, read afresh; None when there is nobody any more."""
    patient = session().get(Patient, delivery.patient_id) if delivery.patient_id else None
    if delivery.user_id is None:
        return of_patient(patient) if patient else None
    user = session().get(User, delivery.user_id)
    return None if user is None or not user.is_active else of_user(user, patient)


def of_user(user: User, patient: Patient | None = None) -> Addressee:
    """Somebody with an account, told of `patient` when that is given."""
    if patient is not None and patient.user_id == user.id:
        return Addressee(user.greeted_as, user.locale, user.email, patient.phone, has_account=True)
    phone = session().scalar(select(Patient.phone).where(Patient.user_id == user.id)) or ""
    name = patient.name if patient else ""
    return Addressee(user.greeted_as, user.locale, user.email, phone, has_account=True, for_whom=name)


def of_patient(patient: Patient) -> Addressee:
    """A patient without an account, as the clinic knows them."""
    return Addressee("", patient.preferred_language, patient.email, patient.phone, has_account=False)

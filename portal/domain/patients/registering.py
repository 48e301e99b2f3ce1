"""Becoming a patient: with a new account, or with one that was made for work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.identity import accounts
from portal.domain.identity.models import User
from portal.domain.patients.models import Patient


class IsPatient(Conflict):
    """One account is one patient."""

    code = "is_patient"
    sentence = _("You have a patient profile already.")


def register(
    actor: Actor, *, email: str, password: str, given_name: str, family_name: str, locale: str = "en", **facts: Any
) -> Patient | None:
    """Make an account and its patient profile; None when the address has an account already.

    The answer to the person must be the same either way: a mail tells them. `facts` travel with the mail's link. Raises
    Invalid for a weak password and TooMany.
    """
    user = accounts.register(
        actor, email=email, password=password, given_name=given_name, family_name=family_name, locale=locale, **facts
    )
    return profile_for(actor, user) if user else None


def become_patient(actor: Actor) -> Patient:
    """Give a profile to someone who has an account but none, such as a doctor who wants to see one."""
    allow(actor.is_signed_in)
    if actor.patient_id:
        raise IsPatient
    return profile_for(actor, accounts.get(actor.user_id))


def profile_for(actor: Actor, user: User) -> Patient:
    """The patient profile of this account, made when it has none."""
    known = session().scalars(select(Patient).where(Patient.user_id == user.id)).one_or_none()
    if known is not None:
        return known
    patient = Patient(
        user_id=user.id,
        given_name=user.given_name,
        family_name=user.family_name,
        email=user.email,
        preferred_language=user.locale,
    )
    session().add(patient)
    session().flush()
    record(actor, "patient.registered", patient, patient_id=patient.id)
    return patient

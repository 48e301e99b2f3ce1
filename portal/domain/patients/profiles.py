"""What is known about a patient, and who may change it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.names import fold
from portal.core.policy import allow, as_id, find
from portal.core.text import lazy as _
from portal.domain.identity import accounts
from portal.domain.patients import care
from portal.domain.patients.models import Allergy, Patient

MOST_ALLERGIES = 100


class TooManyAllergies(Conflict):
    """The list of allergies is full."""

    code = "too_many_allergies"
    sentence = _("This list is full. Please remove what is not needed.")


def may_change(actor: Actor, patient: Patient) -> bool:
    """The patient themselves, whoever looks after their profile, and the portal itself; a desk has desk.change."""
    return actor.is_system or patient.id in actor.cares_for("profile")


def mine(actor: Actor) -> Patient | None:
    """The actor's own profile; None for people who are no patients."""
    return session().get(Patient, actor.patient_id) if actor.patient_id else None


def allergies(actor: Actor, patient_id: UUID) -> list[Allergy]:
    """What the patient reacts to, the worst first. Raises NotFound."""
    return allergies_of(find(actor, Patient, patient_id).id)


def allergies_of(patient_id: UUID) -> list[Allergy]:
    """The same, the worst first; whoever calls this has checked who may."""
    known = session().scalars(select(Allergy).where(Allergy.patient_id == patient_id))
    return sorted(known, key=lambda one: (_SEVERITIES.index(one.severity), fold(one.substance)))


def change(
    actor: Actor,
    patient_id: UUID,
    *,
    birth_date: date | None,
    sex: str,
    phone: str,
    address: str,
    city: str,
    blood_group: str | None,
    conditions: list[str],
    no_known_allergies: bool = False,
    contact_name: str,
    contact_phone: str,
    contact_relation: str,
) -> Patient:
    """Write down what was answered; the event names the fields that changed, never what is in them.

    Raises Invalid for `no_known_allergies` while an allergy is noted, and when somebody's child would turn out to be an
    adult: care that is theirs by age would be over.
    """
    patient = _changeable(actor, patient_id, lock=True)
    if no_known_allergies and allergies_of(patient.id):
        raise Invalid(fields={"no_known_allergies": _("Allergies are noted. Remove them first if they are wrong.")})
    born_before = patient.birth_date
    _still_a_child(actor, patient, birth_date)
    contact = {"name": contact_name, "phone": contact_phone, "relation": contact_relation}
    given = {
        "birth_date": birth_date,
        "sex": sex,
        "phone": phone,
        "address": address,
        "city": city,
        "blood_group": blood_group,
        "conditions": conditions,
        "no_known_allergies": no_known_allergies,
        "emergency_contact": {key: value for key, value in contact.items() if value},
    }
    changed = sorted(name for name, value in given.items() if getattr(patient, name) != value)
    if changed:
        for name in changed:
            setattr(patient, name, given[name])
        session().flush()
        care.follow_age(actor, patient, born_before)
        record(actor, "patient.changed", patient, patient_id=patient.id, fields=changed)
    return patient


def call_me(actor: Actor, *, given_name: str, family_name: str, locale: str) -> None:
    """Change one's own name and language, in the account and in the patient profile if there is one."""
    accounts.rename(actor, given_name=given_name, family_name=family_name, locale=locale)
    if actor.patient_id:
        rename(actor, actor.patient_id, given_name=given_name, family_name=family_name, locale=locale)


def rename(actor: Actor, patient_id: UUID, *, given_name: str, family_name: str, locale: str) -> Patient:
    """Call the patient by another name, and write to them in this language."""
    patient = _changeable(actor, patient_id)
    patient.given_name, patient.family_name, patient.preferred_language = given_name, family_name, locale
    session().flush()
    record(actor, "patient.renamed", patient, patient_id=patient.id)
    return patient


def add_allergy(actor: Actor, patient_id: UUID, *, substance: str, reaction: str = "", severity: str) -> Allergy:
    """Note what the patient reacts to; the same substance again only changes what is said about it."""
    patient = _changeable(actor, patient_id, lock=True)
    known = list(session().scalars(select(Allergy).where(Allergy.patient_id == patient.id)))
    same = next((one for one in known if fold(one.substance) == fold(substance)), None)
    if same is None and len(known) >= MOST_ALLERGIES:
        raise TooManyAllergies
    allergy = same or Allergy(patient_id=patient.id)
    patient.no_known_allergies = False
    allergy.substance, allergy.reaction, allergy.severity = substance, reaction, severity
    session().add(allergy)
    session().flush()
    record(actor, "allergy.changed" if same else "allergy.added", allergy)
    return allergy


def remove_allergy(actor: Actor, allergy_id: UUID | str) -> Allergy:
    """Take an allergy off the list. Raises NotFound when it is not there or not the actor's to see."""
    allergy = session().get(Allergy, as_id(allergy_id)) or refuse(NotFound)
    _changeable(actor, allergy.patient_id)
    session().delete(allergy)
    session().flush()
    record(actor, "allergy.removed", allergy)
    return allergy


def _still_a_child(actor: Actor, patient: Patient, birth_date: date | None) -> None:
    """Whoever looks after a child does not write away their own care by a slip of the pen."""
    if (
        patient.id != actor.patient_id
        and patient.birth_date != birth_date
        and care.grows_up(actor, patient, birth_date)
    ):
        sentence = _(
            "By this date the person is an adult, and you would not act for them any more. Please check the year."
        )
        raise Invalid(fields={"birth_date": sentence}, code="of_age")


def _changeable(actor: Actor, patient_id: UUID, *, lock: bool = False) -> Patient:
    patient = find(actor, Patient, patient_id, lock=lock)
    allow(may_change(actor, patient))
    return patient


_SEVERITIES = ("severe", "moderate", "mild")

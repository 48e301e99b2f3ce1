"""Patients' own records: one's own, and those of whom one looks after."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.patients_answers import AllergyOut, ProfileOut
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.domain.identity.shapes import AccountProfile
from portal.domain.patients import own, profiles, registering
from portal.domain.patients.profiles import TooManyAllergies
from portal.domain.patients.registering import IsPatient
from portal.domain.patients.shapes import AllergyShape, PatientDetails

TAG = "Patient details"
PROFILE: dict[str, Any] = {"tag": TAG, "answer": ProfileOut, "tagged": True}
CHANGE: dict[str, Any] = PROFILE | {"scope": "profile:write", "guarded": True}


@endpoint(
    "POST", "/patients/me", status=201, refuses=(Forbidden, IsPatient), scope="profile:write", keyed=True, **PROFILE
)
def become_patient(actor: Actor) -> Answer:
    """Give an account that was made for work a patient's record too"""
    made = registering.become_patient(actor)
    told = ProfileOut.of(made, [])
    return Answer(told, {"ETag": etags.of(told), "Location": f"/api/v1/patients/{made.id}/profile"})


@endpoint("GET", "/patients/{patient_id}/profile", scope="profile:read", **PROFILE)
def get_profile(actor: Actor, patient_id: UUID) -> ProfileOut:
    """What clinics should know: of yourself, or of somebody whose personal data you look after

    Your own id is `patient_id` in GET /auth/me.
    """
    return _profile(actor, patient_id)


@endpoint(
    "PUT",
    "/patients/{patient_id}/profile",
    body=PatientDetails,
    example={
        "birth_date": "1988-04-12",
        "sex": "female",
        "phone": "+213550123456",
        "city": "Algiers",
        "blood_group": "O+",
        "conditions": ["Asthma"],
        "contact_name": "Karim Boudiaf",
        "contact_phone": "+213550654321",
        "contact_relation": "Brother",
    },
    **CHANGE,
)
def change_profile(actor: Actor, patient_id: UUID, body: PatientDetails) -> Answer:
    """Write down what clinics should know; what is left out becomes empty"""
    _unless_changed(actor, patient_id)
    profiles.change(actor, patient_id, **body.values())
    return _tagged(actor, patient_id)


@endpoint(
    "PUT",
    "/patients/{patient_id}/name",
    body=AccountProfile,
    example={"given_name": "Amina", "family_name": "Boudiaf", "locale": "fr"},
    **CHANGE,
)
def rename_patient(actor: Actor, patient_id: UUID, body: AccountProfile) -> Answer:
    """How a patient is called and in which language clinics write to them; your account is PUT /auth/profile"""
    _unless_changed(actor, patient_id)
    profiles.rename(actor, patient_id, **body.values())
    return _tagged(actor, patient_id)


@endpoint(
    "POST",
    "/patients/{patient_id}/allergies",
    tag=TAG,
    body=AllergyShape,
    answer=AllergyOut,
    status=201,
    refuses=(TooManyAllergies,),
    scope="profile:write",
    keyed=True,
    example={"substance": "Penicillin", "reaction": "Rash", "severity": "severe"},
)
def add_allergy(actor: Actor, patient_id: UUID, body: AllergyShape) -> Answer:
    """Note what a patient reacts to; the same substance again changes what is said about it"""
    own.profile(actor, patient_id, lock=True)
    made = profiles.add_allergy(actor, patient_id, **body.values())
    return Answer(AllergyOut.of(made), {"Location": f"/api/v1/patients/{patient_id}/profile"})


@endpoint("DELETE", "/allergies/{allergy_id}", tag=TAG, status=204, refuses=(NotFound,), scope="profile:write")
def remove_allergy(actor: Actor, allergy_id: UUID) -> None:
    """Take an allergy off the list"""
    profiles.remove_allergy(actor, own.whose_allergy(actor, allergy_id).id)


def _profile(actor: Actor, patient_id: UUID, *, lock: bool = False) -> ProfileOut:
    patient = own.profile(actor, patient_id, lock=lock)
    return ProfileOut.of(patient, profiles.allergies(actor, patient_id))


def _unless_changed(actor: Actor, patient_id: UUID) -> None:
    etags.unless_changed(_profile(actor, patient_id, lock=True))


def _tagged(actor: Actor, patient_id: UUID) -> Answer:
    told = _profile(actor, patient_id)
    return Answer(told, {"ETag": etags.of(told)})

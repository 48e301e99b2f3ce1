"""Patients of a clinic: found, entered and kept right by its people."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.patients_answers import (
    AtDeskOut,
    CardOut,
    ChangedOut,
    EnteredOut,
    FoundOut,
    FoundPatients,
    HealthOut,
)
from portal.core.actor import Actor
from portal.core.errors import Forbidden, TooMany
from portal.core.shapes import Shape, storable
from portal.domain.identity.accounts import OwnAccount
from portal.domain.patients import deaths
from portal.domain.patients import desk as lists
from portal.domain.patients.deaths import NotDeceased, WorksHere
from portal.domain.patients.desk import LikelyKnown
from portal.domain.patients.desk_shapes import Death, PatientAtDesk
from portal.domain.patients.request_shapes import ChangeAtDesk
from portal.domain.patients.requests import NobodyToAsk
from portal.domain.scheduling import desk, health

TAG = "Patients of a clinic"
READ, WRITE = "patients:read", "patients:write"
SOMEBODY = {
    "given_name": "Amina",
    "family_name": "Boudiaf",
    "birth_date": "1988-04-12",
    "sex": "female",
    "phone": "0550 12 34 56",
}


class PatientSearch(Shape):
    """What somebody at the desk types: a name, a birth date, a phone, a reference, or a mix of them."""

    q: Annotated[
        str,
        StringConstraints(min_length=1, max_length=120),
        AfterValidator(storable),
        Field(description="A name, a birth date, a part of a phone number, or the reference of an appointment"),
    ]


class EnterPatient(PatientAtDesk):
    """Somebody new to a clinic. `as_new` says that those who are likely the same were looked at."""

    clinic_id: UUID
    as_new: bool = False


@endpoint(
    "POST",
    "/patients/search",
    tag=TAG,
    body=PatientSearch,
    answer=FoundPatients,
    scope=READ,
    example={"q": "boudiaf 1988"},
)
def search_patients(actor: Actor, body: PatientSearch) -> FoundPatients:
    """Search the patients of the clinics you work in

    What is searched for goes in the body, so that it stands in no address and no log on the way. A name is first
    looked for as it was typed; only if nobody has it, names written alike count.
    """
    return FoundPatients(items=[FoundOut.found(one) for one in desk.search(actor, body.q)])


@endpoint(
    "POST",
    "/patients",
    tag=TAG,
    body=EnterPatient,
    answer=EnteredOut,
    status=201,
    refuses=(Forbidden, LikelyKnown),
    scope=WRITE,
    keyed=True,
    tagged=True,
    example=SOMEBODY | {"clinic_id": "019aa000-0000-7000-8000-000000000006"},
)
def enter_patient(actor: Actor, body: EnterPatient) -> Answer:
    """Put somebody on a clinic's list, as its desk, admin or doctor

    It is a record of this clinic, also where `may_exist_elsewhere` says that somebody like this may have one already:
    ask them with POST /patients/{patient_id}/join-requests. 409 `likely_known` names in `patients` who may be the same;
    send `as_new: true` when none of them is.
    """
    about = body.values()
    clinic_id, as_new = about.pop("clinic_id"), about.pop("as_new")
    patient, may_exist = lists.enter(actor, clinic_id, as_new=as_new, **about)
    headers = {"Location": f"/api/v1/patients/{patient.id}", "ETag": etags.of(AtDeskOut.of(patient))}
    return Answer(EnteredOut.entered(patient, may_exist), headers)


@endpoint("GET", "/patients/{patient_id}", tag=TAG, answer=AtDeskOut, scope=READ, tagged=True)
def get_patient(actor: Actor, patient_id: UUID) -> AtDeskOut:
    """One patient of the clinics you work in"""
    return AtDeskOut.of(lists.get(actor, patient_id))


@endpoint("GET", "/patients/{patient_id}/card", tag=TAG, answer=CardOut, scope=READ)
def get_patient_card(actor: Actor, patient_id: UUID) -> CardOut:
    """One patient with their visits at the clinics you work in"""
    return CardOut.whole(desk.card(actor, patient_id))


@endpoint("GET", "/patients/{patient_id}/health", tag=TAG, answer=HealthOut, scope="health:read")
def get_patient_health(actor: Actor, patient_id: UUID) -> HealthOut:
    """Allergies first, and whom to call in an emergency; for a doctor who has a visit with them all of it

    For doctors, desk and admins of the clinics that know the patient. Each reading is in the audit log.
    """
    return HealthOut.of(health.read(actor, patient_id))


@endpoint(
    "PUT",
    "/patients/{patient_id}",
    tag=TAG,
    body=ChangeAtDesk,
    answer=ChangedOut,
    refuses=(Forbidden, NobodyToAsk, TooMany),
    scope=WRITE,
    tagged=True,
    guarded=True,
    example=SOMEBODY,
)
def change_patient(actor: Actor, patient_id: UUID, body: ChangeAtDesk) -> Answer:
    """Keep a patient's name and contact right, as the desk or an admin; what is left out becomes empty

    Before a phone, an e-mail address or a known date of birth changes, the patient is asked at the contact known so
    far: `request` says so, and the fields keep their values until then. With `on_paper` another person of the clinic
    may confirm a signed paper instead. What the clinic itself entered less than a day ago is corrected at once. The
    e-mail address of somebody with an account stays as it is.
    """
    etags.unless_changed(AtDeskOut.of(lists.get(actor, patient_id, lock=True)))
    patient, request = lists.change(actor, patient_id, **body.values())
    return Answer(ChangedOut.changed(patient, request), {"ETag": etags.of(AtDeskOut.of(patient))})


@endpoint(
    "PUT",
    "/patients/{patient_id}/death",
    tag=TAG,
    body=Death,
    answer=AtDeskOut,
    refuses=(Forbidden, OwnAccount, WorksHere),
    scope=WRITE,
    example={"died_on": "2026-11-20"},
)
def note_death(actor: Actor, patient_id: UUID, body: Death) -> AtDeskOut:
    """A patient has died, as the desk or an admin

    Nothing is sent to them any more, their account and care of them end, and visits to come are put on the desk's list
    of calls to decide about.
    """
    return AtDeskOut.of(deaths.note(actor, patient_id, died_on=body.died_on))


@endpoint(
    "DELETE",
    "/patients/{patient_id}/death",
    tag=TAG,
    answer=AtDeskOut,
    refuses=(Forbidden, NotDeceased),
    scope=WRITE,
)
def undo_death(actor: Actor, patient_id: UUID) -> AtDeskOut:
    """It was a mistake: the account is open, and care counts, as before"""
    return AtDeskOut.of(deaths.undo(actor, patient_id))

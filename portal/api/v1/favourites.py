"""The doctors a patient keeps: the same as the hearts of the pages."""

from __future__ import annotations

from uuid import UUID

from portal.api.v1 import endpoint
from portal.api.v1.answers import Doctors, DoctorSummary
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.domain.doctors import favourites
from portal.domain.doctors.favourites import NoPatient, TooManyKept
from portal.domain.scheduling import availability

TAG = "Doctors kept"


@endpoint("GET", "/favourites", tag=TAG, answer=Doctors, scope="appointments:read")
def list_favourites(actor: Actor) -> Doctors:
    """The doctors the patient keeps, the last kept first, each with the next free time of each practice"""
    kept = favourites.mine(actor)
    free = availability.next_free([place.id for card in kept for place in card.practices], limit=1) if kept else {}
    return Doctors(
        items=[DoctorSummary.of(card, [slot for place in card.practices for slot in free[place.id]]) for card in kept]
    )


@endpoint(
    "PUT",
    "/favourites/{doctor_id}",
    tag=TAG,
    status=204,
    refuses=(NotFound, NoPatient, TooManyKept),
    scope="appointments:write",
)
def keep_doctor(actor: Actor, doctor_id: UUID) -> None:
    """Keep this doctor; one who is kept already stays so"""
    favourites.keep(actor, doctor_id)


@endpoint("DELETE", "/favourites/{doctor_id}", tag=TAG, status=204, refuses=(NoPatient,), scope="appointments:write")
def let_doctor_go(actor: Actor, doctor_id: UUID) -> None:
    """Do not keep this doctor any more; one who was not kept is no mistake"""
    favourites.let_go(actor, doctor_id)

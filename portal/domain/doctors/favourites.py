"""The doctors a patient keeps, to find them again at once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, Forbidden
from portal.core.events import record
from portal.core.policy import allow, find
from portal.core.text import lazy as _
from portal.domain.doctors.cards import DoctorCard, cards
from portal.domain.doctors.models import Doctor, Favourite

MOST = 50


class NoPatient(Forbidden):
    """Only patients keep doctors."""

    code = "no_patient_profile"
    sentence = _("This account has no patient profile, so it cannot keep doctors.")


class TooManyKept(Conflict):
    code = "too_many_kept"
    sentence = _("You keep as many doctors as there is room for. Please let one go first.")


def mine(actor: Actor) -> list[DoctorCard]:
    """The cards of the doctors the actor keeps, the last kept first; those who are not public any more are left out."""
    if actor.patient_id is None:
        return []
    ids = list(
        session().scalars(
            select(Favourite.doctor_id)
            .join(Favourite.doctor)
            .where(Favourite.patient_id == actor.patient_id, Doctor.public())
            .order_by(Favourite.created_at.desc(), Favourite.id.desc())
        )
    )
    known = cards(ids)
    return [known[doctor_id] for doctor_id in ids if doctor_id in known]


def kept(actor: Actor) -> frozenset[UUID]:
    """The ids of the doctors the actor keeps."""
    if actor.patient_id is None:
        return frozenset()
    return frozenset(session().scalars(select(Favourite.doctor_id).where(Favourite.patient_id == actor.patient_id)))


def keep(actor: Actor, doctor_id: UUID | str) -> Doctor:
    """Keep this doctor; one who is kept already stays so. Raises NoPatient, NotFound, TooManyKept."""
    allow(actor.patient_id is not None, NoPatient)
    doctor = find(actor, Doctor, doctor_id)
    session().execute(select(func.pg_advisory_xact_lock(func.hashtext(f"favourites:{actor.patient_id}"))))
    known = kept(actor)
    if doctor.id in known:
        return doctor
    allow(len(known) < MOST, TooManyKept)
    values = {"id": new_id(), "created_at": clock.now(), "patient_id": actor.patient_id, "doctor_id": doctor.id}
    session().execute(insert(Favourite).values(values).on_conflict_do_nothing())
    record(actor, "doctor.kept", doctor, patient_id=actor.patient_id)
    return doctor


def let_go(actor: Actor, doctor_id: UUID) -> None:
    """Do not keep this doctor any more; one who was not kept is no mistake. Raises NoPatient."""
    allow(actor.patient_id is not None, NoPatient)
    gone = session().scalars(
        delete(Favourite)
        .where(Favourite.patient_id == actor.patient_id, Favourite.doctor_id == doctor_id)
        .returning(Favourite.doctor_id)
    )
    if gone.one_or_none() is not None:
        doctor = session().get(Doctor, doctor_id)
        record(actor, "doctor.let_go", doctor, patient_id=actor.patient_id)

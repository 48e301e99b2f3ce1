"""What a clinic's people arrange with: its doctors and their visit types, patients found, a patient's visits here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, contains_eager

from portal.core import clock
from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import session
from portal.core.errors import Invalid, NotFound, refuse
from portal.core.names import as_listed
from portal.core.paging import Page, page
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients import desk as patients
from portal.domain.patients.models import Patient
from portal.domain.scheduling import availability, rulebook, visit_types
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.granting import LETTERS
from portal.domain.scheduling.models import RELEASED, UPCOMING, Appointment, VisitType
from portal.domain.scheduling.rulebook import moment
from portal.domain.scheduling.wall_time import instant, seconds_of

REFERENCE = 9  # letters and digits of an appointment's reference
MOST_PAST = 15


@dataclass(frozen=True, slots=True)
class Found:
    """A patient the search found, and their next visit at the actor's clinics."""

    patient: Patient
    next_visit: Appointment | None


@dataclass(frozen=True, slots=True)
class Card:
    """A patient as the desk sees them: the visits at its clinics, the next first, those called off ahead of their
    time, and a page of the past ones, the latest first."""

    patient: Patient
    upcoming: list[Appointment]
    called_off: list[Appointment]
    past: Page[Appointment]


def practices(actor: Actor, clinic_id: UUID | None = None) -> list[Practice]:
    """The practices the actor books for, by clinic and doctor; a doctor's own come first."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .join(Practice.clinic)
        .where(Practice.is_active, Doctor.is_active, Clinic.is_active, _of_my_clinics(actor, Practice.clinic_id))
        .options(contains_eager(Practice.doctor).selectinload(Doctor.specialties), contains_eager(Practice.clinic))
        .order_by(*as_listed(Clinic.name, Doctor.family_name, Doctor.given_name))
    )
    if clinic_id:
        statement = statement.where(Practice.clinic_id == clinic_id)
    found = list(session().scalars(statement))
    return sorted(found, key=lambda one: one.doctor_id != actor.doctor_id) if actor.doctor_id else found


def practice(actor: Actor, practice_id: UUID) -> Practice:
    """One of these practices with its doctor and clinic; raises NotFound."""
    return next((one for one in practices(actor) if one.id == practice_id), None) or refuse(NotFound)


def kinds(of: Practice) -> list[VisitType]:
    """Every visit type of the clinic: those this doctor's hours take first, then those only overbooking reaches."""
    now = clock.now()
    book = rulebook.read_one(of.id, now, now + availability.MARGIN, also_unverified=True)
    taken = [kind.id for kind in book.admitted()] if book else []
    rank = {kind_id: place for place, kind_id in enumerate(taken)}
    return sorted(visit_types.active_at([of.clinic_id]), key=lambda kind: rank.get(str(kind.id), len(rank)))


def search(actor: Actor, typed: str) -> list[Found]:
    """Patients of the actor's clinics by name, birth date, phone or the reference of an appointment."""
    found = _by_reference(actor, typed) or patients.search(actor, typed)
    ahead = next_visits(actor, [patient.id for patient in found])
    return [Found(patient, ahead.get(patient.id)) for patient in found]


def next_visits(actor: Actor, patient_ids: Sequence[UUID]) -> dict[UUID, Appointment]:
    """The next visit of each of these patients at the actor's clinics."""
    statement = (
        select(Appointment)
        .where(
            Appointment.patient_id.in_(patient_ids),
            Appointment.status.in_(UPCOMING),
            Appointment.starts_at > clock.now(),
            _of_my_clinics(actor, Appointment.clinic_id),
        )
        .options(*WHOLE)
        .order_by(Appointment.patient_id, Appointment.starts_at)
        .ext(distinct_on(Appointment.patient_id))
    )
    return {visit.patient_id: visit for visit in session().scalars(statement)} if patient_ids else {}


def card(actor: Actor, patient_id: UUID, after: str | None = None) -> Card:
    """A patient with their visits at the actor's clinics, past ones after this cursor.

    Raises NotFound for one these do not know.
    """
    patient = patients.get(actor, patient_id)
    here = (Appointment.patient_id == patient.id, _of_my_clinics(actor, Appointment.clinic_id))
    every, to_come = select(Appointment).where(*here).options(*WHOLE), Appointment.ends_at > clock.now()
    ahead = every.where(Appointment.status.in_([*UPCOMING, *RELEASED]), to_come).order_by(Appointment.starts_at)
    gone = every.where(~(Appointment.status.in_([*UPCOMING, *RELEASED]) & to_come))
    coming = list(session().scalars(ahead))
    past = page(gone, [Appointment.starts_at, Appointment.id], after=after, limit=MOST_PAST, descending=True)
    standing = [visit for visit in coming if visit.status in UPCOMING]
    off = [visit for visit in coming if visit.status in RELEASED]
    return Card(patient, standing, off, past)


def moment_at(zone: ZoneInfo, day: date, wall: time) -> datetime:
    """The instant of a time as the clinic's clock shows it; raises Invalid for one that a change of clocks skips."""
    at, exists = instant(zone, day, seconds_of(wall.replace(second=0)))
    if not exists:
        raise Invalid(fields={"wall": _("The clocks are put forward at this time. Please choose another.")})
    return moment(at)


def _by_reference(actor: Actor, typed: str) -> list[Patient]:
    reference = re.sub(r"[\s-]", "", typed).upper()
    if len(reference) != REFERENCE or not set(reference) <= set(LETTERS):
        return []
    statement = select(Appointment.patient_id).where(
        Appointment.reference == reference, _of_my_clinics(actor, Appointment.clinic_id)
    )
    return patients.by_ids(actor, list(session().scalars(statement)))


def _of_my_clinics(actor: Actor, column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    return true() if actor.is_superadmin else column.in_(actor.clinics_as(STAFF, ADMIN, DOCTOR))

"""People who come without a booking: a visit is made for them on the spot, whatever the timetable says."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound
from portal.core.events import record
from portal.core.names import as_listed
from portal.core.policy import allow, as_id, find
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.day import queue
from portal.domain.day.calling import may_arrange
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients import care, desk
from portal.domain.patients.models import Patient
from portal.domain.scheduling import granting, taking, visits
from portal.domain.scheduling.models import CHECKED_IN, CONFIRMED, IN_PROGRESS, PENDING, Appointment, VisitType
from portal.domain.scheduling.refusals import NotOffered
from portal.domain.scheduling.timetable import Reason
from portal.domain.scheduling.visits import NotInPerson


class AlreadyOnTheList(Conflict):
    """The patient has a visit with this doctor today; `appointment_id` says which."""

    code = "already_on_the_list"
    sentence = _("This patient has a visit with this doctor today. Check them in for that one.")


class ElsewhereNow(Conflict):
    code = "patient_busy"
    sentence = _("This patient has another visit at this time. Move or cancel that one first.")


def add(
    actor: Actor,
    *,
    practice_id: UUID | str,
    visit_type_id: UUID | str,
    patient_id: UUID | str,
    urgent: bool = False,
    reason: str = "",
) -> Appointment:
    """Put somebody who stands at the desk on the doctor's list of today, checked in and with a number at once.

    It takes a lane of its own beside what is booked, so it never needs a free time. Raises NotFound, Conflict for a
    visit that is not at the clinic, AlreadyOnTheList or ElsewhereNow.
    """
    practice = find(actor, Practice, practice_id, joinedload(Practice.clinic), joinedload(Practice.doctor))
    allow(may_arrange(actor, practice.clinic_id, practice.doctor_id), NotFound)
    patient = care.of_clinic(actor, patient_id, practice.clinic_id)
    now = clock.now().replace(second=0, microsecond=0)
    book, kind = granting.rules(practice.id, as_id(visit_type_id), now, patient.id)
    allow(kind.mode == "in_person", NotInPerson, _("This type of visit is not at the clinic."))
    taking.one_at_a_time("walk-in", patient.id)  # the second of two clicks sees the first
    _not_on_the_list(actor, practice, patient)
    kind = replace(kind, most_per_day=None)  # whoever stands here is not sent away by a limit on bookings
    offer = taking.over_the_rules(kind, int(now.timestamp()))
    draft = granting.draft(actor, book, kind, offer, patient.id, reason) | {
        "status": CHECKED_IN,
        "confirmed_at": now,
        "checked_in_at": clock.now(),
        "is_walk_in": True,
        "is_urgent": urgent,
    }
    try:
        taking.take(book, kind, offer, draft, None)
    except NotOffered as no:
        raise ElsewhereNow from None if no.code == Reason.PATIENT_BUSY.value else no
    made = granting.as_row(draft)
    made.queue_number = visits.number_for(practice.clinic, now.astimezone(practice.clinic.zone).date())
    made.doctor, made.clinic = practice.doctor, practice.clinic
    session().flush()
    record(actor, "appointment.walked_in", made, number=made.queue_number, urgent=urgent or None)
    visits.tell_the_clinic(made)
    return made


def practices(actor: Actor, clinic_id: UUID) -> list[Practice]:
    """The practices of a clinic that a walk-in can be sent to, by doctor's name."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .where(Practice.clinic_id == clinic_id, Practice.is_active, Doctor.is_active)
        .options(joinedload(Practice.doctor), joinedload(Practice.clinic))
        .order_by(*as_listed(Doctor.family_name, Doctor.given_name), Practice.id)
    )
    if not actor.works_at(clinic_id):
        statement = statement.where(Practice.doctor_id == actor.doctor_id)
    return list(session().scalars(statement))


def visit_types(clinic_id: UUID) -> list[VisitType]:
    """The clinic's types of visit that take place there."""
    statement = (
        select(VisitType)
        .where(VisitType.clinic_id == clinic_id, VisitType.is_active, VisitType.mode == "in_person")
        .order_by(VisitType.created_at, VisitType.id)
    )
    return list(session().scalars(statement))


def clinic(actor: Actor, slug: str | None) -> Clinic:
    """The clinic with this address whose day the actor runs; the first by name without one. Raises NotFound."""
    mine = clinics(actor)
    found = [one for one in mine if one.slug == slug] if slug else mine[:1]
    allow(bool(found), NotFound)
    return found[0]


def clinics(actor: Actor) -> list[Clinic]:
    """The clinics whose day the actor runs at the desk, by name."""
    return [clinic for clinic in desk.clinics(actor) if actor.works_at(clinic.id)]


def _not_on_the_list(actor: Actor, practice: Practice, patient: Patient) -> None:
    begins, until = queue.bounds(practice.clinic, clock.today(practice.clinic.zone))
    same = select(Appointment.id).where(
        Appointment.patient_id == patient.id,
        Appointment.practice_id == practice.id,
        Appointment.starts_at >= begins,
        Appointment.starts_at < until,
        Appointment.status.in_((PENDING, CONFIRMED, CHECKED_IN, IN_PROGRESS)),
    )
    known = session().scalars(same.limit(1)).first()
    allow(known is None, AlreadyOnTheList, appointment_id=known)

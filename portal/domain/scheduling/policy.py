"""Who may do what with appointments, and a clinic's booking policy in plain words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import session
from portal.core.text import format_span, ngettext
from portal.core.text import gettext as say
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.scheduling.models import CHECKED_IN, PENDING, UPCOMING, Appointment, VisitType


def price_of(kind: Any, practice: Any) -> int | None:
    """What a visit costs in minor units: its type's own price, else the practice's fee; None when neither is set."""
    return kind.price_minor if kind.price_minor is not None else practice.fee_minor  # type: ignore[no-any-return]


def may_book_for(actor: Actor, patient_id: UUID | None, clinic_id: UUID) -> bool:
    """Patients book for themselves and those they look after; those who work at the clinic for anyone it may see."""
    return patient_id in actor.cares_for("book", at=clinic_id) or works_on(actor, clinic_id)


def works_on(actor: Actor, clinic_id: UUID) -> bool:
    """Whether the actor arranges visits of this clinic: its desk, its admins, its doctors."""
    return actor.is_system or actor.works_at(clinic_id) or clinic_id in actor.clinics_as("doctor")


def may_manage(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor acts on this appointment for the clinic, exempt from the patients' limits."""
    if actor.is_system or actor.works_at(appointment.clinic_id):
        return True
    return actor.doctor_id is not None and actor.doctor_id == appointment.doctor_id


def is_own(actor: Actor, appointment: Appointment) -> bool:
    """Whether it is the actor's own visit, or one of somebody they book for."""
    return appointment.patient_id in actor.cares_for("book", at=appointment.clinic_id)


def may_decide(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor may confirm or decline it now."""
    return appointment.status == PENDING and may_manage(actor, appointment)


def may_cancel(actor: Actor, appointment: Appointment) -> bool:
    """Whether its state and the actor's part in it admit it; whether it is too late, can_cancel says."""
    return appointment.status in UPCOMING and (is_own(actor, appointment) or may_manage(actor, appointment))


def can_change_reason(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor can still say why they come: it is theirs, and it has not begun."""
    ahead = appointment.status in UPCOMING and clock.now() < appointment.starts_at
    return is_own(actor, appointment) and (ahead or appointment.status == CHECKED_IN)


def can_cancel(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor can cancel it now: what a button to do so is drawn from. Needs the visit type loaded."""
    return is_open_to(actor, appointment)


def can_move(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor can move it now: what a button to do so is drawn from.

    The clinic's people can move it to a colleague of its doctor, everybody else only within what it is; patients so
    often as the clinic admits. Needs visit type, clinic, doctor and practice loaded.
    """
    if not is_open_to(actor, appointment) or not is_given(appointment.visit_type, appointment.clinic):
        return False
    if not is_placed(appointment):
        return (actor.is_system or actor.works_at(appointment.clinic_id)) and _has_doctors(appointment.clinic_id)
    return may_manage(actor, appointment) or appointment.moves < appointment.visit_type.most_moves


def moves_left(actor: Actor, appointment: Appointment) -> int | None:
    """How often the actor can still move it; None for the clinic's people, who are bound by no number."""
    if may_manage(actor, appointment):
        return None
    return max(0, appointment.visit_type.most_moves - appointment.moves)


def _has_doctors(clinic_id: UUID) -> bool:
    """Whether anybody can be booked at this clinic."""
    found = select(Practice.id).join(Practice.doctor).where(Practice.clinic_id == clinic_id, Practice.is_active)
    return session().scalar(found.where(Doctor.public()).limit(1)) is not None


def is_given(kind: VisitType, clinic: Clinic) -> bool:
    """Whether visits of this type are given at all: neither it nor its clinic is switched off."""
    return kind.is_active and clinic.is_active


def is_received(practice: Practice, doctor: Doctor) -> bool:
    """Whether anybody can be booked there: the doctor works there and is verified."""
    return practice.is_active and doctor.is_public


def is_placed(appointment: Appointment) -> bool:
    """Whether other times can be had where it is; needs visit type, clinic, doctor and practice loaded."""
    here = is_received(appointment.practice, appointment.doctor)
    return here and is_given(appointment.visit_type, appointment.clinic)


def who_comes(actor: Actor) -> UUID | None:
    """The only patient the actor can book for; None where somebody else may come instead.

    What is told of a time before it is known who comes is judged by nobody's other visits then.
    """
    patients = actor.cares_somewhere("book")
    alone = len(patients) == 1 and not (actor.doctor_id or actor.is_superadmin or actor.clinics_as(STAFF, ADMIN))
    return next(iter(patients)) if alone else None


def changes_until(appointment: Appointment, kind: VisitType) -> datetime:
    """The last moment at which the patient may move or cancel it online."""
    return appointment.starts_at - timedelta(minutes=kind.cutoff_minutes)


def is_open_to(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor may still move or cancel it now; needs the visit type loaded."""
    if not may_cancel(actor, appointment):
        return False
    until = changes_until(appointment, appointment.visit_type)
    return may_manage(actor, appointment) or clock.now() <= min(until, appointment.starts_at)


def in_words(kind: VisitType) -> list[str]:
    """The booking policy of a visit type as a patient reads it before booking; who books at the desk has no limits."""
    lines = []
    if kind.bookable_by == "desk":
        lines.append(say("Booked by the clinic's front desk."))
    elif kind.bookable_by == "invited":
        lines.append(say("Only for patients the doctor has invited."))
    if kind.confirms == "by_doctor":
        lines.append(say("The doctor confirms your request; you get a message."))
    else:
        lines.append(say("Confirmed at once."))
    if kind.bookable_by != "desk":
        lines += _limits(kind)
    if kind.cutoff_minutes:
        span = format_span(timedelta(minutes=kind.cutoff_minutes))
        lines.append(say("Move or cancel online until %(span)s before.", span=span))
    if kind.most_moves:
        lines.append(ngettext("It can be moved %(n)s time.", "It can be moved %(n)s times.", kind.most_moves))
    else:
        lines.append(say("It cannot be moved online."))
    return lines


def _limits(kind: VisitType) -> list[str]:
    """From when and until when, and how many."""
    lines = []
    if kind.lead_minutes:
        lines.append(say("Book at least %(span)s ahead.", span=format_span(timedelta(minutes=kind.lead_minutes))))
    days = ngettext("Book at most %(n)s day ahead.", "Book at most %(n)s days ahead.", kind.horizon_days)
    ahead = ngettext(
        "You can have %(n)s visit of this kind ahead of you.",
        "You can have at most %(n)s visits of this kind ahead of you.",
        kind.most_upcoming,
    )
    lines += [days, ahead]
    if most := kind.most_per_day:
        one, many = "The doctor sees %(n)s patient a day.", "The doctor sees at most %(n)s patients a day."
        lines.append(ngettext(one, many, most))
    return lines

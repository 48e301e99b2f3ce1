"""The day as the desk and the doctor look at it: all doctors of a clinic side by side, or one doctor's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from portal.core import clock, names
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.policy import allow
from portal.domain.clinics.models import Clinic
from portal.domain.day import queue, waiting, walk_ins
from portal.domain.day.queue import Queue
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import appointments, closures
from portal.domain.scheduling.models import CHECKED_IN, IN_PROGRESS, Appointment

LOOK_BACK = timedelta(days=14)  # visits that were never closed are shown for so long


@dataclass(frozen=True)
class DeskDay:
    """A clinic's date: each doctor's queue, and the doctors nobody comes to that day."""

    clinic: Clinic
    date: date
    queues: list[Queue]
    others: list[Practice]

    @property
    def is_today(self) -> bool:
        return self.date == clock.today(self.clinic.zone)


def desk_day(actor: Actor, slug: str | None, on: date | None) -> DeskDay:
    """A date (today without one) of a clinic whose desk the actor runs; raises NotFound. Four statements."""
    clinic = walk_ins.clinic(actor, slug)
    on = on or clock.today(clinic.zone)
    queues = queue.read(clinic, on, Appointment.visible(actor))
    busy = {one.doctor.id for one in queues}
    others = [practice for practice in walk_ins.practices(actor, clinic.id) if practice.doctor_id not in busy]
    return DeskDay(clinic, on, queues, others)


def queues_at(actor: Actor, clinic_id: UUID, on: date | None = None, *, doctor_id: UUID | None = None) -> list[Queue]:
    """The queues of a clinic's date, today without one, of one of its doctors when named.

    For those who run its desk; raises NotFound to others. Four statements.
    """
    clinic = next((one for one in walk_ins.clinics(actor) if one.id == clinic_id), None) or refuse(NotFound)
    return queue.read(clinic, on or clock.today(clinic.zone), Appointment.visible(actor), doctor_id=doctor_id)


def queues_of_doctor(actor: Actor, doctor_id: UUID, on: date | None = None) -> list[Queue]:
    """A doctor's date, today without one, as queues, one for each clinic; for the doctor and the desks of theirs.

    Raises NotFound to others.
    """
    practices = closures.practices_of(actor, doctor_id) or refuse(NotFound)
    zone = practices[0].clinic.zone
    on = on or clock.today(zone)
    return queues_of(appointments.of_doctor(actor, doctor_id, on, on, zone))


def counts(queues: Sequence[Queue]) -> dict[str, int]:
    """How many of the day stand where, all doctors together."""
    return {
        "expected": sum(len(one.expected) + len(one.requests) for one in queues),
        "waiting": sum(len(one.here) for one in queues),
        "inside": sum(len(one.inside) for one in queues),
        "done": sum(len(one.done) for one in queues),
        "missed": sum(len(one.missed) for one in queues),
    }


def narrowed(queues: Sequence[Queue], typed: str) -> list[Queue]:
    """Only the visits that are looked for, each still with its place; queues without any are left out."""
    if not names.fold(typed):
        return list(queues)
    found = [_narrowed(one, typed) for one in queues]
    return [one for one in found if one.all]


def matches(visit: Appointment, typed: str) -> bool:
    """Whether a visit is the one that is looked for: by words of the name, the reference, or digits of the phone."""
    words = names.fold(typed).split()
    digits = "".join(char for char in typed if char.isdigit()).lstrip("0")
    by_name = all(word in visit.patient.search_name for word in words)
    return by_name or visit.reference.lower() == words[0] or (len(digits) > 3 and digits in visit.patient.phone)


def _narrowed(one: Queue, typed: str) -> Queue:
    def kept(visits: list[Appointment]) -> list[Appointment]:
        return [visit for visit in visits if matches(visit, typed)]

    return replace(
        one,
        waiting=[place for place in one.waiting if matches(place.visit, typed)],
        called=kept(one.called),
        inside=kept(one.inside),
        expected=kept(one.expected),
        requests=kept(one.requests),
        done=kept(one.done),
        missed=kept(one.missed),
    )


def queues_of(visits: Sequence[Appointment]) -> list[Queue]:
    """One doctor's visits of a day as queues, one for each clinic they are at. At most one statement."""
    by_clinic: dict[UUID, list[Appointment]] = {}
    for visit in visits:
        by_clinic.setdefault(visit.clinic_id, []).append(visit)
    took = waiting.typical({visit.doctor_id for visit in visits}) if visits else {}
    return [queue.arranged(found[0].clinic, found, took[found[0].doctor_id]) for found in by_clinic.values()]


def left_open(actor: Actor) -> list[Appointment]:
    """The doctor's visits of the last days that were begun and never closed, the oldest first."""
    doctor_id, now = _own(actor), clock.now()
    statement = (
        select(Appointment)
        .where(
            Appointment.doctor_id == doctor_id,
            Appointment.status.in_((CHECKED_IN, IN_PROGRESS)),
            Appointment.starts_at > now - LOOK_BACK,
            Appointment.starts_at < now - timedelta(hours=2),
            Appointment.visible(actor),
        )
        .options(*queue.ALL)
        .order_by(Appointment.starts_at)
    )
    return [
        visit
        for visit in session().scalars(statement)
        if visit.starts_at.astimezone(visit.clinic.zone).date() < clock.today(visit.clinic.zone)
    ]


def _own(actor: Actor) -> UUID:
    allow(actor.doctor_id is not None, NotFound)
    return actor.doctor_id  # type: ignore[return-value]

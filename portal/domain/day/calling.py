"""Asking the next patient in."""

from __future__ import annotations

from uuid import UUID

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.policy import allow, as_id, find
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.day import queue
from portal.domain.scheduling import taking, visits
from portal.domain.scheduling.models import Appointment


class NobodyWaits(Conflict):
    code = "nobody_waits"
    sentence = _("Nobody is waiting for this doctor.")


class CalledMeanwhile(Conflict):
    code = "called_meanwhile"
    sentence = _("This patient was called by somebody else a moment ago. Here is how it stands now.")


Refusals = (NobodyWaits, CalledMeanwhile)


def call_next(
    actor: Actor, clinic_id: UUID | str, doctor_id: UUID | str, *, expected: UUID | str | None = None
) -> Appointment:
    """Call whoever goes next with this doctor today; `expected` is who that was on the page that was looked at.

    Two who click at once call one patient: the second is told. Raises NotFound for a clinic or doctor whose day the
    actor does not arrange, NobodyWaits, or CalledMeanwhile.
    """
    clinic = find(actor, Clinic, clinic_id)
    doctor = as_id(doctor_id)
    allow(may_arrange(actor, clinic.id, doctor), NotFound)
    taking.one_at_a_time(f"call:{clinic.id}", doctor)
    today = clock.today(clinic.zone)
    queues = queue.read(clinic, today, Appointment.visible(actor), doctor_id=doctor)
    if expected and not any(place.visit.id == as_id(expected) for one in queues for place in one.waiting):
        raise CalledMeanwhile
    first = next((one.next for one in queues), None) or refuse(NobodyWaits)
    return visits.call(actor, first.id)


def may_arrange(actor: Actor, clinic_id: UUID, doctor_id: UUID) -> bool:
    """Whether the actor runs this doctor's day there: the clinic's desk and admins, and the doctor."""
    return (
        actor.is_system or actor.works_at(clinic_id) or (actor.doctor_id is not None and actor.doctor_id == doctor_id)
    )

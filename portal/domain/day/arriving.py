"""Patients who say themselves that they are here: by the sign at the entrance, by a link, or on their visit's page."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import clock, limits, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Gone, NotFound
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.day import queue
from portal.domain.day.waiting import Span
from portal.domain.patients.models import Patient
from portal.domain.patients.reach import reaches
from portal.domain.scheduling import appointments, policy, visits
from portal.domain.scheduling.models import CHECKED_IN, CONFIRMED, IN_PROGRESS, NO_SHOW, PENDING, Appointment

# Of tries that found nobody: a waiting room shares one address.
PER_REFERENCE = "5 per 15 minute"
PER_PLACE = "60 per 10 minute"
UNDER_WAY = timedelta(hours=8)
WATCHED = 12 * 60 * 60  # seconds: so long the page with one's number can be looked at
_SIGN, _WATCH = "arrival-sign", "arrived"


class NobodyLikeThis(NotFound):
    """The same answer whatever was wrong, so that references cannot be tried out."""

    code = "no_visit_today"
    sentence = _(
        "We found no visit here today with this reference and birth date. Please check both, or go to the front desk."
    )


@dataclass(frozen=True)
class Standing:
    """How a patient stands on the day: may say that they are here, wait with a number, are called, or are inside."""

    appointment: Appointment
    may_arrive: bool = False
    number: int | None = None
    before: int = 0
    wait: Span | None = None

    @property
    def is_waiting(self) -> bool:
        return self.appointment.status == CHECKED_IN

    @property
    def is_called(self) -> bool:
        return self.is_waiting and self.appointment.called_at is not None

    @property
    def is_inside(self) -> bool:
        return self.appointment.status == IN_PROGRESS

    @property
    def changes(self) -> bool:
        """Whether a page that shows it should look again after a while."""
        return self.is_waiting or self.is_inside


def sign_of(clinic: Clinic) -> str:
    """What the clinic's printed sign carries beside its address: it cannot be made up from afar."""
    return hmac.new(secrets.derived(_SIGN), str(clinic.id).encode(), "sha256").hexdigest()[:20]


def read_sign(clinic: Clinic, sign: str) -> None:
    """Go on if this is the clinic's sign; raises Gone otherwise."""
    allow(hmac.compare_digest(sign_of(clinic).encode(), sign.encode()), Gone, _NO_SIGN)


def standing(appointment: Appointment) -> Standing:
    """How the visit's patient stands now; for whoever may see the appointment. At most two statements."""
    if appointment.status != CHECKED_IN:
        return Standing(
            appointment, may_arrive=visits.why_not_arrive(appointment) is None, number=appointment.queue_number
        )
    clinic = appointment.clinic
    day = appointment.starts_at.astimezone(clinic.zone).date()
    queues = queue.read(clinic, day, doctor_id=appointment.doctor_id, options=queue.NUMBERS_ONLY)
    place = next((found for one in queues if (found := one.place_of(appointment.id))), None)
    before, wait = (place.before, place.wait) if place else (0, None)
    return Standing(appointment, number=appointment.queue_number, before=before, wait=wait)


def seen_by(actor: Actor, appointment: Appointment) -> Standing:
    """How the visit stands for the actor: only who books for the patient may say that they are here."""
    stands = standing(appointment)
    return stands if policy.is_own(actor, appointment) else replace(stands, may_arrive=False)


def today_at(actor: Actor, clinic: Clinic) -> list[Appointment]:
    """Today's visits at this clinic of the actor and of those they book for, by time."""
    begins, until = queue.bounds(clinic, clock.today(clinic.zone))
    statement = (
        select(Appointment)
        .where(
            Appointment.clinic_id == clinic.id,
            reaches(actor, "book", Appointment.patient_id, Appointment.clinic_id),
            Appointment.starts_at >= begins,
            Appointment.starts_at < until,
            Appointment.status.in_((PENDING, CONFIRMED, CHECKED_IN, IN_PROGRESS, NO_SHOW)),
        )
        .options(*appointments.WHOLE)
        .order_by(Appointment.starts_at)
    )
    return list(session().scalars(statement)) if actor.cares_for("book", at=clinic.id) else []


def under_way(actor: Actor) -> list[Appointment]:
    """The visits of the actor, and of those they look after, that have begun at a clinic today and are not over."""
    now = clock.now()
    statement = (
        select(Appointment)
        .where(
            reaches(actor, "view", Appointment.patient_id, Appointment.clinic_id),
            Appointment.starts_at.between(now - UNDER_WAY, now + UNDER_WAY),
            Appointment.status.in_((CHECKED_IN, IN_PROGRESS)),
        )
        .options(*queue.ALL)
        .order_by(Appointment.starts_at)
    )
    return list(session().scalars(statement)) if actor.cares_somewhere("view") else []


def arrive(actor: Actor, appointment_id: UUID | str) -> Appointment:
    """Check the actor, or somebody they book for, in; raises as visits.arrive does."""
    visits.arrive(actor, appointment_id)
    return appointments.find(actor, appointment_id)


def arrive_by_reference(actor: Actor, clinic: Clinic, *, reference: str, birth_date: date) -> Appointment:
    """Check somebody in who has no account at hand: who knows the reference and the birth date is the patient.

    Raises TooMany, NobodyLikeThis, or as visits.arrive does.
    """
    wanted = reference.replace(" ", "").upper()
    with limits.failures((PER_PLACE, "arrive-place", str(clinic.id), actor.place), (PER_REFERENCE, "arrive", wanted)):
        found = _by_reference(clinic, wanted, birth_date)
        if found is None:
            raise NobodyLikeThis
    patient = replace(actor, patient_id=found.patient_id, dependants={}, dependants_at={}, clinics={}, door="link")
    return arrive(patient, found.id)


def _by_reference(clinic: Clinic, wanted: str, birth_date: date) -> Any:
    """Ids of today's visit here with this reference, if its patient was born on this day."""
    begins, until = queue.bounds(clinic, clock.today(clinic.zone))
    statement = (
        select(Appointment.id, Appointment.patient_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(
            Appointment.reference == wanted,
            Appointment.clinic_id == clinic.id,
            Appointment.starts_at >= begins,
            Appointment.starts_at < until,
            Patient.birth_date == birth_date,
        )
    )
    return session().execute(statement).one_or_none()


def ticket(appointment: Appointment) -> str:
    """What shows one's number and wait, and nothing else, without an account."""
    return secrets.sign(_WATCH, str(appointment.id))


def by_ticket(signed: str) -> Appointment:
    """The visit a ticket was given for; raises Gone when it is not one, or of another day."""
    key = secrets.unsign(_WATCH, signed, max_age=WATCHED)
    found = session().scalars(select(Appointment).where(Appointment.id == UUID(key)).options(*queue.NUMBERS_ONLY))
    appointment = found.one_or_none()
    if appointment is None:
        raise Gone
    return appointment


_NO_SIGN = _("This is not the address on the clinic's sign. Please scan the code at the entrance once more.")

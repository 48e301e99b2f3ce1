"""Why not? For any time of any doctor: whether the clinic's people can book it, what stands in the way, what is free.

The reason comes from the function that computes the free times, so an answer and an offer never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.actor import NOBODY, Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.names import as_listed
from portal.core.policy import allow, as_id, find
from portal.core.text import gettext as say
from portal.domain.clinics.models import Holiday, Resource, ResourceGroup
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.scheduling import availability, closures, days, policy
from portal.domain.scheduling.closures import TimeOff
from portal.domain.scheduling.days import Hours, Kept
from portal.domain.scheduling.granting import NOT_OVERBOOKED
from portal.domain.scheduling.models import RELEASED, Appointment, Occupancy, VisitType, visit_type_needs
from portal.domain.scheduling.timetable import Reason

LOOKED_AHEAD = timedelta(days=21)
SHOWN = 6  # next free times
OUTSIDE = frozenset({Reason.NO_OPENING, Reason.VISIT_TYPE_NOT_HERE, Reason.NOT_ON_GRID})
SHUT = frozenset({Reason.CLOSED, Reason.LEAVE, Reason.HOLIDAY})


@dataclass(frozen=True)
class Visit:
    """A visit in the way; `visit` is None for one the asker may not see (of another clinic)."""

    visit: Appointment | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class RoomInUse:
    """A room or device that another visit uses at this time."""

    name: str
    group: str
    use: Visit


@dataclass(frozen=True)
class Answer:
    """What is known of one time: the reason, what it collides with, and the next free times (when it is not free)."""

    practice: Practice
    kind: VisitType
    starts_at: datetime
    ends_at: datetime
    patient: Patient | None
    reason: Reason
    for_patients: str
    visits: list[Visit] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    elsewhere: list[Visit] = field(default_factory=list)  # of the patient
    rooms: list[RoomInUse] = field(default_factory=list)
    off: list[TimeOff] = field(default_factory=list)
    holidays: list[Holiday] = field(default_factory=list)
    hours: list[Hours] = field(default_factory=list)
    booked_that_day: int | None = None
    next_free: list[datetime] = field(default_factory=list)

    @property
    def is_free(self) -> bool:
        return self.reason is Reason.OFFERED

    @property
    def can_be_overbooked(self) -> bool:
        """Whether the clinic's people could still book it on purpose, with a reason."""
        return not self.is_free and self.reason not in NOT_OVERBOOKED

    @property
    def sentence(self) -> Any:
        """The reason as every refusal says it."""
        return availability.sentence_for(self.reason)


def ask(
    actor: Actor, *, practice_id: UUID, visit_type_id: UUID, starts_at: datetime, patient_id: UUID | None = None
) -> Answer:
    """Whether this visit could be booked then, for those who arrange visits of the clinic.

    starts_at is aware. Raises NotFound for a practice, type or patient that is not the asker's to look at.
    """
    place = joinedload(Practice.clinic), joinedload(Practice.doctor)
    practice = find(actor, Practice, practice_id, *place)
    allow(policy.works_on(actor, practice.clinic_id), NotFound)
    kind = _type(practice, visit_type_id)
    patient = find(actor, Patient, patient_id) if patient_id else None
    reason = availability.explain(actor, practice.id, kind.id, starts_at, patient_id)
    return Answer(
        practice=practice,
        kind=kind,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=kind.duration),
        patient=patient,
        reason=reason,
        for_patients=_for_patients(practice, kind, starts_at),
        **_in_the_way(actor, practice, kind, starts_at, patient_id, reason),
        next_free=[] if reason is Reason.OFFERED else _next_free(actor, practice, kind, starts_at, patient_id),
    )


def _type(practice: Practice, visit_type_id: UUID) -> VisitType:
    statement = select(VisitType).where(
        VisitType.id == as_id(visit_type_id), VisitType.clinic_id == practice.clinic_id, VisitType.is_active
    )
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def _for_patients(practice: Practice, kind: VisitType, starts_at: datetime) -> str:
    """What patients are told of the same time when they book online."""
    if not practice.doctor.is_public:
        return say("Patients do not see this doctor online yet.")
    if kind.bookable_by == "desk":
        return say("Patients cannot book this type of visit online: the front desk does it.")
    if kind.bookable_by == "invited":
        return say("Only patients who were invited can book this type of visit online.")
    reason = availability.explain(NOBODY, practice.id, kind.id, starts_at)
    if reason is Reason.OFFERED:
        return say("Patients can book it online, too.")
    return say("Patients who book online read: “%(sentence)s”", sentence=availability.sentence_for(reason))


def _in_the_way(
    actor: Actor, practice: Practice, kind: VisitType, starts_at: datetime, patient_id: UUID | None, reason: Reason
) -> dict[str, Any]:
    """What this reason is about, and the visits it would collide with."""
    ends_at = starts_at + timedelta(minutes=kind.duration)
    begins, until = starts_at - timedelta(minutes=kind.buffer_before), ends_at + timedelta(minutes=kind.buffer_after)
    day = starts_at.astimezone(practice.clinic.zone).date()
    found: dict[str, Any] = {}
    if reason not in OUTSIDE:
        found["visits"] = _taken(actor, practice.doctor_id, begins, until)
    if reason in {Reason.TAKEN, Reason.BUFFER}:
        found["kept"] = days.kept(actor, [practice.id], begins, until)
    if reason is Reason.PATIENT_BUSY and patient_id:
        found["elsewhere"] = _taken(actor, patient_id, starts_at, ends_at)
    elif reason is Reason.ROOM:
        found["rooms"] = _rooms(actor, kind, begins, until)
    elif reason in SHUT:
        found["off"] = closures.during([practice], starts_at, ends_at)
        found["holidays"] = closures.holidays_during([practice], day, day)
    elif reason in OUTSIDE:
        found["hours"] = days.open_hours([practice], day, day)
    elif reason is Reason.DAY_FULL:
        found["booked_that_day"] = _booked_on(practice, starts_at)
    return found


def _taken(actor: Actor, resource_id: UUID, begins: datetime, until: datetime) -> list[Visit]:
    """The visits that take this doctor's or patient's time, those the asker may not see without their facts."""
    statement = (
        select(Appointment, Appointment.visible(actor))
        .join(Occupancy, Occupancy.appointment_id == Appointment.id)
        .where(Occupancy.resource_id == resource_id, Occupancy.during.op("&&")(Range(begins, until)))
        .options(joinedload(Appointment.patient), joinedload(Appointment.visit_type), joinedload(Appointment.doctor))
        .order_by(Appointment.starts_at)
    )
    return [_seen(visit, may_see) for visit, may_see in session().execute(statement)]


def _rooms(actor: Actor, kind: VisitType, begins: datetime, until: datetime) -> list[RoomInUse]:
    statement = (
        select(Resource.name, ResourceGroup.name, Appointment, Appointment.visible(actor))
        .join(ResourceGroup, ResourceGroup.id == Resource.group_id)
        .join(visit_type_needs, visit_type_needs.c.group_id == ResourceGroup.id)
        .join(Occupancy, Occupancy.resource_id == Resource.id)
        .join(Appointment, Appointment.id == Occupancy.appointment_id)
        .where(
            visit_type_needs.c.visit_type_id == kind.id,
            Resource.is_active,
            Occupancy.during.op("&&")(Range(begins, until)),
        )
        .options(joinedload(Appointment.patient), joinedload(Appointment.visit_type), joinedload(Appointment.doctor))
        .order_by(*as_listed(ResourceGroup.name, Resource.name), Appointment.starts_at)
    )
    rows = session().execute(statement)
    return [RoomInUse(name, group, _seen(visit, may_see)) for name, group, visit, may_see in rows]


def _seen(visit: Appointment, may_see: bool) -> Visit:
    return Visit(visit if may_see else None, visit.starts_at, visit.ends_at)


def _booked_on(practice: Practice, at: datetime) -> int:
    day = at.astimezone(practice.clinic.zone).date()
    begins, until = days.bounds(day, day, practice.clinic.zone)
    statement = select(func.count()).where(
        Appointment.practice_id == practice.id,
        Appointment.status.not_in(RELEASED),
        Appointment.starts_at >= begins,
        Appointment.starts_at < until,
    )
    return session().scalar(statement) or 0


def _next_free(
    actor: Actor, practice: Practice, kind: VisitType, near: datetime, patient_id: UUID | None
) -> list[datetime]:
    """The free times next to the one asked for: the last before it on its day, then those after, in clinic time."""
    zone = practice.clinic.zone
    day = max(near.astimezone(zone).date(), clock.today(zone))
    slots = availability.offers(actor, practice.id, kind.id, day, day + LOOKED_AHEAD, patient_id=patient_id)
    times = [slot.starts_at.astimezone(zone) for slot in slots]
    before = [at for at in times if at < near][-2:]
    return [*before, *(at for at in times if at >= near)][:SHOWN]

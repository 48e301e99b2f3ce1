"""Appointments at a glance: what lists and answers show of them, read by one planned statement.

The ORM's join of six tables costs more than everything else a list does. These rows have the same names as the models,
so templates and answers take either.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core import clock, events
from portal.core.actor import Actor
from portal.core.errors import NotFound, refuse
from portal.core.paging import BadCursor, Page, decode, encode
from portal.core.policy import allow
from portal.core.prepared import Prepared
from portal.domain.doctors.models import name_of_doctor
from portal.domain.scheduling.models import Timed, name_in


class ClinicSeen(NamedTuple):
    id: UUID
    name: str
    address: str
    city: str
    phone: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class PersonSeen(NamedTuple):
    id: UUID
    name: str


class TypeSeen(NamedTuple):
    id: UUID
    name: str
    name_fr: str
    name_ar: str
    duration: int

    def name_in(self, language: str) -> str:
        return name_in(self, language)


class Glance(Timed):
    """One appointment with the names of everybody and everything about it."""

    id: UUID
    reference: str
    version: int
    mode: str
    practice_id: UUID

    def __init__(self, row: Any) -> None:
        self.__dict__.update(row._asdict())
        self.clinic = ClinicSeen(row.clinic_id, row.clinic, row.address, row.city, row.phone, row.time_zone)
        self.doctor = PersonSeen(row.doctor_id, name_of_doctor(row.title, row.doctor_given, row.doctor_family))
        self.patient = PersonSeen(row.patient_id, f"{row.patient_given} {row.patient_family}")
        self.visit_type = TypeSeen(row.visit_type_id, row.kind, row.kind_fr, row.kind_ar, row.duration)


_READ = """
SELECT a.id, a.reference, a.status, a.version, a.mode, a.practice_id, a.clinic_id, a.doctor_id, a.patient_id,
       a.visit_type_id, a.reason, a.moves, a.ended_by, a.end_code, a.end_text, a.starts_at, a.ends_at, a.created_at,
       a.price_minor, a.currency, a.series_id, c.name AS clinic, c.address, c.city, c.phone, c.time_zone, d.title,
       d.given_name AS doctor_given, d.family_name AS doctor_family, p.given_name AS patient_given,
       p.family_name AS patient_family, t.name AS kind, t.name_fr AS kind_fr, t.name_ar AS kind_ar, t.duration
  FROM appointments a
  JOIN clinics c ON c.id = a.clinic_id
  JOIN doctors d ON d.id = a.doctor_id
  JOIN patients p ON p.id = a.patient_id
  JOIN visit_types t ON t.id = a.visit_type_id
"""
_ONE = Prepared("glance_one", _READ + " WHERE a.id = :id")
# Of `patients`, all visits of those in `whole`, of the others those at a clinic where the actor looks after them.
_REACHED = """
 WHERE a.patient_id = ANY(CAST(:patients AS uuid[]))
   AND (a.patient_id = ANY(CAST(:whole AS uuid[]))
        OR (a.patient_id, a.clinic_id) IN (SELECT * FROM unnest(CAST(:part_of AS uuid[]), CAST(:part_at AS uuid[]))))
"""
_AHEAD = Prepared(
    "glance_ahead",
    _READ
    + _REACHED
    + """
   AND a.status IN ('pending', 'confirmed', 'checked_in', 'in_progress') AND a.ends_at > :now
   AND (a.starts_at, a.id) > (CAST(:at AS timestamptz), CAST(:key AS uuid))
 ORDER BY a.starts_at, a.id LIMIT :most""",
)
_BEHIND = Prepared(
    "glance_behind",
    _READ
    + _REACHED
    + """
   AND NOT (a.status IN ('pending', 'confirmed', 'checked_in', 'in_progress', 'cancelled', 'declined')
            AND a.ends_at > :now)
   AND (a.starts_at, a.id) < (CAST(:at AS timestamptz), CAST(:key AS uuid))
 ORDER BY a.starts_at DESC, a.id DESC LIMIT :most""",
)
_CALLED_OFF = Prepared(
    "glance_called_off",
    _READ
    + _REACHED
    + """
   AND a.status IN ('cancelled', 'declined') AND a.ends_at > :now
   AND (a.starts_at, a.id) > (CAST(:at AS timestamptz), CAST(:key AS uuid))
 ORDER BY a.starts_at, a.id LIMIT :most""",
)
_LISTS = {"upcoming": _AHEAD, "past": _BEHIND, "called_off": _CALLED_OFF}
_FIRST = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
_LAST = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=(1 << 128) - 1))


def after_change(appointment_id: UUID) -> Glance:
    """The appointment as it is now, for the answer to a verb that has just changed it and looked at who may."""
    found = _ONE.first({"id": appointment_id}, after=events.take_pending())  # one message to the database for both
    return Glance(found) if found else refuse(NotFound)


def mine(
    actor: Actor,
    when: str = "upcoming",
    after: str | None = None,
    limit: int = 20,
    *,
    patient_id: UUID | None = None,
) -> Page[Glance]:
    """The actor's own appointments and those of whoever they look after, of some those at one clinic.

    `when` is "upcoming" (still to come or going on, the next first), "past" (over, the latest first), or "called_off"
    (cancelled or declined before their time has come, the next first): each visit is in one of them. `patient_id`
    shows one of these patients only; raises NotFound for anybody else.
    """
    limit = max(1, min(limit, 100))
    at, key = _mark(after) if after else _LAST if when == "past" else _FIRST
    patients = actor.cares_somewhere("view")
    if patient_id is not None:
        allow(patient_id in patients, NotFound)
        patients = frozenset((patient_id,))
    parts = actor.parts("view")
    values = {
        "patients": _array(patients),
        "whole": _array(actor.cares_for("view")),
        "part_of": _array(patient for patient, _clinic in parts),
        "part_at": _array(clinic for _patient, clinic in parts),
        "now": clock.now(),
        "at": at,
        "key": key,
        "most": limit + 1,
    }
    found = [Glance(row) for row in _LISTS[when].run(values)]
    items = found[:limit]
    return Page(items, encode([items[-1].starts_at, items[-1].id]) if len(found) > limit else None)


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


def _mark(after: str) -> tuple[datetime, UUID]:
    """The row a page begins after; raises BadCursor for a cursor that is not of this list."""
    at, key = decode(after, 2)
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise BadCursor
        return moment, UUID(key)
    except (TypeError, ValueError, AttributeError):
        raise BadCursor from None

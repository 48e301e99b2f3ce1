"""Time off: a doctor's everywhere, at one practice, or a whole clinic's. Booked visits never vanish."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import Out, Zone
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound, refuse
from portal.core.policy import allow
from portal.core.shapes import Shape
from portal.domain.changes.kinds import HolidayShape
from portal.domain.clinics import managing
from portal.domain.clinics.models import Holiday
from portal.domain.scheduling import closures, hours, public_holidays
from portal.domain.scheduling.closures import HolidayExists
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import Closure
from portal.domain.scheduling.shapes import ClosureShape

TAG = "Time off"
READ, WRITE = "schedule:read", "schedule:write"
CLOSE: dict[str, Any] = {
    "tag": TAG,
    "body": ClosureShape,
    "status": 201,
    "refuses": (NotFound, Forbidden, VisitsAffected),
    "scope": WRITE,
    "keyed": True,
    "example": {"kind": "leave", "first": "2027-07-05", "last": "2027-07-09", "note": "Holiday"},
}


class PastQuery(Shape):
    past: Annotated[bool, Field(description="What is over, the latest first")] = False


class AddHoliday(HolidayShape):
    """A date on which the clinic is closed."""

    keep_visits: bool = False


class ClosureOut(Out):
    """Time off of exactly one of doctor, practice and clinic."""

    id: UUID
    kind: Literal["leave", "holiday", "blocked"]
    doctor_id: UUID | None
    practice_id: UUID | None
    clinic_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    time_zone: Zone
    note: str

    @classmethod
    def of(cls, one: Closure, zone: ZoneInfo) -> Self:
        plain = ("id", "kind", "doctor_id", "practice_id", "clinic_id", "note")
        return cls(
            **{name: getattr(one, name) for name in plain},
            starts_at=one.starts_at.astimezone(zone),
            ends_at=one.ends_at.astimezone(zone),
            time_zone=zone.key,
        )


class Closures(Out):
    items: list[ClosureOut]


class HolidayOut(Out):
    id: UUID
    clinic_id: UUID
    day: date
    name: str

    @classmethod
    def of(cls, one: Holiday) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class Holidays(Out):
    items: list[HolidayOut]


@endpoint("GET", "/doctors/{doctor_id}/closures", tag=TAG, query=PastQuery, answer=Closures, scope=READ)
def list_doctor_closures(actor: Actor, doctor_id: UUID, query: PastQuery) -> Closures:
    """What keeps a doctor from receiving from now on, the clinics' closures too"""
    allow(bool(closures.practices_of(actor, doctor_id)), NotFound)
    found = closures.of_doctor(actor, doctor_id, past=query.past)
    return Closures(items=[ClosureOut.of(one.closure, one.zone) for one in found])


@endpoint("POST", "/doctors/{doctor_id}/closures", answer=ClosureOut, **CLOSE)
def close_doctor(actor: Actor, doctor_id: UUID, body: ClosureShape) -> Answer:
    """Be away from every clinic, by the doctor or who works at all of their clinics

    Where visits are booked then nothing is changed, and 409 `visits_affected` names them: plan it with POST /changes,
    in which each of them is decided, or send `keep_visits`.
    """
    zone = (closures.practices_of(actor, doctor_id) or refuse(NotFound))[0].clinic.zone
    return _made(closures.close_doctor(actor, doctor_id, **body.values()), zone)


@endpoint("POST", "/practices/{practice_id}/closures", answer=ClosureOut, **CLOSE)
def close_practice(actor: Actor, practice_id: UUID, body: ClosureShape) -> Answer:
    """Block time at one practice; the doctor can still receive at the others"""
    zone = hours.practice_for(actor, practice_id).clinic.zone
    return _made(closures.close_practice(actor, practice_id, **body.values()), zone)


@endpoint("GET", "/clinics/{clinic_id}/closures", tag=TAG, answer=Closures, scope=READ)
def list_clinic_closures(actor: Actor, clinic_id: UUID) -> Closures:
    """When a whole clinic is closed besides its holidays, for its admins"""
    zone = managing.get(actor, clinic_id).zone
    return Closures(items=[ClosureOut.of(one, zone) for one in public_holidays.closed_for(actor, clinic_id)])


@endpoint("POST", "/clinics/{clinic_id}/closures", answer=ClosureOut, **CLOSE)
def close_clinic(actor: Actor, clinic_id: UUID, body: ClosureShape) -> Answer:
    """Close a whole clinic for some hours or days, by its admins"""
    zone = managing.get(actor, clinic_id).zone
    return _made(closures.close_clinic(actor, clinic_id, **body.values()), zone)


@endpoint("DELETE", "/closures/{closure_id}", tag=TAG, status=204, refuses=(NotFound, Forbidden), scope=WRITE)
def remove_closure(actor: Actor, closure_id: UUID) -> None:
    """Work after all, by whoever could have made the time off"""
    closures.reopen(actor, closure_id)


@endpoint("GET", "/clinics/{clinic_id}/holidays", tag=TAG, answer=Holidays, scope=READ)
def list_holidays(actor: Actor, clinic_id: UUID) -> Holidays:
    """The dates on which a clinic is closed, for its admins"""
    return Holidays(items=[HolidayOut.of(one) for one in managing.holidays(actor, clinic_id)])


@endpoint(
    "POST",
    "/clinics/{clinic_id}/holidays",
    tag=TAG,
    body=AddHoliday,
    answer=HolidayOut,
    status=201,
    refuses=(NotFound, HolidayExists, VisitsAffected),
    scope=WRITE,
    keyed=True,
    example={"day": "2027-07-05", "name": "Independence Day"},
)
def add_holiday(actor: Actor, clinic_id: UUID, body: AddHoliday) -> Answer:
    """Close a clinic on one date"""
    made = closures.add_holiday(actor, clinic_id, **body.values())
    return Answer(HolidayOut.of(made), {"Location": f"/api/v1/clinics/{clinic_id}/holidays"})


@endpoint("DELETE", "/holidays/{holiday_id}", tag=TAG, status=204, refuses=(NotFound,), scope=WRITE)
def remove_holiday(actor: Actor, holiday_id: UUID) -> None:
    """Work on this date after all"""
    closures.remove_holiday(actor, holiday_id)


def _made(closure: Closure, zone: ZoneInfo) -> Answer:
    return Answer(ClosureOut.of(closure, zone), {"Location": f"/api/v1/closures/{closure.id}"})

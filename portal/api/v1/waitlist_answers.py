"""The shapes of the waitlist as they go out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field

from portal.api.v1.answers import ClinicBrief, ListOut, Out, Person, VisitTypeBrief, Zone
from portal.core.text import language
from portal.domain.waitlist.entries import Place
from portal.domain.waitlist.models import WaitlistOffer

Urgency = Literal["urgent", "soon", "routine"]
HourMinute = Annotated[str, Field(pattern="^[0-2][0-9]:[0-5][0-9]$")]


class WindowOut(Out):
    """Hours that suit, in the clinic's wall time, on one weekday (0 is Monday) or any; 00:00 ends the day."""

    weekday: int | None
    starts: HourMinute
    until: HourMinute


class OfferOut(Out):
    """A free time that is held for somebody on the waitlist until `expires_at`."""

    id: UUID
    entry_id: UUID
    practice_id: UUID
    state: Literal["open", "accepted", "declined", "expired", "void"]
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    time_zone: Zone

    @classmethod
    def of(cls, one: WaitlistOffer, zone: ZoneInfo) -> Self:
        times = {name: getattr(one, name).astimezone(zone) for name in ("starts_at", "ends_at", "expires_at")}
        plain: dict[str, Any] = {name: getattr(one, name) for name in ("id", "entry_id", "practice_id", "state")}
        return cls(**plain, **times, time_zone=zone.key)


class WaitOut(Out):
    """A place on the waitlist: what is waited for, when it suits, and what is offered now."""

    id: UUID
    state: Literal["waiting", "booked", "left", "over"]
    urgency: Urgency
    patient: Person
    clinic: ClinicBrief
    practice_id: Annotated[UUID | None, Field(description="null waits for any doctor of the clinic")]
    doctor: Person | None
    visit_type: VisitTypeBrief
    moves_id: Annotated[UUID | None, Field(description="The appointment that would come earlier")]
    windows: Annotated[list[WindowOut], Field(description="Empty is at any hour")]
    first: date
    last: date
    note: str
    before: Annotated[int, Field(description="How many who wait for the same get their offers first")]
    offer: OfferOut | None
    appointment_id: Annotated[UUID | None, Field(description="What came of it")]
    created_at: datetime

    @classmethod
    def of(cls, place: Place) -> Self:
        entry, zone = place.entry, place.entry.clinic.zone
        doctor, kind = entry.practice.doctor if entry.practice else None, entry.visit_type
        same = ("id", "state", "urgency", "practice_id", "moves_id", "first", "last", "note", "appointment_id")
        plain: dict[str, Any] = {name: getattr(entry, name) for name in same}
        return cls(
            **plain,
            patient=Person(id=entry.patient.id, name=entry.patient.name),
            clinic=ClinicBrief(**{name: getattr(entry.clinic, name) for name in ClinicBrief.model_fields}),
            doctor=Person(id=doctor.id, name=doctor.name) if doctor else None,
            visit_type=VisitTypeBrief(id=kind.id, name=kind.name_in(language()), duration=kind.duration),
            windows=[
                WindowOut(weekday=one["weekday"], starts=one["from"], until=one["until"]) for one in entry.windows
            ],
            before=place.before,
            offer=OfferOut.of(place.offer, zone) if place.offer else None,
            created_at=entry.created_at.astimezone(zone),
        )


class Waits(Out):
    items: list[WaitOut]


class ClinicWaits(ListOut):
    """In the order in which offers go out."""

    items: list[WaitOut]


class Offers(Out):
    """What was offered to one place, the latest first."""

    items: list[OfferOut]

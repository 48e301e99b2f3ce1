"""Changes of hours and leave as they go out: every visit that is hit, what was decided, what its patient answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1.answers import AppointmentOut, FreeTime, Out, Person, Zone
from portal.domain.changes.listing import Line, Sheet, Summary
from portal.domain.changes.models import Change
from portal.domain.changes.planning import Choice

Decision = Literal["move", "choose", "keep", "cancel"]
Standing = Literal["open", "calling", "accepted", "chosen", "called", "cancelled", "kept", "over"]


class ProposalOut(Out):
    """One visit that a change hits.

    `decision`: move (to the held `starts_at`), choose (the patient finds a time), keep (it stands all the same) or
    cancel. `standing`: how it is now, such as open (waits for an answer) or calling (the desk calls the patient).
    """

    id: UUID
    change_id: UUID
    appointment: AppointmentOut
    decision: Decision | None
    standing: Standing
    starts_at: Annotated[datetime | None, Field(description="The new time that is held")]
    doctor: Annotated[Person, Field(description="With whom the new time is")]
    answer_until: datetime | None

    @classmethod
    def of(cls, line: Line) -> Self:
        one, zone = line.proposal, line.visit.clinic.zone
        standing: dict[str, Any] = {"decision": one.decision, "standing": line.standing}
        return cls(
            id=one.id,
            change_id=one.change_id,
            appointment=AppointmentOut.of(line.visit),
            **standing,
            starts_at=one.starts_at.astimezone(zone) if one.starts_at else None,
            doctor=Person(id=line.doctor.id, name=line.doctor.name),
            answer_until=one.answer_until.astimezone(zone) if one.answer_until else None,
        )


class Proposals(Out):
    items: list[ProposalOut]


class ChangeBrief(Out):
    """A change in a list. `counts` says how many of its visits stand how."""

    id: UUID
    kind: str
    title: str
    state: Literal["draft", "applied", "dropped"]
    clinic: Person
    doctor_id: UUID | None
    held_until: Annotated[datetime, Field(description="Until when the proposed times of a plan are held")]
    applied_at: datetime | None
    counts: dict[Standing, int]

    @classmethod
    def told(cls, found: Summary | Sheet) -> dict[str, Any]:
        """The values both looks at a change share."""
        change: Change = found.change
        zone = change.clinic.zone
        return {
            "id": change.id,
            "kind": change.kind,
            "title": str(found.kind.words),
            "state": change.state,
            "clinic": Person(id=change.clinic.id, name=change.clinic.name),
            "doctor_id": change.doctor_id,
            "held_until": change.held_until.astimezone(zone),
            "applied_at": change.applied_at.astimezone(zone) if change.applied_at else None,
            "counts": dict(found.counts),
        }

    @classmethod
    def of(cls, found: Summary) -> Self:
        return cls(**cls.told(found))


class Changes(Out):
    """Changes in force and live plans, the newest first."""

    items: list[ChangeBrief]


class ChangeOut(ChangeBrief):
    """A change with every visit it hits, the soonest first; `wanted` is what was entered."""

    wanted: dict[str, Any]
    proposals: list[ProposalOut]

    @classmethod
    def whole(cls, sheet: Sheet) -> Self:
        proposals = [ProposalOut.of(line) for line in sheet.lines]
        return cls(**cls.told(sheet), wanted=sheet.change.wanted, proposals=proposals)


class PlaceOut(Out):
    practice_id: UUID
    doctor: Person


class ChoicesOut(Out):
    """The free times of a week for one visit at one practice, and the practices it could go to."""

    practice_id: UUID | None
    time_zone: Zone | None
    places: list[PlaceOut]
    items: list[FreeTime]
    next_free: FreeTime | None

    @classmethod
    def of(cls, found: Choice) -> Self:
        week = found.week
        slots = [slot for _day, day in week.days for slot in day] if week else []
        return cls(
            practice_id=found.place.id if found.place else None,
            time_zone=week.zone.key if week else None,
            places=[
                PlaceOut(practice_id=one.id, doctor=Person(id=one.doctor.id, name=one.doctor.name))
                for one in found.places
            ],
            items=[FreeTime.of(slot, week.zone) for slot in slots] if week else [],
            next_free=FreeTime.of(week.next_free, week.zone) if week and week.next_free else None,
        )

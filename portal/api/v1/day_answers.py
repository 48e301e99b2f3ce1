"""The shapes of a day at a clinic as they go out, and the refusals of its steps by their codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1.answers import AppointmentOut, Out, Person, Status
from portal.domain.day import waiting
from portal.domain.day.arriving import Standing
from portal.domain.day.board import Board, Line
from portal.domain.day.queue import Place, Queue
from portal.domain.day.waiting import Span

# The steps of a day say their refusals with the sentence of the moment; these tell the description their codes.


class VisitNow(AppointmentOut):
    """A visit and where it stands on its day. `queue_number` is of the clinic's day, as its board shows it."""

    queue_number: int | None
    checked_in_at: datetime | None
    called_at: datetime | None
    started_at: datetime | None
    is_walk_in: bool
    goes_first: bool

    @classmethod
    def of(cls, one: Any) -> Self:
        zone = one.clinic.zone
        times = {name: getattr(one, name) for name in ("checked_in_at", "called_at", "started_at")}
        local: dict[str, Any] = {name: at.astimezone(zone) if at else None for name, at in times.items()}
        return cls(
            **dict(AppointmentOut.of(one)),
            **local,
            queue_number=one.queue_number,
            is_walk_in=one.is_walk_in,
            goes_first=one.is_urgent,
        )


class Wait(Out):
    """An honest range in minutes, and the same in words."""

    low_minutes: int
    high_minutes: int
    words: str

    @classmethod
    def of(cls, span: Span | None) -> Self | None:
        if span is None:
            return None
        low, high = waiting.rounded(span)
        return cls(low_minutes=low, high_minutes=high, words=str(span))


class WaitingOut(Out):
    """Somebody who waits: how many go before them and how long it may take."""

    visit: VisitNow
    before: int
    wait: Wait | None
    is_late: bool

    @classmethod
    def of(cls, place: Place) -> Self:
        return cls(visit=VisitNow.of(place.visit), before=place.before, wait=Wait.of(place.wait), is_late=place.is_late)


class QueueOut(Out):
    """One doctor's day at one clinic; each visit is in exactly one of these lists, `waiting` in turn."""

    clinic: Person
    doctor: Person
    waiting: list[WaitingOut]
    called: list[VisitNow]
    inside: list[VisitNow]
    expected: list[VisitNow]
    requests: list[VisitNow]
    done: list[VisitNow]
    missed: list[VisitNow]

    @classmethod
    def of(cls, one: Queue) -> Self:
        lists = ("called", "inside", "expected", "requests", "done", "missed")
        return cls(
            clinic=Person(id=one.clinic.id, name=one.clinic.name),
            doctor=Person(id=one.doctor.id, name=one.doctor.name),
            waiting=[WaitingOut.of(place) for place in one.waiting],
            **{name: [VisitNow.of(visit) for visit in getattr(one, name)] for name in lists},
        )


class Queues(Out):
    items: list[QueueOut]


class StandingOut(Out):
    """How a patient stands on the day of the visit: may say that they are here, waits, is called, or is inside."""

    appointment_id: UUID
    status: Status
    may_arrive: bool
    number: int | None
    before: Annotated[int, Field(description="How many go before them")]
    wait: Wait | None
    is_called: bool
    is_inside: bool

    @classmethod
    def of(cls, found: Standing) -> Self:
        visit: Any = found.appointment
        return cls(
            appointment_id=visit.id,
            status=visit.status,
            may_arrive=found.may_arrive,
            number=found.number,
            before=found.before,
            wait=Wait.of(found.wait),
            is_called=found.is_called,
            is_inside=found.is_inside,
        )


class CallOut(Out):
    number: int
    is_fresh: bool


class LineOut(Out):
    """One doctor on the board: numbers only."""

    doctor: str
    rooms: list[str]
    called: list[CallOut]
    inside: list[int]
    waiting: list[int]
    further: Annotated[int, Field(description="How many wait behind those")]

    @classmethod
    def of(cls, line: Line) -> Self:
        return cls(
            doctor=line.doctor,
            rooms=list(line.rooms),
            called=[CallOut(number=one.number, is_fresh=one.is_fresh) for one in line.called],
            inside=list(line.inside),
            waiting=list(line.waiting),
            further=line.further,
        )


class BoardOut(Out):
    """What the board in a waiting room shows now; no names of patients."""

    clinic: Person
    lines: list[LineOut]

    @classmethod
    def of(cls, board: Board) -> Self:
        clinic = Person(id=board.clinic.id, name=board.clinic.name)
        return cls(clinic=clinic, lines=[LineOut.of(line) for line in board.lines])

"""The public board of a clinic: numbers and the doctors they are called to. No patient's name is ever read for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from portal.core import clock
from portal.core.actor import NOBODY
from portal.core.errors import NotFound
from portal.core.policy import allow
from portal.domain.clinics import queries
from portal.domain.clinics.models import Clinic
from portal.domain.day import queue
from portal.domain.scheduling import rooms

FRESH = timedelta(seconds=45)  # a call is shown as new for so long
MOST_NEXT = 6  # numbers shown behind the one that is called


@dataclass(frozen=True, slots=True)
class Call:
    """A number that is asked in; `is_fresh` for the first moments."""

    number: int
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One doctor on the board: rooms, numbers asked in (the latest first), those with the doctor, those who wait."""

    doctor: str
    rooms: tuple[str, ...]
    called: tuple[Call, ...]
    inside: tuple[int, ...]
    waiting: tuple[int, ...]
    further: int  # who waits behind those


@dataclass(frozen=True, slots=True)
class Board:
    """What the board shows now."""

    clinic: Clinic
    lines: tuple[Line, ...]


def of(slug: str) -> Board:
    """The board of a clinic that has one; raises NotFound for every other. At most four statements."""
    return _of(queries.by_slug(NOBODY, slug))


def at(clinic_id: UUID) -> Board:
    """The board of the clinic with this id; raises NotFound as `of` does."""
    return _of(queries.by_id(NOBODY, clinic_id))


def _of(clinic: Clinic) -> Board:
    allow(clinic.has_board, NotFound)
    queues = queue.read(clinic, clock.today(clinic.zone), options=queue.NUMBERS_ONLY)
    shown = [one for one in queues if one.here or one.inside]
    asked_in = [visit.id for one in shown for visit in (*one.called, *one.inside)]
    where = rooms.of_appointments(asked_in) if asked_in else {}
    return Board(clinic, tuple(_line(one, where) for one in shown))


def _line(one: queue.Queue, where: dict[UUID, list[str]]) -> Line:
    found = [name for visit in (*one.called, *one.inside) for name in where.get(visit.id, ())]
    waiting = [place.visit.queue_number for place in one.waiting if place.visit.queue_number]
    return Line(
        doctor=one.doctor.name,
        rooms=tuple(dict.fromkeys(found)),
        called=tuple(
            Call(visit.queue_number, clock.now() - visit.called_at < FRESH)
            for visit in one.called
            if visit.queue_number and visit.called_at
        ),
        inside=tuple(visit.queue_number for visit in one.inside if visit.queue_number),
        waiting=tuple(waiting[:MOST_NEXT]),
        further=max(0, len(waiting) - MOST_NEXT),
    )

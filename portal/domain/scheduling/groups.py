"""Group visits: an opening with several places, seen by patients as places left, by the clinic as people together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.core.actor import Actor
from portal.core.db import session
from portal.domain.scheduling import impact, timetable
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.models import RELEASED, Appointment, Opening

_Key = tuple[UUID, datetime, UUID]  # practice, start, visit type


@dataclass(frozen=True, slots=True)
class Group:
    """Visits of one type that begin together in an opening of several places."""

    starts_at: datetime
    places: int
    visits: tuple[Appointment, ...]

    @property
    def taken(self) -> int:
        return len(self.visits)


def places_of(practice_ids: Sequence[UUID]) -> dict[str, int]:
    """The openings of these practices that take several patients at once: opening id -> places."""
    statement = select(Opening.id, Opening.capacity).where(Opening.practice_id.in_(practice_ids), Opening.capacity > 1)
    return {str(opening_id): capacity for opening_id, capacity in session().execute(statement)}


def of_visits(visits: Sequence[Appointment]) -> dict[UUID, Group]:
    """The groups among these visits, under the id of each visit; cancelled and declined ones are in none.

    At most two statements; their clinics and types must be loaded.
    """
    here = [visit for visit in visits if visit.status not in RELEASED]
    if not here:
        return {}
    places = _Places({visit.practice_id for visit in here})
    together: dict[_Key, list[Appointment]] = {}
    for visit in here:
        if places.at(visit) > 1:
            together.setdefault(_key(visit), []).append(visit)
    groups = {key: Group(key[1], places.at(found[0]), tuple(found)) for key, found in together.items()}
    return {visit.id: groups[key] for key, found in together.items() for visit in found}


def heads(visits: Sequence[Appointment], known: Mapping[UUID, Group]) -> dict[UUID, Group]:
    """Where a list of these visits puts the heading of each group: under the id of the first that is listed."""
    found: dict[_Key, UUID] = {}
    for visit in visits:
        if visit.id in known:
            found.setdefault(_key(visit), visit.id)
    return {visit_id: known[visit_id] for visit_id in found.values()}


def together(visits: Sequence[Appointment]) -> list[Appointment]:
    """The same visits in order of time, those of a group one after the other."""
    return sorted(
        visits, key=lambda visit: (visit.starts_at, str(visit.practice_id), str(visit.visit_type_id), visit.id)
    )


def of_visit(actor: Actor, visit: Appointment) -> Group | None:
    """The group a visit belongs to, with everybody in it whom the actor may see; None for a visit by itself."""
    if visit.status in RELEASED or _Places({visit.practice_id}).at(visit) < 2:
        return None
    statement = (
        select(Appointment)
        .where(
            Appointment.practice_id == visit.practice_id,
            Appointment.starts_at == visit.starts_at,
            Appointment.visit_type_id == visit.visit_type_id,
            Appointment.status.not_in(RELEASED),
            Appointment.visible(actor),
        )
        .options(*WHOLE)
        .order_by(Appointment.created_at)
    )
    return of_visits(list(session().scalars(statement))).get(visit.id)


class _Places:
    """How many places the hours of some practices have at a visit's time."""

    def __init__(self, practice_ids: Iterable[UUID]) -> None:
        several = select(Opening).where(Opening.practice_id.in_(list(practice_ids)), Opening.capacity > 1)
        openings = session().scalars(several.options(selectinload(Opening.visit_types))).all()
        self._rules: dict[UUID, list[timetable.Opening]] = {}
        for opening, rule in zip(openings, impact.rules(openings), strict=True):
            self._rules.setdefault(opening.practice_id, []).append(rule)

    def at(self, visit: Appointment) -> int:
        """The places of the widest opening around this visit that takes its type; 1 without one."""
        rules = self._rules.get(visit.practice_id)
        if not rules:
            return 1
        zone: ZoneInfo = visit.clinic.zone
        day, at = visit.starts_at.astimezone(zone).date(), int(visit.starts_at.timestamp())
        around = (one for one in timetable.open_on(rules, zone, day, day) if one.starts <= at < one.ends)
        return max((one.opening.capacity for one in around if one.opening.admits(str(visit.visit_type_id))), default=1)


def _key(visit: Appointment) -> _Key:
    return visit.practice_id, visit.starts_at, visit.visit_type_id

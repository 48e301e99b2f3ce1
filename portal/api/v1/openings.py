"""When doctors receive: openings, every week or on one date, set by the doctor and the clinic's people."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import Out
from portal.core.actor import Actor
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.shapes import Shape, WallTime
from portal.domain.scheduling import hours
from portal.domain.scheduling.hours import OpeningOverlaps
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import Opening
from portal.domain.scheduling.shapes import BreakShape, OpeningShape

TAG = "Opening hours"
READ, WRITE = "schedule:read", "schedule:write"
EXAMPLE: dict[str, Any] = {"weekday": 0, "starts": "08:00", "ends": "12:00", "step": 30}
KEEP = Annotated[bool, Field(description="Leave booked visits standing outside the hours; else 409 names them")]


class ChangeOpening(OpeningShape):
    """Other hours; with keep_visits booked visits that would lie outside them stand all the same."""

    keep_visits: KEEP = False


class RemoveQuery(Shape):
    keep_visits: KEEP = False


class OpeningOut(Out):
    """When a practice receives: a weekday (0 is Monday) or one date, between these wall times of its clinic."""

    id: UUID
    practice_id: UUID
    weekday: int | None
    on_date: date | None
    starts: WallTime
    ends: WallTime
    ends_next_day: Annotated[bool, Field(description="These hours pass midnight and end on the day after")]
    step: Annotated[int | None, Field(description="Minutes between starts; null is the visit's own length")]
    capacity: Annotated[int, Field(description="How many patients at the same time")]
    valid_from: date | None
    valid_until: date | None
    visit_type_ids: Annotated[list[UUID], Field(description="What is given then; empty is everything")]

    @classmethod
    def of(cls, one: Opening) -> Self:
        plain = (
            "id",
            "practice_id",
            "weekday",
            "on_date",
            "ends_next_day",
            "step",
            "capacity",
            "valid_from",
            "valid_until",
        )
        return cls(
            **{name: getattr(one, name) for name in plain},
            starts=one.starts,
            ends=one.ends,
            visit_type_ids=[kind.id for kind in one.visit_types],
        )


class Openings(Out):
    """Weekly hours by day and time, then single dates."""

    items: list[OpeningOut]


@endpoint(
    "GET", "/practices/{practice_id}/openings", tag=TAG, answer=Openings, refuses=(NotFound, Forbidden), scope=READ
)
def list_openings(actor: Actor, practice_id: UUID) -> Openings:
    """The opening hours of a practice, for its doctor and the clinic's people"""
    return Openings(items=[OpeningOut.of(one) for one in hours.of_practice(actor, practice_id)])


@endpoint(
    "POST",
    "/practices/{practice_id}/openings",
    tag=TAG,
    body=OpeningShape,
    answer=OpeningOut,
    status=201,
    refuses=(NotFound, Forbidden, Invalid, OpeningOverlaps),
    scope=WRITE,
    keyed=True,
    example=EXAMPLE,
)
def add_opening(actor: Actor, practice_id: UUID, body: OpeningShape) -> Answer:
    """Receive at more times"""
    made = hours.add(actor, practice_id, **body.values())
    return Answer(OpeningOut.of(made), {"Location": f"/api/v1/openings/{made.id}"})


@endpoint("GET", "/openings/{opening_id}", tag=TAG, answer=OpeningOut, refuses=(NotFound, Forbidden), scope=READ)
def get_opening(actor: Actor, opening_id: UUID) -> OpeningOut:
    """One opening"""
    return OpeningOut.of(hours.get(actor, opening_id))


@endpoint(
    "PUT",
    "/openings/{opening_id}",
    tag=TAG,
    body=ChangeOpening,
    answer=OpeningOut,
    refuses=(NotFound, Forbidden, OpeningOverlaps, VisitsAffected),
    scope=WRITE,
    example=EXAMPLE | {"ends": "11:00", "keep_visits": False},
)
def change_opening(actor: Actor, opening_id: UUID, body: ChangeOpening) -> OpeningOut:
    """Receive at other times

    Where booked visits would lie outside the hours nothing is changed, and 409 `visits_affected` names them: plan the
    change with POST /changes, in which each of them is decided, or send `keep_visits`.
    """
    return OpeningOut.of(hours.change(actor, opening_id, **body.values()))


@endpoint(
    "POST",
    "/openings/{opening_id}/breaks",
    tag=TAG,
    body=BreakShape,
    answer=Openings,
    status=201,
    refuses=(NotFound, Forbidden, OpeningOverlaps, VisitsAffected),
    scope=WRITE,
    keyed=True,
    example={"starts": "10:00", "ends": "10:30"},
)
def add_break(actor: Actor, opening_id: UUID, body: BreakShape) -> Answer:
    """Take a break inside an opening, which becomes two; answers all hours of the practice"""
    practice_id = hours.get(actor, opening_id).practice_id
    hours.take_break(actor, opening_id, **body.values())
    here = f"/api/v1/practices/{practice_id}/openings"
    return Answer(list_openings(actor, practice_id), {"Location": here})


@endpoint(
    "DELETE",
    "/openings/{opening_id}",
    tag=TAG,
    query=RemoveQuery,
    status=204,
    refuses=(NotFound, Forbidden, VisitsAffected),
    scope=WRITE,
)
def remove_opening(actor: Actor, opening_id: UUID, query: RemoveQuery) -> None:
    """Do not receive then any more; refused as a change is where visits are booked"""
    hours.remove(actor, opening_id, keep_visits=query.keep_visits)

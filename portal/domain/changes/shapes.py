"""What comes in when a change is decided and answered."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from portal.core.shapes import Empty, Shape
from portal.domain.scheduling.shapes import StartsAt


class OtherTime(Shape):
    """Another time to propose; `place` is a colleague's practice."""

    starts_at: StartsAt
    place: Annotated[UUID | None, Empty] = None


class Answer(Shape):
    """What a patient answers about one visit; `visit` is the proposal's id."""

    do: Literal["accept", "choose", "cancel"]
    visit: UUID
    starts_at: Annotated[StartsAt | None, Empty] = None
    place: Annotated[UUID | None, Empty] = None

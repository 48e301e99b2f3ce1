"""The rooms and devices that a clinic's doctors share, in groups."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1 import endpoint
from portal.api.v1.answers import Out
from portal.core.actor import Actor
from portal.domain.clinics import resources
from portal.domain.clinics.models import ResourceGroup

TAG = "Rooms and devices"


class ResourceOut(Out):
    id: UUID
    name: str
    places: Annotated[int, Field(description="How many visits can use it at the same time")]
    is_active: bool


class GroupOut(Out):
    """A sort of room or device; a visit that needs it takes any one of it."""

    id: UUID
    kind: Literal["room", "device"]
    name: str
    resources: list[ResourceOut]

    @classmethod
    def of(cls, group: ResourceGroup) -> Self:
        told: dict[str, Any] = {name: getattr(group, name) for name in ("id", "kind", "name")}
        return cls(
            **told,
            resources=[
                ResourceOut(id=one.id, name=one.name, places=one.places, is_active=one.is_active)
                for one in group.resources
            ],
        )


class Rooms(Out):
    items: list[GroupOut]


@endpoint("GET", "/clinics/{clinic_id}/rooms", tag=TAG, answer=Rooms, scope="schedule:read")
def list_rooms(actor: Actor, clinic_id: UUID) -> Rooms:
    """The rooms and devices of a clinic, for its admins"""
    return Rooms(items=[GroupOut.of(one) for one in resources.of_clinic(actor, clinic_id)])

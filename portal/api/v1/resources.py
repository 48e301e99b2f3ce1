"""Rooms and devices of a clinic, kept right by its admins; visits that are booked into them never vanish."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.clinics_answers import GroupWhole, ResourceWhole
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.shapes import Shape
from portal.domain.clinics import resources
from portal.domain.clinics.shapes import GroupShape, ResourceShape
from portal.domain.scheduling import out_of_use
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.out_of_use import GroupNeeded
from portal.domain.scheduling.shapes import KeepVisits

TAG = "Rooms and devices"
READ, WRITE = "schedule:read", "clinics:write"
GROUP: dict[str, Any] = {
    "tag": TAG, "body": GroupShape, "answer": GroupWhole, "scope": WRITE, "tagged": True,
    "example": {"kind": "room", "name": "Treatment room"},
}  # fmt: skip
ONE: dict[str, Any] = {
    "tag": TAG, "body": ResourceShape, "answer": ResourceWhole, "scope": WRITE, "tagged": True,
    "example": {"name": "Room 2", "places": 1},
}  # fmt: skip


class Keep(Shape):
    """With `keep_visits` booked visits stand although their room is out of use."""

    keep_visits: bool = False


@endpoint("POST", "/clinics/{clinic_id}/rooms", status=201, refuses=(NotFound,), keyed=True, **GROUP)
def add_room_group(actor: Actor, clinic_id: UUID, body: GroupShape) -> Answer:
    """Add a sort of room or device; what is in it comes next"""
    made = resources.add_group(actor, clinic_id, **body.values())
    told = GroupWhole.of(made)
    return Answer(told, {"ETag": etags.of(told), "Location": f"/api/v1/room-groups/{made.id}"})


@endpoint("GET", "/room-groups/{group_id}", tag=TAG, answer=GroupWhole, scope=READ, tagged=True)
def get_room_group(actor: Actor, group_id: UUID) -> GroupWhole:
    """One sort of room or device with all there are of it, for the clinic's admins"""
    return GroupWhole.of(resources.group(actor, group_id))


@endpoint("PUT", "/room-groups/{group_id}", guarded=True, **GROUP)
def change_room_group(actor: Actor, group_id: UUID, body: GroupShape) -> Answer:
    """Give a sort of room or device another name or kind"""
    etags.unless_changed(GroupWhole.of(resources.group(actor, group_id, lock=True)))
    told = GroupWhole.of(resources.change_group(actor, group_id, **body.values()))
    return Answer(told, {"ETag": etags.of(told)})


@endpoint(
    "DELETE",
    "/room-groups/{group_id}",
    tag=TAG,
    query=KeepVisits,
    status=204,
    refuses=(GroupNeeded, VisitsAffected),
    scope=WRITE,
)
def end_room_group(actor: Actor, group_id: UUID, query: KeepVisits) -> None:
    """Take a sort of room or device away with all of it

    409 `visits_affected` while visits are booked into it: plan it with POST /changes, or send keep_visits=true.
    """
    out_of_use.end_group(actor, group_id, keep_visits=query.keep_visits)


@endpoint("POST", "/room-groups/{group_id}/resources", status=201, refuses=(NotFound,), keyed=True, **ONE)
def add_resource(actor: Actor, group_id: UUID, body: ResourceShape) -> Answer:
    """Add one room or device"""
    made = resources.add(actor, group_id, **body.values())
    told = ResourceWhole.of(made)
    return Answer(told, {"ETag": etags.of(told), "Location": f"/api/v1/resources/{made.id}"})


@endpoint("GET", "/resources/{resource_id}", tag=TAG, answer=ResourceWhole, scope=READ, tagged=True)
def get_resource(actor: Actor, resource_id: UUID) -> ResourceWhole:
    """One room or device, for the clinic's admins"""
    return ResourceWhole.of(resources.resource(actor, resource_id))


@endpoint("PUT", "/resources/{resource_id}", query=KeepVisits, refuses=(VisitsAffected,), guarded=True, **ONE)
def change_resource(actor: Actor, resource_id: UUID, body: ResourceShape, query: KeepVisits) -> Answer:
    """Give a room or device another name or number of places

    409 `visits_affected` when it takes fewer than are booked at once: plan it with POST /changes, or send
    keep_visits=true.
    """
    etags.unless_changed(ResourceWhole.of(out_of_use.take(actor, resource_id)))
    told = ResourceWhole.of(out_of_use.change(actor, resource_id, keep_visits=query.keep_visits, **body.values()))
    return Answer(told, {"ETag": etags.of(told)})


@endpoint(
    "POST",
    "/resources/{resource_id}/close",
    tag=TAG,
    body=Keep,
    answer=ResourceWhole,
    refuses=(VisitsAffected,),
    scope=WRITE,
    keyed=True,
    example={"keep_visits": True},
)
def close_resource(actor: Actor, resource_id: UUID, body: Keep) -> ResourceWhole:
    """Use a room or device no more; refused while visits are booked into it, unless they are kept"""
    return ResourceWhole.of(out_of_use.close(actor, resource_id, keep_visits=body.keep_visits))


@endpoint("POST", "/resources/{resource_id}/reopen", tag=TAG, answer=ResourceWhole, scope=WRITE, keyed=True)
def reopen_resource(actor: Actor, resource_id: UUID) -> ResourceWhole:
    """Use a room or device again"""
    return ResourceWhole.of(resources.reopen(actor, resource_id))

"""Rooms and devices of a clinic: the groups, what is in each, and which visit types need them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.clinics import managing, resources
from portal.domain.scheduling import visit_types
from portal.web import changes, htmx, terms
from portal.web.admin import bp
from portal.web.admin.clinic_forms import GroupForm, ResourceForm
from portal.web.gate import actor

INDEX = "admin/rooms/index.html"
GROUP = "admin/rooms/group.html"
RESOURCE = "admin/rooms/resource.html"


@bp.get("/clinics/<slug>/rooms")
def rooms(slug: str) -> Response:
    """The rooms and devices of a clinic, and a form for another sort of them."""
    return htmx.page(INDEX, form=GroupForm.fresh(), **_rooms(slug))


@bp.post("/clinics/<slug>/rooms")
def add_group(slug: str) -> AnyResponse:
    """Add a sort of room or device; what is in it comes next."""
    form = GroupForm.fresh()
    if not form.accepted():
        return htmx.page(INDEX, status=422, form=form, **_rooms(slug))
    try:
        made = resources.add_group(actor(), managing.get(actor(), slug).id, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, INDEX, form=form, **_rooms(slug))
    return htmx.done(url_for("admin.room_group", key=made.id), say("Added. Say now which ones there are."))


@bp.get("/rooms/<uuid:key>")
def room_group(key: UUID) -> Response:
    """One group: its name, what is in it, and a form for one more."""
    return htmx.page(GROUP, **_group(key))


@bp.post("/rooms/<uuid:key>")
def change_group(key: UUID) -> AnyResponse:
    """Give a group another name or kind."""
    context = _group(key) | {"group_form": GroupForm.fresh()}
    form = context["group_form"]
    if not form.accepted():
        return htmx.page(GROUP, status=422, **context)
    try:
        resources.change_group(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, GROUP, form=form, **context)
    return htmx.done(url_for("admin.room_group", key=key), say("Saved."))


@bp.post("/rooms/<uuid:key>/add")
def add_resource(key: UUID) -> AnyResponse:
    """Add one room or device to a group."""
    context = _group(key) | {"resource_form": ResourceForm.fresh()}
    form = context["resource_form"]
    if not form.accepted():
        return htmx.page(GROUP, status=422, **context)
    try:
        resources.add(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, GROUP, form=form, **context)
    return htmx.done(url_for("admin.room_group", key=key), say("Added."))


@bp.post("/rooms/<uuid:key>/end")
def end_group(key: UUID) -> AnyResponse:
    """Take a group away; visits booked into it are decided first."""
    slug = resources.group(actor(), key).clinic.slug
    try:
        url = url_for("admin.rooms", slug=slug)
        return changes.save_or_plan("rooms_ended", key, {}, url=url, said=say("Removed."))
    except Refused as no:
        return htmx.refused(no, GROUP, **_group(key))


@bp.get("/resources/<uuid:key>")
def resource(key: UUID) -> Response:
    """A form for one room or device."""
    found = resources.resource(actor(), key)
    return htmx.page(RESOURCE, form=ResourceForm.fresh(found), one=found, group=found.group)


@bp.post("/resources/<uuid:key>")
def change_resource(key: UUID) -> AnyResponse:
    """Change one room or device; where it is to take fewer than are booked, each visit is decided first."""
    found = resources.resource(actor(), key)
    form = ResourceForm.fresh()
    if not form.accepted():
        return htmx.page(RESOURCE, status=422, form=form, one=found, group=found.group)
    try:
        url = url_for("admin.room_group", key=found.group_id)
        return changes.save_or_plan("room_changed", key, form.clean.values(), url=url, said=say("Saved."))
    except Refused as no:
        return htmx.refused(no, RESOURCE, form=form, one=found, group=found.group)


@bp.post("/resources/<uuid:key>/close")
def close_resource(key: UUID) -> AnyResponse:
    """Use a room or device no more; visits booked into it are decided first."""
    found = resources.resource(actor(), key)
    url = url_for("admin.room_group", key=found.group_id)
    said = say("%(name)s is out of use: no visit is booked into it.", name=found.name)
    return changes.save_or_plan("room_closed", key, {}, url=url, said=said)


@bp.post("/resources/<uuid:key>/reopen")
def reopen_resource(key: UUID) -> AnyResponse:
    """Use a room or device again."""
    found = resources.reopen(actor(), key)
    return htmx.done(url_for("admin.room_group", key=found.group_id), say("%(name)s is in use again.", name=found.name))


def _rooms(slug: str) -> dict[str, Any]:
    clinic = managing.get(actor(), slug)
    return {
        "clinic": clinic,
        "groups": resources.of_clinic(actor(), clinic.id),
        "needing": visit_types.needing(actor(), clinic.id),
        "terms": terms,
    }


def _group(key: UUID) -> dict[str, Any]:
    found = resources.group(actor(), key)
    return {
        "group": found,
        "clinic": found.clinic,
        "needing": visit_types.needing(actor(), found.clinic_id).get(found.id, []),
        "group_form": GroupForm.fresh(found, sent=False),
        "resource_form": ResourceForm.fresh(sent=False),
        "terms": terms,
    }

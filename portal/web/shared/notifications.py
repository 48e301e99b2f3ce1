"""What one was told in the app: a page of it, and the bell's number in the top bar."""

from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, request, url_for
from werkzeug.wrappers import Response

from portal.core.text import gettext as say
from portal.domain.notifications import inbox, kinds
from portal.web import gate, htmx

bp = Blueprint("notifications", __name__, url_prefix="/notifications")
gate.signed_in_only(bp)


@bp.get("")
def index() -> Response:
    """Notifications, newest first; the filter lives in the address."""
    return _page()


@bp.get("/badge")
def badge() -> Response:
    """The bell alone, with its number: fetched when a nudge says that something came."""
    return htmx.page("notifications/_bell.html", unread=inbox.unread_count(gate.actor()))


@bp.post("/<uuid:key>/read")
def mark_read(key: UUID) -> Response:
    """Mark one as read, and go to what it is about if asked to."""
    found = inbox.mark_read(gate.actor(), key)
    url = inbox.url_of(found) if request.form.get("open") else None
    if url:
        return htmx.see_other(url)
    return _after(say("Marked as read."))


@bp.post("/<uuid:key>/remove")
def remove(key: UUID) -> Response:
    """Take one off the list."""
    inbox.remove(gate.actor(), key)
    return _after(say("Removed from your notifications."))


@bp.post("/read")
def mark_all_read() -> Response:
    """Mark all as read."""
    inbox.mark_all_read(gate.actor())
    return _after(say("All are marked as read."))


@bp.app_context_processor
def _bell() -> dict[str, Any]:
    """The number on the bell, for whole pages. Not while a failure is answered: the database may be why."""
    if not gate.actor().is_signed_in or htmx.wants_fragment() or sys.exc_info()[0] is not None:
        return {}
    return {"unread": inbox.unread_count(gate.actor())}


def _page() -> Response:
    more = {"unread": inbox.unread_count(gate.actor())} if htmx.wants_fragment() else {}
    return htmx.page("notifications/index.html", fragment="notifications/_list.html", **_list(), **more)


def _list() -> dict[str, Any]:
    unread, kind = request.values.get("unread", ""), request.values.get("kind", "")
    unread = unread if unread in {"0", "1"} else ""
    kind = kind if kinds.get(kind).label else ""
    is_read = {"0": True, "1": False}.get(unread)
    found = inbox.mine(gate.actor(), is_read=is_read, kind=kind or None, after=request.args.get("after"))
    kept: dict[str, Any] = {"unread": unread or None, "kind": kind or None}
    return {
        "notifications": found,
        "chosen": unread,
        "kind": kind,
        "kinds": _kinds(),
        "zone": current_app.extensions["portal.settings"].default_time_zone,
        "next_url": url_for("notifications.index", **kept, after=found.next) if found.next else None,
    }


def _kinds() -> list[tuple[str, Any]]:
    """The kinds this person can be told of."""
    actor = gate.actor()
    is_mine = {"doctor": actor.doctor_id, "desk": actor.clinics_as("staff", "admin")}
    patients = bool(actor.cares_somewhere("view"))
    return [
        (kind.name, kind.label)
        for kind in kinds.every()
        if kind.label and is_mine.get(kind.name.partition(".")[0], patients)
    ]


def _after(said: str) -> Response:
    kept: dict[str, Any] = {"unread": request.form.get("unread") or None, "kind": request.form.get("kind") or None}
    url = url_for("notifications.index", **kept)
    if not htmx.wants_fragment():
        return htmx.done(url, said)
    around = _list() | {"unread": inbox.unread_count(gate.actor())}
    return htmx.done(url, said, fragment="notifications/_list.html", oob=("notifications/_bell.html",), **around)

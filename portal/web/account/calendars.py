"""Calendar addresses of one's own: made, shown once, ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, current_app, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.scheduling import feeds
from portal.web import htmx
from portal.web.account import bp
from portal.web.gate import actor

PAGE = "account/calendars/index.html"


@bp.get("/calendars")
def calendars() -> Response:
    """The addresses that are alive, and the buttons for a new one."""
    return htmx.page(PAGE, **_about())


@bp.post("/calendars")
def make_calendar() -> AnyResponse:
    """Make an address and show it: this once and never again."""
    try:
        token = feeds.make(actor(), request.form.get("whose", ""))
    except Refused as no:
        return htmx.refused(no, PAGE, **_about())
    address = current_app.extensions["portal.settings"].base_url + url_for("public.calendar_feed", token=token)
    return htmx.page(PAGE, status=201, made=address, **_about())


@bp.post("/calendars/<uuid:key>/end")
def end_calendar(key: UUID) -> AnyResponse:
    """Make an address dead."""
    feeds.end(actor(), key)
    return htmx.done(url_for("account.calendars"), say("The address is dead: no program can read it any more."))


def _about() -> dict[str, Any]:
    return {
        "feeds": feeds.mine(actor()),
        "most": feeds.MOST_FEEDS,
        "zone": current_app.extensions["portal.settings"].default_time_zone,
        "has_visits": bool(actor().cares_somewhere("view")),
        "is_doctor": bool(actor().doctor_id),
    }

"""The call list: whom to call and why, and what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField

from portal.core import phones
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.access import people
from portal.domain.scheduling import calls
from portal.domain.scheduling.calls import CallOutcome
from portal.web import htmx
from portal.web.desk import bp
from portal.web.forms import ShapeForm
from portal.web.gate import actor

PAGE = ("desk/calls/index.html", "desk/calls/_calls.html")


class CallForm(ShapeForm[CallOutcome]):
    """What came of a call; each button is an outcome."""

    shape = CallOutcome

    outcome = HiddenField(_("What came of it"))
    note = StringField(_("Note"))


@bp.get("/calls", endpoint="calls")
def index() -> Response:
    """The people to call, the soonest visit first."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **_about())


@bp.post("/calls/<uuid:key>")
def call(key: UUID) -> AnyResponse:
    """Keep what came of a call."""
    form = CallForm()
    if not form.accepted():
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, wrong=form, **_about())
    try:
        item = calls.close(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_about())
    said = say("It stays on the list to be tried again.") if item.done_at is None else say("Done, and off the list.")
    back = htmx.Undo(url_for("desk.reopen_call", key=key), target="#calls") if item.done_at else None
    return _done(said, back)


@bp.post("/calls/<uuid:key>/reopen")
def reopen_call(key: UUID) -> AnyResponse:
    """Put a call back on the list."""
    calls.reopen(actor(), key)
    return _done(say("It is on the list again."))


def _done(said: str, undo: htmx.Undo | None = None) -> AnyResponse:
    around = _about() if htmx.wants_fragment() else {}
    return htmx.done(url_for("desk.calls"), said, fragment=PAGE[1], undo=undo, **around)


def _about() -> dict[str, Any]:
    done = calls.just_done(actor())
    return {
        "waiting": calls.waiting(actor()),
        "done": done,
        "names": people.names([one.done_by for one in done if one.done_by]),
        "codes": calls.CODES,
        "outcomes": calls.OUTCOMES,
        "shown": phones.shown,
    }

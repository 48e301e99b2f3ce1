"""What is said after a visit was dragged: moved, with a way back, or not moved, with the next free times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField

from portal.core.errors import Refused
from portal.core.text import format_datetime
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.scheduling import appointments, calendar_view
from portal.domain.scheduling.calendar_shapes import MoveOnCalendar
from portal.domain.scheduling.calendar_view import Moved
from portal.web import htmx, times
from portal.web.forms import ShapeForm
from portal.web.gate import actor

ANSWER = "calendar/_answer.html"


class MoveForm(ShapeForm[MoveOnCalendar]):
    """Where a visit goes; what a drag sends, and the buttons of the answer."""

    shape = MoveOnCalendar

    at = StringField(_("New time"))
    starts_at = StringField(_("New time"))
    practice_id = HiddenField()
    version = HiddenField()


def move(
    key: UUID,
    zone: ZoneInfo,
    *,
    here: str,
    back: str,
    show: Callable[..., Response],
) -> AnyResponse:
    """Move a visit and answer: a fragment for the calendar, else `back` with a message or, refused, `show(**said)`.

    `here` is the address that moves this visit. A refusal carries the same sentence as every other door.
    """
    form = MoveForm()
    no: Refused | None = None
    if form.accepted():
        try:
            moved = calendar_view.move(actor(), key, zone=zone, **form.clean.values())
        except Refused as refused:
            no = refused
        else:
            sentence = _said(moved, zone)
            return htmx.done(back, sentence, fragment=ANSWER, moved=moved, sentence=sentence, here=here)
    visit = appointments.find(actor(), key)  # as it is now: the verb has reread it
    said: dict[str, Any] = {
        "visit": visit,
        "here": here,
        "practice_id": form.practice_id.data or "",
        "others": times.others(no.facts.get("alternatives", ()) if no else (), visit.clinic.zone),
    }
    if no is None:
        no = Refused(say("Please choose one of the times."), code="invalid")
        no.status = 422
    return htmx.refused(no, ANSWER, **said) if htmx.wants_fragment() else show(no, **said)


def _said(moved: Moved, zone: ZoneInfo) -> str:
    time = format_datetime(moved.visit.starts_at, zone)
    if moved.visit.practice_id == moved.was_practice_id:
        return say("Moved to %(time)s. The patient gets a message.", time=time)
    name = appointments.find(actor(), moved.visit.id).doctor.name
    return say("Moved to %(time)s with %(doctor)s. The patient gets a message.", time=time, doctor=name)

"""What is said after a visit was dragged: moved, with a way back, or not moved, with the next free times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField

from portal.core.errors import Invalid, Refused
from portal.core.text import format_datetime
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.scheduling import appointments, calendar_view
from portal.domain.scheduling.calendar_shapes import MoveOnCalendar
from portal.domain.scheduling.calendar_view import Moved
from portal.domain.scheduling.granting import NOT_OVERBOOKED
from portal.domain.scheduling.refusals import NotOffered
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
    over: Callable[[datetime, UUID], str] | None = None,
) -> AnyResponse:
    """Move a visit and answer: a fragment for the calendar, else `back` with a message or, refused, `show(**said)`.

    `here` is the address that moves this visit; `over` makes that of the page on which a time is taken over the rules.
    A refusal carries the same sentence as every other door.
    """
    form = MoveForm()
    if not form.accepted():
        no: Refused = Invalid(say("Please choose one of the times."))
        return _refused(no, _about(key, form, here), show)
    wanted = form.clean
    try:
        moved = calendar_view.move(actor(), key, zone=zone, **wanted.values())
    except Refused as refused:
        about = _about(key, form, here, refused.facts.get("alternatives", ()))
        if over and isinstance(refused, NotOffered) and refused.code not in NOT_OVERBOOKED:
            practice_id = wanted.practice_id or about["visit"].practice_id
            about["over_url"] = over(calendar_view.wanted(zone, wanted.at, wanted.starts_at), practice_id)
        return _refused(refused, about, show)
    sentence = _said(moved, zone)
    return htmx.done(back, sentence, fragment=ANSWER, moved=moved, sentence=sentence, here=here)


def _about(key: UUID, form: MoveForm, here: str, others: Sequence[datetime] = ()) -> dict[str, Any]:
    """What the answer to a refusal shows of the visit, as it is now: the verb may have reread it."""
    visit = appointments.find(actor(), key)
    return {
        "visit": visit,
        "here": here,
        "practice_id": form.practice_id.data or "",
        "others": times.others(others, visit.clinic.zone),
    }


def _refused(no: Refused, about: dict[str, Any], show: Callable[..., Response]) -> Response:
    return htmx.refused(no, ANSWER, **about) if htmx.wants_fragment() else show(no, **about)


def _said(moved: Moved, zone: ZoneInfo) -> str:
    time = format_datetime(moved.visit.starts_at, zone)
    if moved.visit.practice_id == moved.was_practice_id:
        return say("Moved to %(time)s. The patient gets a message.", time=time)
    name = appointments.find(actor(), moved.visit.id).doctor.name
    return say("Moved to %(time)s with %(doctor)s. The patient gets a message.", time=time, doctor=name)

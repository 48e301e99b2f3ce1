"""The steps of a visit: each is one button, on the day's list and on the visit's own page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import lazy as _
from portal.domain.scheduling import appointments, booking, visits
from portal.domain.scheduling.models import Appointment
from portal.web import htmx
from portal.web.doctor import bp, today, visit
from portal.web.gate import actor

# step -> the verb and what is said when it is done
STEPS: dict[str, tuple[Callable[..., Appointment], Any]] = {
    "confirm": (booking.confirm, _("Confirmed. The patient gets a message.")),
    "check-in": (visits.check_in, _("Checked in.")),
    "start": (visits.start, _("The visit has started.")),
    "complete": (visits.complete, _("The visit is completed.")),
    "no-show": (visits.mark_no_show, _("Marked as “did not come”.")),
    "take-back": (visits.take_back, _("The last step was taken back.")),
}


@bp.post("/appointments/<uuid:key>/<any('confirm', 'check-in', 'start', 'complete', 'no-show', 'take-back'):step>")
def step(key: UUID, step: str) -> AnyResponse:
    """Take one step with a visit; answers with the day or, when asked from there, the visit's own page."""
    verb, sentence = STEPS[step]
    try:
        verb(actor(), key)
    except Refused as no:
        pages, context, _url = _where(key)
        return htmx.refused(no, pages[0], fragment=pages[1], **context)
    pages, context, url = _where(key)
    return htmx.done(url, sentence, fragment=pages[1], **context)


def _where(key: UUID) -> tuple[tuple[str, str], dict[str, Any], str]:
    """The page a button was pressed on: its templates, what they show, its address."""
    if request.form.get("from") == "visit":
        return visit.PAGE, visit.visit_context(key), url_for("doctor.appointment", key=key)
    on = today.asked("day") or _day_of(key)
    return today.PAGE, today.day_context(on), url_for("doctor.today", day=on)


def _day_of(key: UUID) -> date:
    found = appointments.find(actor(), key)
    return found.starts_at.astimezone(found.clinic.zone).date()

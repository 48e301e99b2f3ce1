"""Time off: what is planned, and a form for more. Booked visits in it are decided one by one before it is saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.changes import listing
from portal.domain.scheduling import closures, days
from portal.domain.scheduling.closures import TimeOff
from portal.web import changes, htmx, terms, times
from portal.web.doctor import bp
from portal.web.doctor.forms import TimeOffForm
from portal.web.gate import actor

PAGE = ("doctor/time_off/index.html", "doctor/time_off/_time_off.html")


@bp.get("/time-off")
def time_off() -> Response:
    """Planned time off and the form for more."""
    frame = days.frame(actor())
    form = TimeOffForm.fresh(frame.practices)
    form.first.data = form.last.data = frame.today
    return htmx.page(PAGE[0], fragment=PAGE[1], form=form, **_context(frame))


@bp.post("/time-off")
def add_time_off() -> AnyResponse:
    """Add time off everywhere or at one practice; where visits are booked, each of them is decided first."""
    frame = days.frame(actor())
    form = TimeOffForm.fresh(frame.practices)
    if not form.accepted():
        return _again(form, None, frame)
    kind, of = ("close_practice", form.place.data) if form.place.data else ("close_doctor", frame.doctor_id)
    said = say("Saved. Nobody can book this time any more.")
    try:
        return changes.save_or_plan(kind, of, form.clean.values(), url=url_for("doctor.time_off"), said=said)
    except Refused as no:
        return _again(form, no, frame)


@bp.post("/time-off/<uuid:key>/remove")
def remove_time_off(key: UUID) -> AnyResponse:
    """Work after all."""
    closures.reopen(actor(), key)
    return htmx.done(url_for("doctor.time_off"), say("Removed. Patients can book this time again."))


def _context(frame: days.Frame) -> dict[str, Any]:
    planned = closures.of_doctor(actor(), frame.doctor_id)
    asked = [one for one in listing.recent(actor()) if one.counts["open"] + one.counts["calling"]]
    return {"frame": frame, "asked": len(asked), "planned": [(off, _words(off)) for off in planned], "terms": terms}


def _words(off: TimeOff) -> str:
    """From when to when, without times for whole days."""
    starts, ends = (one.astimezone(off.zone) for one in (off.closure.starts_at, off.closure.ends_at))
    if (starts.hour, starts.minute, ends.hour, ends.minute) != (0, 0, 0, 0):
        return f"{text.format_datetime(starts)} – {text.format_datetime(ends)}"
    first, last = starts.date(), ends.date() - timedelta(days=1)
    return text.format_date(first, "full") if first == last else times.range_label(first, last)


def _again(form: TimeOffForm, no: Refused | None, frame: days.Frame) -> Response:
    context = _context(frame)
    if no is None:
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, form=form, **context)
    return htmx.refused(no, PAGE[0], fragment=PAGE[1], form=form, **context)

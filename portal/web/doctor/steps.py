"""The steps of a visit: each is one button, in the queue, on the day's list and on the visit's own page."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.day import calling
from portal.domain.scheduling import appointments
from portal.domain.scheduling.models import Appointment
from portal.web import asked, day_steps, htmx
from portal.web.doctor import bp, today, visit
from portal.web.gate import actor


@bp.post(f"/appointments/<uuid:key>/<{day_steps.NAMES}:step>")
def step(key: UUID, step: str) -> AnyResponse:
    """Take one step with a visit; answers with the day or, when asked from there, the visit's own page."""
    try:
        sentence, taken = day_steps.take(actor(), key, step, request.form)
    except Refused as no:
        pages, context, _url = _where(key)
        return htmx.refused(no, pages[0], fragment=pages[1], **context)
    pages, context, url = _where(key)
    return htmx.done(url, sentence, fragment=pages[1], undo=_undo(taken, step, pages), **context)


@bp.post("/call-next")
def call_next() -> AnyResponse:
    """Call whoever goes next with this doctor at one of their clinics."""
    form = request.form
    on = asked.day("day")
    try:
        called = calling.call_next(
            actor(), form.get("clinic_id", ""), form.get("doctor_id", ""), expected=form.get("expected") or None
        )
    except calling.Refusals as no:
        return htmx.refused(no, today.PAGE[0], fragment=today.PAGE[1], **today.day_context(on))
    sentence = say("Number %(number)s is called.", number=called.queue_number)
    back, shown = _undo(called, "call", today.PAGE), today.day_context(on, called.id)
    return htmx.done(url_for("doctor.today"), sentence, fragment=today.PAGE[1], undo=back, **shown)


def _where(key: UUID) -> tuple[tuple[str, str], dict[str, Any], str]:
    """The page a button was pressed on: its templates, what they show, its address."""
    if request.form.get("from") == "visit":
        return visit.PAGE, visit.visit_context(key), url_for("doctor.appointment", key=key)
    on = asked.day("day") or _day_of(key)
    return today.PAGE, today.day_context(on, key), url_for("doctor.today", day=on)


def _undo(taken: Appointment, step: str, pages: tuple[str, str]) -> htmx.Undo | None:
    """The way back, which answers with the page the step was taken on."""
    place, target = ("visit", "#visit") if pages == visit.PAGE else ("day", "#day")
    fields = {"from": place, "day": request.form.get("day")}
    return day_steps.undo(taken, step, lambda other: url_for("doctor.step", key=taken.id, step=other), target, fields)


def _day_of(key: UUID) -> date:
    found = appointments.find(actor(), key)
    return found.starts_at.astimezone(found.clinic.zone).date()

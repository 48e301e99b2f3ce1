"""The desk's day: every doctor of the clinic side by side, with a button for each step."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import NotFound, Refused
from portal.core.text import gettext as say
from portal.domain.day import calling, looking, queue, walk_ins
from portal.domain.scheduling import groups, visits
from portal.domain.scheduling.models import Appointment
from portal.web import asked, day_steps, htmx, searching
from portal.web.desk import bp
from portal.web.gate import actor

PAGE = ("desk/day/index.html", "desk/day/_day.html")


@bp.get("/")
def day() -> Response:
    """All doctors of a clinic on a date; ?clinic= is one of the actor's, ?day= a date, ?search= looks for somebody."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **context())


searching.mount(bp, "/search", "day", endpoint="search_day", kept=("clinic", "day"))


@bp.post(f"/visits/<uuid:key>/<{day_steps.NAMES}:step>")
def visit_step(key: UUID, step: str) -> AnyResponse:
    """Take one step with a visit; answers with the day it was pressed on."""
    try:
        sentence, taken = day_steps.take(actor(), key, step, request.form)
    except Refused as no:
        return _refused(no)
    return _done(sentence, taken, step)


@bp.post("/call-next")
def call_next() -> AnyResponse:
    """Call whoever goes next with a doctor."""
    form = request.form
    try:
        called = calling.call_next(
            actor(), form.get("clinic_id", ""), form.get("doctor_id", ""), expected=form.get("expected") or None
        )
    except Refused as no:
        return _refused(no)
    return _done(say("Number %(number)s is called.", number=called.queue_number), called, "call")


def context(changed: UUID | None = None) -> dict[str, Any]:
    """What the page of a day shows; `changed` is the visit whose row is looked at next."""
    slug, typed = request.values.get("clinic") or None, searching.typed()
    found = looking.desk_day(actor(), slug, asked.day("day"))
    return {
        "day": found,
        "queues": looking.narrowed(found.queues, typed),
        "counts": looking.counts(found.queues),
        "clinics": walk_ins.clinics(actor()),
        "q": typed,
        "sealed": searching.kept(),
        "rule": queue.in_words(found.clinic),
        "way": way(found, typed, changed),
        "previous_url": _address(found, found.date - timedelta(days=1)),
        "next_url": _address(found, found.date + timedelta(days=1)),
    }


def way(found: looking.DeskDay, typed: str, changed: UUID | None) -> dict[str, Any]:
    """Where the buttons of the day lead; see components/queue.html."""
    return {
        "step": lambda visit, step: url_for("desk.visit_step", key=visit.id, step=step),
        "next": None if typed else url_for("desk.call_next"),
        "target": "#day",
        "hidden": {"clinic": found.clinic.slug, "day": found.date, searching.PARAMETER: searching.kept() or ""},
        "person": lambda visit: url_for("desk.appointment", key=visit.id),
        "front": visits.FRONT_CODES,
        "changed": changed,
        "is_today": found.is_today,
        "starts": False,
        "phones": True,
        "reasons": False,
        "groups": groups.of_visits([visit for one in found.queues for visit in one.all]),
    }


def _address(found: looking.DeskDay, on: date | None) -> str:
    return url_for("desk.day", clinic=found.clinic.slug, day=on, search=searching.kept())


def _refused(no: Refused) -> AnyResponse:
    if isinstance(no, NotFound):
        raise no
    return htmx.refused(no, PAGE[0], fragment=PAGE[1], **context())


def _done(sentence: str, changed: Appointment, step: str) -> AnyResponse:
    shown = context(changed.id)
    found, here = shown["day"], shown["way"]
    url = _address(found, None if found.is_today else found.date)
    back = day_steps.undo(changed, step, partial(here["step"], changed), here["target"], here["hidden"])
    return htmx.done(url, sentence, fragment=PAGE[1], undo=back, **shown)

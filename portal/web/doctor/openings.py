"""When a practice receives: its week, single dates, a form for each, and the free times that come of it."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.errors import NotFound, Refused
from portal.core.text import gettext as say
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import availability, days, finding, hours, impact, visit_types
from portal.domain.scheduling.models import Opening
from portal.web import htmx, terms, times
from portal.web.doctor import bp
from portal.web.doctor.forms import OpeningForm
from portal.web.doctor.today import arrows, asked
from portal.web.gate import actor

PAGE = "doctor/openings/index.html"
FORM = ("doctor/openings/form.html", "doctor/openings/_form.html")


@bp.get("/openings")
def openings() -> Response:
    """The hours of one practice and a preview of its free times; ?practice= chooses among several."""
    return htmx.page(PAGE, **_index(request.args.get("practice")))


@bp.get("/openings/preview")
def openings_preview() -> Response:
    """The free times patients see in a week, for one visit type."""
    return htmx.page(PAGE, fragment="doctor/openings/_preview.html", **_index(request.args.get("practice")))


@bp.get("/openings/new")
def new_opening() -> Response:
    """A form for new hours of a practice; ?weekday= fills it in."""
    practice = _practice(request.args.get("practice")) or _none()
    form = OpeningForm.fresh(visit_types.active_at([practice.clinic_id]))
    weekday = request.args.get("weekday", "")
    form.weekday.data = weekday if weekday in {str(n) for n in range(7)} else "0"
    return htmx.page(FORM[0], fragment=FORM[1], form=form, practice=practice, opening=None)


@bp.post("/openings/new")
def add_opening() -> AnyResponse:
    """Add hours to a practice."""
    practice = _practice(request.args.get("practice")) or _none()
    form = OpeningForm.fresh(visit_types.active_at([practice.clinic_id]))
    if not form.accepted():
        return _again(form, None, practice, None)
    try:
        hours.add(actor(), practice.id, **form.clean.values())
    except Refused as no:
        return _again(form, no, practice, None)
    return htmx.done(url_for("doctor.openings", practice=practice.id), say("The hours were added."))


@bp.get("/openings/<uuid:key>")
def opening(key: UUID) -> Response:
    """A form for one opening."""
    found = hours.get(actor(), key)
    form = OpeningForm.fresh(visit_types.active_at([found.practice.clinic_id]), found)
    return htmx.page(FORM[0], fragment=FORM[1], form=form, practice=found.practice, opening=found)


@bp.post("/openings/<uuid:key>")
def change_opening(key: UUID) -> AnyResponse:
    """Change hours; booked visits that would lie outside are named first."""
    found = hours.get(actor(), key)
    practice = found.practice
    form = OpeningForm.fresh(visit_types.active_at([practice.clinic_id]))
    if not form.accepted():
        return _again(form, None, practice, found)
    try:
        hours.change(actor(), key, keep_visits=bool(form.keep_visits.data), **form.clean.values())
    except Refused as no:
        return _again(form, no, practice, found)
    return htmx.done(url_for("doctor.openings", practice=practice.id), say("The hours were changed."))


@bp.post("/openings/<uuid:key>/remove")
def remove_opening(key: UUID) -> AnyResponse:
    """Take hours away; booked visits in them are named first."""
    found = hours.get(actor(), key)
    try:
        hours.remove(actor(), key, keep_visits="keep_visits" in request.form)
    except Refused as no:
        context: dict[str, Any] = {"practice": found.practice, "opening": found, "affected": _affected(no)}
        return htmx.refused(no, "doctor/openings/remove.html", **context)
    return htmx.done(url_for("doctor.openings", practice=found.practice_id), say("The hours were removed."))


def _index(wanted: str | None) -> dict[str, Any]:
    frame = days.frame(actor())
    practice = _practice(wanted, frame)
    context: dict[str, Any] = {"frame": frame, "practice": practice, "terms": terms}
    if practice is None:
        return context
    found = hours.of_practice(actor(), practice.id)
    by_weekday = [(n, name, [one for one in found if one.weekday == n]) for n, name in _weekdays()]
    dated = [one for one in found if one.on_date and one.on_date >= frame.today]
    return context | {"by_weekday": by_weekday, "dated": dated, **_preview(practice)}


def _weekdays() -> list[tuple[int, str]]:
    names, first = times.weekday_names(), text.locale().first_week_day
    return [((first + n) % 7, names[(first + n) % 7]) for n in range(7)]


def _preview(practice: Practice) -> dict[str, Any]:
    kinds = availability.bookable_types(practice.id, for_desk=True)
    kind = next((one for one in kinds if str(one.id) == request.args.get("kind")), kinds[0] if kinds else None)
    if kind is None:
        return {"kinds": kinds, "kind": None, "week": None}
    week = times.week_view(finding.week(actor(), practice.id, kind, practice.clinic.zone, asked("start")))
    link = partial(url_for, "doctor.openings_preview", practice=practice.id, kind=kind.id)
    return {"kinds": kinds, "kind": kind, "week": week, **arrows(week, link)}


def _practice(wanted: str | None, frame: days.Frame | None = None) -> Practice | None:
    """The practice asked for if it is the doctor's own, else the first; None for a doctor without any."""
    practices = (frame or days.frame(actor())).practices
    if wanted and wanted not in {str(practice.id) for practice in practices}:
        raise NotFound
    return next((one for one in practices if str(one.id) == wanted), practices[0] if practices else None)


def _none() -> Practice:
    raise NotFound(say("You have no practice yet. Ask your clinic to add you."))


def _again(form: OpeningForm, no: Refused | None, practice: Practice, opening: Opening | None) -> Response:
    context = {"practice": practice, "opening": opening, "terms": terms}
    if no is None:
        return htmx.page(FORM[0], fragment=FORM[1], status=422, form=form, **context)
    return htmx.refused(no, FORM[0], fragment=FORM[1], form=form, affected=_affected(no), **context)


def _affected(no: Refused) -> list[Any]:
    return impact.look(actor(), no.facts.get("visits", ()))

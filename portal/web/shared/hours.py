"""The availability editor: a practice's week on a grid, its forms, copies, and what patients will see of it.

Doctors, the desk and admins have the same pages, each under their own addresses: `mount` gives them to a blueprint.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from portal.core import clock
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import hours, hours_preview, visit_types
from portal.domain.scheduling.hours_preview import Preview
from portal.domain.scheduling.models import Opening, VisitType
from portal.web import asked, changes, htmx, times
from portal.web.gate import actor
from portal.web.shared import hours_asked, hours_grid
from portal.web.shared.hours_asked import WEEK, Choose, Shown
from portal.web.shared.hours_forms import BreakForm, CopyDayForm, CopyWeekForm, OpeningForm, StretchForm, practice_words

INDEX = "doctor/openings/index.html"
PREVIEW = "doctor/openings/_preview.html"
FORM = ("doctor/openings/form.html", "doctor/openings/_form.html")
TRIED = "doctor/openings/_tried.html"
COPY = "doctor/openings/copy.html"


def mount(bp: Blueprint, base: str, single: str, choose: Choose) -> None:
    """Give a blueprint the editor: `base` is the address of a practice's hours, `single` that of one opening.

    `choose` answers for the practice asked for (None when none was); it raises NotFound or Forbidden.
    """
    pages = Editor(choose)
    for rule, method, name in (
        (base, "GET", "openings"),
        (f"{base}/preview", "GET", "openings_preview"),
        (f"{base}/new", "GET", "new_opening"),
        (f"{base}/new", "POST", "add_opening"),
        (f"{base}/try", "POST", "try_opening"),
        (f"{base}/copy", "GET", "copy_hours"),
        (f"{base}/copy/day", "POST", "copy_day"),
        (f"{base}/copy/week", "POST", "copy_week"),
        (single, "GET", "opening"),
        (single, "POST", "change_opening"),
        (f"{single}/stretch", "POST", "stretch_opening"),
        (f"{single}/break", "POST", "break_opening"),
        (f"{single}/remove", "POST", "remove_opening"),
    ):
        bp.add_url_rule(rule, name, getattr(pages, name), methods=[method])


class Editor:
    """The pages of the editor, for whoever `choose` lets in."""

    def __init__(self, choose: Choose) -> None:
        self.choose = choose

    def openings(self, practice: UUID | None = None) -> Response:
        """A week of hours on its grid and a preview of the free times; ?practice=, ?week=, ?kind=, ?start=."""
        return htmx.page(INDEX, **self._index(practice))

    def openings_preview(self, practice: UUID | None = None) -> Response:
        """The free times patients see in two weeks, for one visit type."""
        return htmx.page(INDEX, fragment=PREVIEW, **self._index(practice))

    def new_opening(self, practice: UUID | None = None) -> Response:
        """A form for new hours; ?date=, ?weekday=, ?starts= and ?ends= fill it in."""
        shown = self._shown(practice)
        kinds = visit_types.active_at([shown.one.clinic_id])
        return self._form(shown, OpeningForm.fresh(kinds, **hours_asked.said()), kinds)

    def add_opening(self, practice: UUID | None = None) -> AnyResponse:
        """Add hours to a practice; ?date= is the column they were drawn in."""
        shown = self._shown(practice)
        kinds = visit_types.active_at([shown.one.clinic_id])
        form = OpeningForm.fresh(kinds)
        if not form.accepted() or "try" in request.form:
            return self._form(shown, form, kinds, status=hours_asked.status(form))
        try:
            hours.add(actor(), shown.one.id, **form.clean.values())
        except Refused as no:
            return self._form(shown, form, kinds, no=no)
        seen = form.clean.on_date or form.clean.valid_from or asked.day("date")
        return htmx.done(hours_asked.back(shown.one, seen), say("The hours were added."))

    def try_opening(self, practice: UUID | None = None) -> Response:
        """What patients would see if the hours in the form were saved; nothing is changed."""
        opening = hours.get(actor(), request.args["opening"]) if request.args.get("opening") else None
        shown = self._shown(opening.practice_id if opening else practice)
        kinds = visit_types.active_at([shown.one.clinic_id])
        form = OpeningForm.fresh(kinds)
        form.accepted()
        return self._form(shown, form, kinds, opening, fragment=TRIED, status=hours_asked.status(form))

    def opening(self, key: UUID) -> Response:
        """A form for one opening."""
        found = hours.get(actor(), key)
        kinds = visit_types.active_at([found.practice.clinic_id])
        return self._form(self._shown(found.practice_id), OpeningForm.fresh(kinds, found), kinds, found)

    def change_opening(self, key: UUID) -> AnyResponse:
        """Change hours; booked visits that would lie outside are decided first."""
        found = hours.get(actor(), key)
        shown = self._shown(found.practice_id)
        kinds = visit_types.active_at([shown.one.clinic_id])
        form = OpeningForm.fresh(kinds)
        if not form.accepted() or "try" in request.form:
            return self._form(shown, form, kinds, found, status=hours_asked.status(form))
        url, said = hours_asked.back(shown.one), say("The hours were changed.")
        try:
            return changes.save_or_plan("opening_changed", key, form.clean.values(), url=url, said=said)
        except Refused as no:
            return self._form(shown, form, kinds, found, no=no)

    def stretch_opening(self, key: UUID) -> AnyResponse:
        """Hours drawn longer, shorter or elsewhere on the week; what is in the way is said on their form."""
        found = hours.get(actor(), key)
        shown = self._shown(found.practice_id)
        kinds = visit_types.active_at([shown.one.clinic_id])
        drawn, form = StretchForm(), OpeningForm.fresh(kinds, found, sent=False)
        if not drawn.accepted():
            return self._form(shown, form, kinds, found, status=422)
        url, said = hours_asked.back(shown.one, drawn.clean.day), say("The hours were changed.")
        try:
            return changes.save_or_plan("opening_moved", key, drawn.clean.values(), url=url, said=said)
        except Refused as no:
            form.process(data=form.data | hours_asked.drawn_to(found, drawn))
            return self._form(shown, form, kinds, found, no=no)

    def break_opening(self, key: UUID) -> AnyResponse:
        """A break splits hours in two; visits booked in it are decided first."""
        found = hours.get(actor(), key)
        shown = self._shown(found.practice_id)
        kinds = visit_types.active_at([shown.one.clinic_id])
        form, pause = OpeningForm.fresh(kinds, found, sent=False), BreakForm()
        if not pause.accepted():
            return self._form(shown, form, kinds, found, pause=pause, status=422)
        url, said = hours_asked.back(shown.one, found.on_date), say("The break was added.")
        try:
            return changes.save_or_plan("opening_break", key, pause.clean.values(), url=url, said=said)
        except Refused as no:
            return self._form(shown, form, kinds, found, pause=pause, no=no)

    def remove_opening(self, key: UUID) -> AnyResponse:
        """Take hours away; visits booked in them are decided first."""
        found = hours.get(actor(), key)
        url = hours_asked.back(self._shown(found.practice_id).one)
        return changes.save_or_plan("opening_removed", key, {}, url=url, said=say("The hours were removed."))

    def copy_hours(self, practice: UUID | None = None) -> Response:
        """Forms to copy a day to other days and a week to other dates or practices."""
        shown = self._shown(practice)
        return htmx.page(COPY, **self._copies(shown))

    def copy_day(self, practice: UUID | None = None) -> AnyResponse:
        """Copy one day's weekly hours to other days."""
        return self._copy(practice, "copy_day", "day_form")

    def copy_week(self, practice: UUID | None = None) -> AnyResponse:
        """Copy a week's hours to a range of dates, here or at another practice."""
        return self._copy(practice, "copy_week", "week_form")

    def _copy(self, practice: UUID | None, kind: str, which: str) -> AnyResponse:
        shown = self._shown(practice)
        context = self._copies(shown)
        form = context[which]
        if not form.accepted():
            return htmx.page(COPY, status=422, **context)
        url = hours_asked.back(shown.one, getattr(form.clean, "first", None))
        try:
            return changes.save_or_plan(kind, shown.one.id, form.clean.values(), url=url, said=say("Copied."))
        except Refused as no:
            return htmx.refused(no, COPY, form=form, **context)

    def _copies(self, shown: Shown) -> dict[str, Any]:
        practice = shown.one
        monday = hours_grid.week_start(asked.day("week") or clock.today(practice.clinic.zone))
        here = (str(practice.id), say("The same place: %(place)s", place=practice_words(practice)))
        others = [(str(one.id), practice_words(one)) for one in hours.targets(actor(), practice)]
        said = {"week": monday, "first": max(monday + WEEK, clock.today(practice.clinic.zone))}
        return {
            "shown": shown,
            "practice": practice,
            "day_form": CopyDayForm.fresh(),
            "week_form": CopyWeekForm.fresh([here, *others], **said),
        }

    def _shown(self, practice: UUID | str | None) -> Shown:
        return self.choose(practice or request.args.get("practice") or None)

    def _index(self, practice: UUID | None) -> dict[str, Any]:
        shown = self._shown(practice)
        context: dict[str, Any] = {"shown": shown, "practice": shown.practice}
        if shown.practice is None:
            return context
        here = shown.practice
        today = clock.today(here.clinic.zone)
        first = hours_grid.week_start(asked.day("week") or today)
        found = hours.of_practice(actor(), here.id)
        days = hours_preview.week(actor(), here, found, first)
        kinds = visit_types.active_at([here.clinic_id])
        kind = hours_asked.kind(kinds, hours_asked.given(found))
        return context | {
            "grid": hours_grid.grid(days, here, today),
            "later": hours_grid.later(found, first + WEEK),
            "words": hours_grid,
            "weekdays": times.weekday_names(),
            "a_week": WEEK,
            "two_weeks": WEEK * 2,
            "times": times,
            "first": first,
            "last": first + WEEK - timedelta(days=1),
            "today": today,
            "has_hours": bool(found),
            "kinds": kinds,
            "kind": kind,
            "preview": _preview(here, kind),
        }

    def _form(
        self,
        shown: Shown,
        form: OpeningForm,
        kinds: list[VisitType],
        opening: Opening | None = None,
        *,
        no: Refused | None = None,
        status: int = 200,
        fragment: str = FORM[1],
        pause: BreakForm | None = None,
    ) -> Response:
        """The page of the form with what patients would see of it; a refusal is put beside the fields it is about."""
        wanted = hours_asked.wanted(form)
        kind = hours_asked.kind(kinds, wanted.visit_type_ids if wanted else ())
        context: dict[str, Any] = {
            "shown": shown,
            "practice": shown.one,
            "opening": opening,
            "kinds": kinds,
            "kind": kind,
            "pause": pause or BreakForm(formdata=None),
            "preview": hours_asked.tried(shown.one, kind, form, opening),
            "opening_form": form,
            "times": times,
        }
        if no is None:
            return htmx.page(FORM[0], fragment=fragment, status=status, **context)
        return htmx.refused(no, FORM[0], fragment=fragment, **context, form=pause or form)


def _preview(practice: Practice, kind: VisitType | None) -> Preview | None:
    """The free times of two weeks; ?start= turns the pages."""
    return hours_preview.offers(actor(), practice.id, kind.id, first=asked.day("start")) if kind else None

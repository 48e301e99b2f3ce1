"""The forms of opening hours: one opening, a break in it, and copies of a day or a week."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import request
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TimeField,
)
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import text
from portal.core.text import lazy as _
from portal.domain.doctors.models import Practice
from portal.domain.scheduling.models import Opening, VisitType
from portal.domain.scheduling.shapes import BreakShape, CopyDay, CopyWeek, OpeningShape, StretchShape
from portal.web import terms, times
from portal.web.forms import DateField, ShapeForm

STEPS = (5, 10, 15, 20, 30, 45, 60)
WEEKLY, ONCE = "weekly", "once"
FIVE_MINUTES = {"step": 300}


class CheckList(SelectMultipleField):
    """Several choices, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class OpeningForm(ShapeForm[OpeningShape]):
    """When a practice receives: every week or once."""

    shape = OpeningShape

    repeats = RadioField(
        _("How often"), choices=[(WEEKLY, _("Every week")), (ONCE, _("On one date only"))], validate_choice=False
    )
    weekday = SelectField(_("Day of the week"))
    on_date = DateField(_("Date"))
    starts = TimeField(_("From"), render_kw=FIVE_MINUTES)
    ends = TimeField(_("Until"), render_kw=FIVE_MINUTES)
    ends_next_day = BooleanField(_("Ends on the next day"))
    step = SelectField(_("A visit can begin every"))
    capacity = IntegerField(_("Places at the same time"), render_kw={"inputmode": "numeric"})
    visit_type_ids = CheckList(_("Visit types"))
    valid_from = DateField(_("Valid from"))
    valid_until = DateField(_("Valid until"))

    @classmethod
    def fresh(
        cls, kinds: Iterable[VisitType], opening: Opening | None = None, *, sent: bool = True, **said: Any
    ) -> OpeningForm:
        """The form with its choices, filled in from an opening or for a new one of which `said` is known.

        Without `sent` what came with the request belongs to another form.
        """
        known = _said(opening) if opening else {"capacity": 1, "weekday": "0", "repeats": WEEKLY, **said}
        form = cls(data=known) if sent else cls(formdata=None, data=known)
        form.weekday.choices = _weekdays()
        lengths = ((str(minutes), text.format_minutes(minutes)) for minutes in STEPS)
        form.step.choices = [("", str(_("as long as the visit takes"))), *lengths]
        form.visit_type_ids.choices = [(str(kind.id), terms.kind_words(kind)) for kind in kinds]
        return form

    def _entered(self) -> dict[str, Any]:
        """The weekday counts when it repeats, the date when it does not; both where that was not said."""
        values = super()._entered()
        if how := request.form.get("repeats"):
            values.pop("on_date" if how == WEEKLY else "weekday", None)
        return values


class BreakForm(ShapeForm[BreakShape]):
    """A break in an opening."""

    shape = BreakShape

    starts = TimeField(_("Break from"), render_kw=FIVE_MINUTES)
    ends = TimeField(_("Break until"), render_kw=FIVE_MINUTES)


class StretchForm(ShapeForm[StretchShape]):
    """Where an opening was drawn to on the week."""

    shape = StretchShape

    starts = TimeField(_("From"))
    ends = TimeField(_("Until"))
    day = DateField(_("Date"))


class CopyDayForm(ShapeForm[CopyDay]):
    """One day's weekly hours for other days."""

    shape = CopyDay

    weekday = SelectField(_("Copy the hours of"))
    to = CheckList(_("To these days"))
    replace = BooleanField(_("Instead of the weekly hours of these days"))

    @classmethod
    def fresh(cls, **said: Any) -> CopyDayForm:
        form = cls(formdata=_mine("weekday"), data=said)
        form.weekday.choices = form.to.choices = _weekdays()
        return form


class CopyWeekForm(ShapeForm[CopyWeek]):
    """A week's hours for a range of dates, here or at another practice."""

    shape = CopyWeek

    week = DateField(_("Copy the seven days from"))
    to_practice_id = SelectField(_("To"))
    first = DateField(_("From this date on"))
    last = DateField(_("Until this date"))
    replace = BooleanField(_("Instead of the hours that stand there on these dates"))

    @classmethod
    def fresh(cls, targets: Iterable[tuple[str, str]], **said: Any) -> CopyWeekForm:
        form = cls(formdata=_mine("week"), data=said)
        form.to_practice_id.choices = list(targets)
        return form


def practice_words(practice: Practice) -> str:
    """A practice among several: who receives, and where."""
    return f"{practice.doctor.name} · {practice.clinic.name}"


def _mine(name: str) -> Any:
    """What was sent, if it was sent by the form that has this field; two forms stand on one page."""
    return request.form if name in request.form else None


def _weekdays() -> list[tuple[str, str]]:
    """The days by number in the order of the reader's week."""
    names, first = times.weekday_names(), text.locale().first_week_day
    return [(str((first + n) % 7), names[(first + n) % 7].capitalize()) for n in range(7)]


def _said(opening: Opening) -> dict[str, Any]:
    return {
        "repeats": ONCE if opening.on_date else WEEKLY,
        "weekday": "0" if opening.weekday is None else str(opening.weekday),
        "on_date": opening.on_date,
        "starts": opening.starts,
        "ends": opening.ends,
        "ends_next_day": opening.ends_next_day,
        "step": "" if opening.step is None else str(opening.step),
        "capacity": opening.capacity,
        "visit_type_ids": [str(kind.id) for kind in opening.visit_types],
        "valid_from": opening.valid_from,
        "valid_until": opening.valid_until,
    }

"""The forms of a doctor's pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import text
from portal.core.text import lazy as _
from portal.domain.doctors.models import Practice
from portal.domain.scheduling.models import Opening, VisitType
from portal.domain.scheduling.shapes import (
    CancelAppointment,
    ClosureShape,
    DeclineAppointment,
    OpeningShape,
    Reschedule,
)
from portal.web import terms, times
from portal.web.forms import ShapeForm

STEPS = (5, 10, 15, 20, 30, 45, 60)


class CheckList(SelectMultipleField):
    """Several choices, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class CancelForm(ShapeForm[CancelAppointment]):
    """Why a visit is called off; the patient is told the reason."""

    shape = CancelAppointment

    code = SelectField(_("Reason"))
    text = TextAreaField(_("Message to the patient"), render_kw={"rows": 3})
    version = HiddenField()

    @classmethod
    def fresh(cls, **kwargs: Any) -> CancelForm:
        form = cls(**kwargs)
        form.code.choices = terms.choices(terms.CANCEL_CODES)
        return form


class DeclineForm(ShapeForm[DeclineAppointment]):
    """Why a request is not accepted."""

    shape = DeclineAppointment

    code = SelectField(_("Reason"))
    text = TextAreaField(_("Message to the patient"), render_kw={"rows": 3})

    @classmethod
    def fresh(cls, **kwargs: Any) -> DeclineForm:
        form = cls(**kwargs)
        form.code.choices = terms.choices(terms.DECLINE_CODES)
        return form


class MoveForm(ShapeForm[Reschedule]):
    """The new time of a visit."""

    shape = Reschedule

    starts_at = StringField(_("New time"))
    version = HiddenField()


class OpeningForm(ShapeForm[OpeningShape]):
    """When a practice receives."""

    shape = OpeningShape

    weekday = SelectField(_("Every week on"))
    on_date = DateField(_("Or on one date only"))
    starts = TimeField(_("From"), render_kw={"step": 300})
    ends = TimeField(_("Until"), render_kw={"step": 300})
    step = SelectField(_("A visit can begin every"))
    capacity = IntegerField(_("Patients at the same time"), render_kw={"inputmode": "numeric"})
    visit_type_ids = CheckList(_("Visit types"))
    valid_from = DateField(_("Valid from"))
    valid_until = DateField(_("Valid until"))
    keep_visits = BooleanField(_("Keep the booked visits outside these hours"))

    @classmethod
    def fresh(cls, kinds: Iterable[VisitType], opening: Opening | None = None, **kwargs: Any) -> OpeningForm:
        """The form with its choices, filled in from an opening or for a new one."""
        form = cls(data=_said(opening) if opening else {"capacity": 1, "weekday": ""}, **kwargs)
        form.weekday.choices = [
            ("", str(_("No weekday"))),
            *((str(n), name) for n, name in times.weekday_names().items()),
        ]
        lengths = ((str(minutes), text.format_minutes(minutes)) for minutes in STEPS)
        form.step.choices = [("", str(_("as long as the visit takes"))), *lengths]
        form.visit_type_ids.choices = [(str(kind.id), kind_words(kind)) for kind in kinds]
        return form


class TimeOffForm(ShapeForm[ClosureShape]):
    """When the doctor does not receive, and where."""

    shape = ClosureShape

    place = SelectField(_("Where"))
    kind = SelectField(_("Kind"))
    first = DateField(_("First day"))
    last = DateField(_("Last day"))
    starts = TimeField(_("From (empty: the whole day)"), render_kw={"step": 300})
    ends = TimeField(_("Until (empty: the whole day)"), render_kw={"step": 300})
    note = StringField(_("Note for yourself"))
    keep_visits = BooleanField(_("Keep the booked visits; I will move or cancel them myself"))

    @classmethod
    def fresh(cls, practices: Iterable[Practice], **kwargs: Any) -> TimeOffForm:
        """The form with the doctor's practices to choose from."""
        form = cls(**kwargs)
        places = [(str(practice.id), practice.clinic.name) for practice in practices]
        form.place.choices = [("", str(_("Everywhere"))), *places]
        form.kind.choices = [(code, str(terms.CLOSURE_KINDS[code])) for code in ("leave", "blocked")]
        return form


def kind_words(kind: VisitType) -> str:
    """A visit type's name and length."""
    return f"{kind.name_in(text.language())} · {text.format_minutes(kind.duration)}"


def _said(opening: Opening) -> dict[str, Any]:
    return {
        "weekday": "" if opening.weekday is None else str(opening.weekday),
        "on_date": opening.on_date,
        "starts": opening.starts,
        "ends": opening.ends,
        "step": "" if opening.step is None else str(opening.step),
        "capacity": opening.capacity,
        "visit_type_ids": [str(kind.id) for kind in opening.visit_types],
        "valid_from": opening.valid_from,
        "valid_until": opening.valid_until,
    }

"""The forms of a doctor's pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import (
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)

from portal.core.text import lazy as _
from portal.domain.doctors.models import Practice
from portal.domain.scheduling.shapes import (
    CancelAppointment,
    ClosureShape,
    DeclineAppointment,
    Reschedule,
)
from portal.web import terms
from portal.web.forms import DateField, ShapeForm


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

    @classmethod
    def fresh(cls, practices: Iterable[Practice], **kwargs: Any) -> TimeOffForm:
        """The form with the doctor's practices to choose from."""
        form = cls(**kwargs)
        places = [(str(practice.id), practice.clinic.name) for practice in practices]
        form.place.choices = [("", str(_("Everywhere"))), *places]
        form.kind.choices = [(code, str(terms.CLOSURE_KINDS[code])) for code in ("leave", "blocked")]
        return form

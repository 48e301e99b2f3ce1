"""Forms: labels and widgets are said here, limits come from the domain's Shape, and the Shape alone decides.

class ReasonForm(ShapeForm):
    shape = CancelAppointment
    reason = TextAreaField(_("Why?"))

form = ReasonForm()
if form.accepted():
    booking.cancel(actor(), key, **form.clean.values())
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar, cast

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, FileField, SelectMultipleField
from wtforms import DateField as PickedDate
from wtforms.widgets import DateInput

from portal.core import days
from portal.core.errors import Invalid, Refused
from portal.core.shapes import Shape


class _DateBox(DateInput):
    """The browser's own box for dates; a line of text where it could not show what was typed."""

    def __call__(self, field: Any, **kwargs: Any) -> Any:
        if not field.is_readable:
            kwargs |= {"type": "text", "inputmode": "numeric"}
        return super().__call__(field, **kwargs)


class DateField(PickedDate):
    """A date, picked or typed in any form that portal.core.days reads; what is none stays as it was typed."""

    widget = _DateBox()
    data: date | None

    @property
    def is_readable(self) -> bool:
        return bool(self.data or not self._typed)

    @property
    def _typed(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = days.typed(str(valuelist[0])) if valuelist else self.data

    def _value(self) -> str:
        return self.data.isoformat() if self.data else self._typed


AnyShape = TypeVar("AnyShape", bound=Shape)


class ShapeForm(FlaskForm, Generic[AnyShape]):
    """A Flask-WTF form that is judged by a Shape. Keys that are no field of the form never reach it."""

    shape: ClassVar[type[Shape]]
    clean: AnyShape

    class Meta:
        csrf = False  # the gate has looked at the token before any form is read; templates write it with csrf()

    def __init__(self, *args: Any, fixed: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """`fixed` are values the door knows (from the address), which the browser does not send."""
        super().__init__(*args, **kwargs)
        self._fixed = dict(fixed or {})
        for name, field in self._fields.items():
            _limit(field, self.shape, name)

    def accepted(self) -> bool:
        """Whether this is a submission that the Shape takes; then `clean` holds it, else the fields hold sentences."""
        if request.method not in {"POST", "PUT", "PATCH", "DELETE"}:
            return False
        self.process_errors_clear()
        try:
            self.clean = cast(AnyShape, self.shape.parse(self._entered() | self._fixed))
        except Invalid as no:
            self.refuse(no)
            return False
        return True

    def refuse(self, no: Refused) -> None:
        """Put a refusal's sentences beside their fields and its own sentence on top."""
        for name, sentence in no.fields.items():
            field = self._fields.get(name)
            if field is not None:
                field.errors = [*field.errors, str(sentence)]
            else:
                self.form_errors.append(str(sentence))
        if not no.fields:
            self.form_errors.append(str(no))

    def process_errors_clear(self) -> None:
        self.form_errors: list[str] = []
        for field in self._fields.values():
            field.errors = []

    def _entered(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, field in self._fields.items():
            if isinstance(field, FileField) or name not in self.shape.model_fields:
                continue
            raw = [value for value in field.raw_data or [] if isinstance(value, str)]
            if isinstance(field, BooleanField):
                values[name] = bool(raw) and raw[-1] not in field.false_values
            elif isinstance(field, SelectMultipleField):
                values[name] = raw
            elif raw and (raw[-1] != "" or self.shape.model_fields[name].is_required()):
                values[name] = raw[-1]
        return values


@cache
def _properties(shape: type[Shape]) -> dict[str, Any]:
    """The shape's fields as JSON schema; kept, because making it takes milliseconds."""
    return dict(shape.model_json_schema()["properties"])


def _limit(field: Field, shape: type[Shape], name: str) -> None:
    """Tell the browser what the Shape will ask for, so that most mistakes are seen before sending."""
    about = shape.model_fields.get(name)
    if about is None:
        return
    field.flags.required = about.is_required() and not isinstance(field, BooleanField)
    known = _properties(shape).get(name, {})
    for option in (known, *known.get("anyOf", ())):
        for key, attribute in (
            ("maxLength", "maxlength"),
            ("minLength", "minlength"),
            ("minimum", "min"),
            ("maximum", "max"),
        ):
            if key in option and not (attribute == "minlength" and option[key] <= 1):
                setattr(field.flags, attribute, option[key])

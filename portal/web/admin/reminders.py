"""The reminders of a clinic: when, by what, and whether they ask “will you come?”."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, IntegerField, SelectField
from wtforms.fields.choices import SelectChoice

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.clinics import managing
from portal.domain.reminders import settings
from portal.domain.reminders.models import ReminderStep
from portal.domain.reminders.shapes import UNITS, WAYS, StepShape
from portal.web import htmx
from portal.web.admin import bp
from portal.web.forms import ShapeForm
from portal.web.gate import actor

PAGE = ("admin/reminders/index.html", "admin/reminders/_reminders.html")
UNIT_WORDS = {"days": _("days"), "hours": _("hours"), "minutes": _("minutes")}
WAY_WORDS = {
    "email": _("E-mail"),
    "sms": _("SMS"),
    "email_sms": _("E-mail, and SMS when that fails"),
    "sms_email": _("SMS, and e-mail when that fails"),
}


class StepForm(ShapeForm[StepShape]):
    """One reminder."""

    shape = StepShape

    amount = IntegerField(_("How long before"), render_kw={"inputmode": "numeric"})
    unit = SelectField(_("Unit"))
    by = SelectField(_("Sent by"))
    asks = BooleanField(_("Ask “Will you come?”"))

    @classmethod
    def shown(cls, step: ReminderStep | None = None) -> StepForm:
        """A form to fill in: for this reminder, or for a new one."""
        data = {"amount": 1, "unit": "days", "by": "email_sms"} if step is None else _entered(step)
        return cls(formdata=None, data=data)._with_choices(str(step.id) if step else "new")

    @classmethod
    def sent(cls, key: UUID | str = "new") -> StepForm:
        """The form that was sent."""
        return cls()._with_choices(str(key))

    def _with_choices(self, tag: str) -> StepForm:
        """Several of these stand on a page, so each field's id says which it is of."""
        self.unit.choices = [SelectChoice(value, str(words)) for value, words in UNIT_WORDS.items()]
        self.by.choices = [SelectChoice(value, str(words)) for value, words in WAY_WORDS.items()]
        for field in (self.amount, self.unit, self.by, self.asks):
            field.id = field.label.field_id = f"{field.name}-{tag}"
        return self


@bp.get("/clinics/<slug>/reminders")
def reminders(slug: str) -> Response:
    """What is sent before a visit, and when that is for two examples."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **_about(slug))


@bp.post("/clinics/<slug>/reminders")
def add_reminder(slug: str) -> AnyResponse:
    """Send one more."""
    clinic, form = managing.get(actor(), slug), StepForm.sent()
    if not form.accepted():
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **_about(slug, new=form))
    try:
        settings.add(actor(), clinic.id, **_values(form.clean))
    except Refused as no:
        return _refused(no, slug, form, new=form)
    return _done(slug, say("The reminder was added."))


@bp.post("/reminders/<uuid:key>")
def change_reminder(key: UUID) -> AnyResponse:
    """Change one; what waits is planned anew."""
    form, slug = StepForm.sent(key), _slug(key)
    if not form.accepted():
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **_about(slug, changing={key: form}))
    try:
        settings.change(actor(), key, **_values(form.clean))
    except Refused as no:
        return _refused(no, slug, form, changing={key: form})
    return _done(slug, say("Saved."))


@bp.post("/reminders/<uuid:key>/remove")
def remove_reminder(key: UUID) -> AnyResponse:
    """Send it no more."""
    slug = _slug(key)
    settings.remove(actor(), key)
    return _done(slug, say("The reminder was removed."))


def before(step: ReminderStep) -> str:
    """How long before the visit, in words."""
    data = _entered(step)
    many = {
        "days": lambda n: ngettext("%(n)s day before", "%(n)s days before", n),
        "hours": lambda n: ngettext("%(n)s hour before", "%(n)s hours before", n),
        "minutes": lambda n: ngettext("%(n)s minute before", "%(n)s minutes before", n),
    }
    return str(many[data["unit"]](data["amount"]))


def by(step: ReminderStep) -> str:
    """By what it is sent, in words."""
    return str(WAY_WORDS.get(_entered(step)["by"], ""))


def _entered(step: ReminderStep) -> dict[str, Any]:
    """A reminder as it is entered: in the largest unit that fits."""
    unit = next(name for name in ("days", "hours", "minutes") if step.minutes_before % UNITS[name] == 0)
    if step.minutes_before == UNITS["days"]:
        unit = "hours"  # “24 hours before” is the same time of day
    way = next((name for name, channels in WAYS.items() if list(channels) == list(step.channels)), "email")
    return {"amount": step.minutes_before // UNITS[unit], "unit": unit, "by": way, "asks": step.asks}


def _values(clean: StepShape) -> dict[str, Any]:
    return {"minutes_before": clean.minutes_before, "channels": clean.channels, "asks": clean.asks}


def _slug(key: UUID) -> str:
    return settings.clinic_of(actor(), key).slug


def _refused(no: Refused, slug: str, form: StepForm, **forms: Any) -> Response:
    form.refuse(no)
    return htmx.page(PAGE[0], fragment=PAGE[1], status=no.status, **_about(slug, **forms))


def _done(slug: str, said: str) -> AnyResponse:
    around = _about(slug) if htmx.wants_fragment() else {}
    return htmx.done(url_for("admin.reminders", slug=slug), said, fragment=PAGE[1], **around)


def _about(slug: str, *, new: StepForm | None = None, changing: dict[UUID, StepForm] | None = None) -> dict[str, Any]:
    clinic = managing.get(actor(), slug)
    steps = settings.of_clinic(actor(), clinic.id)
    changed = changing or {}
    return {
        "clinic": clinic,
        "steps": steps,
        "forms": {step.id: changed.get(step.id) or StepForm.shown(step) for step in steps},
        "changed": changed,
        "new": new or StepForm.shown(),
        "new_is_open": new is not None,
        "most": settings.MOST_STEPS,
        "examples": settings.examples(clinic, steps),
        "before": before,
        "by": by,
    }

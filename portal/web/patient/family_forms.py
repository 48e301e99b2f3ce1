"""The forms of families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import EmailField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.identity.shapes import AccountProfile
from portal.domain.patients.family_shapes import (
    Acceptance,
    CareAtClinic,
    CareChange,
    CareShape,
    DependantShape,
    HandOver,
)
from portal.domain.patients.models import SCOPES_AT_CLINIC, Delegation, Patient
from portal.web.account.forms import SEXES, ProfileForm
from portal.web.forms import DateField, ShapeForm

SCOPES = {
    "view": _("See the visits"),
    "book": _("Book, move and cancel visits"),
    "profile": _("Change personal data"),
}
AT_CLINIC = {scope: SCOPES[scope] for scope in SCOPES_AT_CLINIC}
RELATIONS = {  # what the patient is to the one who looks after them
    "child": _("Child"),
    "parent": _("Parent"),
    "spouse": _("Husband or wife"),
    "ward": _("In legal care"),
    "other": _("Somebody else"),
}


def _choices(words: Mapping[str, Any]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in words.items()]


class CheckList(SelectMultipleField):
    """Several choices, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class DependantForm(ShapeForm[DependantShape]):
    """A child, or an adult in one's legal care."""

    shape = DependantShape

    given_name = StringField(_("Given name"), render_kw={"autocomplete": "off", "dir": "auto"})
    family_name = StringField(_("Family name"), render_kw={"autocomplete": "off", "dir": "auto"})
    birth_date = DateField(_("Date of birth"), render_kw={"autocomplete": "off"})
    sex = RadioField(_("Sex"), choices=_choices(SEXES), default="unknown")
    relation = RadioField(
        _("Who is it?"),
        choices=_choices({"child": _("My child"), "ward": _("Somebody in my legal care")}),
        default="child",
    )


class CareForm(ShapeForm[CareShape]):
    """Who is asked to act for somebody, and what for."""

    shape = CareShape

    email = EmailField(_("Their e-mail address"), render_kw={"autocomplete": "off"})
    relation = SelectField(_("The patient is to them"), choices=_choices(RELATIONS), default="other")
    scopes = CheckList(_("What they may do"), choices=_choices(SCOPES), default=["view", "book"])
    until = DateField(_("Until"))


class AtClinicForm(ShapeForm[CareAtClinic]):
    """A consent given on paper, and for which clinic of the desk's it counts; asked where there is a choice."""

    shape = CareAtClinic

    clinic_id = SelectField(_("Counts for"))
    email = EmailField(_("E-mail address of the account that may act"), render_kw={"autocomplete": "off"})
    relation = SelectField(_("The patient is to them"), choices=_choices(RELATIONS), default="other")
    scopes = CheckList(_("What they may do"), choices=_choices(AT_CLINIC), default=["view", "book"])
    until = DateField(_("Until"))

    @classmethod
    def among(cls, clinics: Sequence[Clinic], **given: Any) -> AtClinicForm:
        """The form for a desk of these clinics; the first is meant until another is chosen."""
        form = cls(**given)
        form.clinic_id.choices = [SelectChoice(str(one.id), one.name) for one in clinics]
        if len(clinics) < 2:
            del form.clinic_id
        return form


class ChangeForm(ShapeForm[CareChange]):
    """What somebody may do from now on."""

    shape = CareChange

    scopes = CheckList(_("What they may do"), choices=_choices(SCOPES))
    until = DateField(_("Until"))

    @classmethod
    def of(cls, held: Delegation) -> ChangeForm:
        """What stands now, to be changed; or what was sent."""
        form = cls(data={"scopes": list(held.scopes), "until": held.ends_on})
        if held.clinic_id is not None:
            form.scopes.choices = _choices(AT_CLINIC)
        return form


class HandOverForm(ShapeForm[HandOver]):
    """To whom the record is handed over."""

    shape = HandOver

    email = EmailField(_("Their own e-mail address"), render_kw={"autocomplete": "off"})


class AcceptForm(ShapeForm[Acceptance]):
    """What is shown to take over a record."""

    shape = Acceptance

    birth_date = DateField(_("Your date of birth"), render_kw={"autocomplete": "bday"})


class NameForm(ProfileForm):
    """How a dependant is called, and in which language they are written to."""

    shape = AccountProfile

    @classmethod
    def of(cls, patient: Patient) -> NameForm:
        said = {"given_name": patient.given_name, "family_name": patient.family_name}
        form = cls(formdata=None, data={**said, "locale": patient.preferred_language})
        form.given_name.render_kw = form.family_name.render_kw = {"autocomplete": "off", "dir": "auto"}
        return form

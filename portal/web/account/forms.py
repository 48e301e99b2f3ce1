"""The forms of one's own account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice

from portal.core.errors import Refused
from portal.core.text import LANGUAGES
from portal.core.text import lazy as _
from portal.domain.identity.shapes import (
    AccountProfile,
    ChangePassword,
    Code,
    EmailOnly,
    NewPassword,
    OpenAccount,
    SignIn,
)
from portal.domain.patients.models import BLOOD_GROUPS
from portal.domain.patients.shapes import AllergyShape, PatientDetails, RegisterPatient
from portal.web.forms import DateField, ShapeForm
from portal.web.terms import SEVERITIES

SEXES = {"female": _("Female"), "male": _("Male"), "other": _("Other"), "unknown": _("I would rather not say")}
LEFT_TO_RIGHT = "\u200e"  # keeps the sign behind its letters between Arabic words
GROUPS = {"": _("Not known")} | {group: group + LEFT_TO_RIGHT for group in BLOOD_GROUPS}


def _choices(words: Mapping[str, Any]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in words.items()]


class SignInForm(ShapeForm):
    shape = SignIn
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "email"})
    password = PasswordField(_("Password"), render_kw={"autocomplete": "current-password"})


class RegisterForm(ShapeForm):
    shape = RegisterPatient
    given_name = StringField(_("Given name"), render_kw={"autocomplete": "given-name"})
    family_name = StringField(_("Family name"), render_kw={"autocomplete": "family-name"})
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "email"})
    password = PasswordField(_("Password"), render_kw={"autocomplete": "new-password"})


class EmailForm(ShapeForm):
    shape = EmailOnly
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "email"})


class NewPasswordForm(ShapeForm):
    shape = NewPassword
    password = PasswordField(_("New password"), render_kw={"autocomplete": "new-password"})


class OpenAccountForm(ShapeForm[OpenAccount]):
    shape = OpenAccount
    given_name = StringField(_("Given name"), render_kw={"autocomplete": "given-name"})
    family_name = StringField(_("Family name"), render_kw={"autocomplete": "family-name"})
    password = PasswordField(_("Password"), render_kw={"autocomplete": "new-password"})


class CodeForm(ShapeForm):
    shape = Code
    code = StringField(
        _("Code"),
        render_kw={
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "autocapitalize": "none",
            "spellcheck": "false",
            "dir": "ltr",
        },
    )


class MailCodeForm(CodeForm):
    """The code that was mailed."""


class ProveForm(ShapeForm):
    shape = NewPassword
    password = PasswordField(_("Password"), render_kw={"autocomplete": "current-password"})


class ChangePasswordForm(ShapeForm):
    shape = ChangePassword
    current_password = PasswordField(_("Present password"), render_kw={"autocomplete": "current-password"})
    password = PasswordField(_("New password"), render_kw={"autocomplete": "new-password"})


class ProfileForm(ShapeForm):
    shape = AccountProfile
    given_name = StringField(_("Given name"), render_kw={"autocomplete": "given-name"})
    family_name = StringField(_("Family name"), render_kw={"autocomplete": "family-name"})
    locale = SelectField(_("Language"), choices=_choices(LANGUAGES))


class DetailsForm(ShapeForm):
    shape = PatientDetails
    birth_date = DateField(_("Date of birth"), render_kw={"autocomplete": "bday"})
    sex = RadioField(_("Sex"), choices=_choices(SEXES))
    phone = TelField(_("Telephone"), render_kw={"autocomplete": "tel"})
    address = StringField(_("Street and number"), render_kw={"autocomplete": "street-address", "dir": "auto"})
    city = StringField(_("City"), render_kw={"autocomplete": "address-level2", "dir": "auto"})
    blood_group = SelectField(_("Blood group"), choices=_choices(GROUPS), render_kw={"dir": "auto"})
    no_known_allergies = BooleanField(_("No known allergies"))
    conditions = TextAreaField(_("Conditions that stay with you"), render_kw={"dir": "auto"})
    contact_name = StringField(_("Name"), render_kw={"autocomplete": "off"})
    contact_phone = TelField(_("Telephone"), render_kw={"autocomplete": "off"})
    contact_relation = StringField(_("Who this is to you"), render_kw={"autocomplete": "off"})

    def refuse(self, no: Refused) -> None:
        """One of the lines in a list that is wrong makes its field wrong."""
        no.fields = {name.partition(".")[0]: sentence for name, sentence in no.fields.items()}
        super().refuse(no)


class AllergyForm(ShapeForm):
    shape = AllergyShape
    substance = StringField(_("What you react to"), render_kw={"autocomplete": "off", "dir": "auto"})
    reaction = StringField(_("What happens"), render_kw={"autocomplete": "off", "dir": "auto"})
    severity = SelectField(_("How badly"), choices=_choices(SEVERITIES), default="moderate")

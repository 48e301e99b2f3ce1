"""The forms of the back office."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import request
from wtforms import (
    EmailField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import money, text
from portal.core.errors import Invalid
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.clinics.shapes import MemberShape
from portal.domain.doctors.models import Doctor, Specialty
from portal.domain.doctors.profile_shapes import (
    LANGUAGES,
    AccountInvitation,
    DoctorInvitation,
    PracticeShape,
    ProfileShape,
)
from portal.domain.doctors.profiles import VOUCHED
from portal.web import terms, times
from portal.web.forms import AnyShape, ShapeForm

NUMBER = {"inputmode": "numeric"}


class CheckList(SelectMultipleField):
    """Several choices, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class MemberForm(ShapeForm[MemberShape]):
    """Someone asked to work in a clinic."""

    shape = MemberShape

    clinic = SelectField(_("Clinic"))
    role = SelectField(_("Role"))
    given_name = StringField(_("Given name"), render_kw={"autocomplete": "off"})
    family_name = StringField(_("Family name"), render_kw={"autocomplete": "off"})
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "off"})
    locale = SelectField(_("Writes and reads"))

    @classmethod
    def fresh(cls, clinics: Iterable[Clinic], **said: Any) -> MemberForm:
        """The form with the clinics the admin runs."""
        form = cls(data=said)
        form.clinic.choices = [(str(one.id), text.beside(one.name, one.city)) for one in clinics]
        form.role.choices = [(role, str(terms.ROLES[role])) for role in ("staff", "pharmacist", "admin")]
        form.locale.choices = list(text.LANGUAGES.items())
        return form


class PricedForm(ShapeForm[AnyShape]):
    """A form in which an amount is written in major units; `priced` says for which field of the shape."""

    price = StringField(_("Price"), render_kw={"inputmode": "decimal", "autocomplete": "off"})
    priced = "price_minor"

    def accepted(self) -> bool:
        """As every form, the amount read in the currency of `currency`."""
        wrong: Invalid | None = None
        try:
            self._fixed[self.priced] = money.to_minor(request.form.get("price", ""), self.currency_code)
        except Invalid as no:
            wrong = no
        taken = super().accepted()
        if wrong:
            self.refuse(wrong)
        return taken and wrong is None

    @property
    def currency_code(self) -> str:
        return getattr(self, "_currency", "DZD")

    def in_currency(self, code: str, minor: int | None = None) -> None:
        """Say which currency the amount is in, and what it is now."""
        self._currency = code
        self.price.label.text = f"{self.price.label.text} ({code})"
        if self.price.raw_data is None or not self.price.raw_data:
            self.price.data = money.to_major(minor, code)


class DoctorFields(ShapeForm[AnyShape]):
    """What every form about a doctor asks."""

    title = StringField(_("Title"))
    given_name = StringField(_("Given name"), render_kw={"autocomplete": "off"})
    family_name = StringField(_("Family name"), render_kw={"autocomplete": "off"})
    gender = SelectField(_("Gender"))
    licence_number = StringField(_("Licence number"), render_kw={"autocomplete": "off", "dir": "ltr"})
    specialties = CheckList(_("Specialties"))
    languages = CheckList(_("Languages spoken with patients"))
    practising_since = IntegerField(_("Practising since (year)"), render_kw=NUMBER)
    qualifications = TextAreaField(_("Qualifications"), render_kw={"rows": 3})
    biography = TextAreaField(_("About the doctor"), render_kw={"rows": 5})

    def with_choices(self, specialties: Iterable[Specialty]) -> None:
        """Fill in what can be chosen."""
        named = text.in_order(specialties, name=lambda one: one.name_in(text.language()))
        self.specialties.choices = [(one.code, one.name_in(text.language())) for one in named]
        self.languages.choices = [(code, times.language_name(code)) for code in LANGUAGES]
        self.gender.choices = [(code, str(word)) for code, word in terms.SEXES.items()]


class ProfileForm(DoctorFields[ProfileShape]):
    """A doctor's profile."""

    shape = ProfileShape

    @classmethod
    def fresh(cls, specialties: Sequence[Specialty], doctor: Doctor) -> ProfileForm:
        """The form with what the profile says, or is to say once it is confirmed."""
        said = {name: getattr(doctor, name) for name in ProfileShape.model_fields}
        said["specialties"] = [one.code for one in doctor.specialties]
        if (waiting := doctor.amendment) and waiting.is_waiting:
            said |= {name: getattr(waiting, name) for name in (*VOUCHED, "specialties")}
        form = cls(data=said)
        form.with_choices(specialties)
        return form


class DoctorForm(PricedForm[DoctorInvitation], DoctorFields[DoctorInvitation]):
    """A new doctor at a clinic; with an e-mail address they are asked to sign in."""

    shape = DoctorInvitation
    priced = "fee_minor"

    clinic_id = SelectField(_("Clinic"))
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "off"})
    locale = SelectField(_("Writes and reads"))

    @classmethod
    def fresh(cls, specialties: Sequence[Specialty], clinics: Sequence[Clinic], **said: Any) -> DoctorForm:
        form = cls(data={"title": "Dr", "gender": "unknown", **said})
        form.with_choices(specialties)
        form.clinic_id.choices = [(str(one.id), text.beside(one.name, one.city)) for one in clinics]
        form.locale.choices = list(text.LANGUAGES.items())
        form.price.label.text = str(_("Fee"))
        form.in_currency(_currency_of(form.clinic_id.data, clinics))
        return form


class ConnectForm(ShapeForm[AccountInvitation]):
    """Whoever reads this address is asked to take a doctor's profile."""

    shape = AccountInvitation

    clinic_id = SelectField(_("Clinic"))
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "off"})
    locale = SelectField(_("Writes and reads"))

    @classmethod
    def fresh(cls, clinics: Sequence[Clinic]) -> ConnectForm:
        form = cls()
        form.clinic_id.choices = [(str(one.id), text.beside(one.name, one.city)) for one in clinics]
        form.locale.choices = list(text.LANGUAGES.items())
        return form


class PracticeForm(PricedForm[PracticeShape]):
    """A doctor starts to practise at a clinic."""

    shape = PracticeShape
    priced = "fee_minor"

    clinic_id = SelectField(_("Clinic"))

    @classmethod
    def fresh(cls, clinics: Sequence[Clinic]) -> PracticeForm:
        form = cls()
        form.clinic_id.choices = [(str(one.id), text.beside(one.name, one.city)) for one in clinics]
        form.price.label.text = str(_("Fee"))
        form.in_currency(_currency_of(form.clinic_id.data, clinics))
        return form


def _currency_of(clinic_id: str | None, clinics: Sequence[Clinic]) -> str:
    chosen = [one for one in clinics if str(one.id) == clinic_id] or list(clinics)
    return chosen[0].currency if chosen else "DZD"

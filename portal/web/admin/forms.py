"""The forms of the back office."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from flask import request
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import money, text
from portal.core.errors import Invalid
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.clinics.shapes import WEEKDAYS, ClinicShape, HolidayShape, MemberShape, zones
from portal.domain.doctors.models import Doctor, Specialty
from portal.domain.doctors.profile_shapes import LANGUAGES, DoctorInvitation, PracticeShape, ProfileShape
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.shapes import VisitTypeShape
from portal.web import terms, times
from portal.web.forms import AnyShape, ShapeForm

HOURS = "08:00-12:00, 13:00-17:00"
CURRENCIES = ("DZD", "TND", "MAD", "EUR", "USD", "GBP", "CHF")
SPANS = (0, 30, 60, 120, 240, 720, 1440, 2880, 4320, 10080)  # minutes
NUMBER = {"inputmode": "numeric"}


class CheckList(SelectMultipleField):
    """Several choices, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ClinicForm(ShapeForm[ClinicShape]):
    """A clinic; each day's hours in one line."""

    shape = ClinicShape

    name = StringField(_("Name"))
    address = StringField(_("Street and number"), render_kw={"autocomplete": "off"})
    postcode = StringField(_("Postcode"))
    city = StringField(_("City"))
    region = StringField(_("Region"))
    latitude = StringField(_("Latitude"), render_kw={"inputmode": "decimal"})
    longitude = StringField(_("Longitude"), render_kw={"inputmode": "decimal"})
    time_zone = SelectField(_("Time zone"))
    phone = TelField(_("Phone"), render_kw={"autocomplete": "off"})
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "off"})
    currency = SelectField(_("Currency"))
    mon = StringField()
    tue = StringField()
    wed = StringField()
    thu = StringField()
    fri = StringField()
    sat = StringField()
    sun = StringField()

    @classmethod
    def fresh(cls, clinic: Clinic | None = None) -> ClinicForm:
        """The form for a clinic or for a new one."""
        form = cls(data=_clinic_said(clinic) if clinic else {"time_zone": "Africa/Algiers", "currency": "DZD"})
        form.time_zone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(zones())]
        form.currency.choices = [(code, code) for code in CURRENCIES]
        for number, day in enumerate(WEEKDAYS):
            form[day].label.text = times.weekday_names()[number].capitalize()
            form[day].render_kw = {"placeholder": HOURS, "dir": "ltr", "autocomplete": "off"}
        return form

    @property
    def days(self) -> list[Any]:
        """The fields of the opening hours, Monday first."""
        return [self[day] for day in WEEKDAYS]


class HolidayForm(ShapeForm[HolidayShape]):
    """A date on which the clinic is closed."""

    shape = HolidayShape

    day = DateField(_("Date"))
    name = StringField(_("Name"), render_kw={"autocomplete": "off"})
    keep_visits = BooleanField(_("Keep the visits booked on this day"))


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
        form.clinic.choices = [(str(one.id), f"{one.name}, {one.city}") for one in clinics]
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


class VisitTypeForm(PricedForm[VisitTypeShape]):
    """What is booked, and the policy of booking it."""

    shape = VisitTypeShape

    name = StringField(_("Name"))
    name_fr = StringField(_("Name in French"))
    name_ar = StringField(_("Name in Arabic"), render_kw={"dir": "rtl", "lang": "ar"})
    mode = SelectField(_("How"))
    duration = IntegerField(_("Length in minutes"), render_kw=NUMBER)
    buffer_before = IntegerField(_("Minutes free before"), render_kw=NUMBER)
    buffer_after = IntegerField(_("Minutes free after"), render_kw=NUMBER)
    bookable_by = SelectField(_("Who can book it"))
    confirms = SelectField(_("How it is confirmed"))
    lead_minutes = SelectField(_("Book at least this long ahead"))
    horizon_days = IntegerField(_("Days ahead that can be booked"), render_kw=NUMBER)
    cutoff_minutes = SelectField(_("Patients cancel and move until"))
    most_moves = IntegerField(_("Moves per visit"), render_kw=NUMBER)
    most_upcoming = IntegerField(_("Upcoming visits per patient"), render_kw=NUMBER)
    most_per_day = IntegerField(_("Visits a day per doctor"), render_kw=NUMBER)
    is_active = BooleanField(_("Can be booked"))

    @classmethod
    def fresh(cls, currency: str, kind: VisitType | None = None) -> VisitTypeForm:
        """The form for a visit type or for a new one."""
        known = VisitTypeShape.model_fields
        said = {name: getattr(kind, name) for name in known} if kind else _defaults()
        form = cls(data={name: "" if value is None else value for name, value in said.items()})
        form.in_currency(currency, kind.price_minor if kind else None)
        form.mode.choices = terms.choices(terms.MODES)
        form.bookable_by.choices = terms.choices(terms.BOOKABLE_BY)
        form.confirms.choices = terms.choices(terms.CONFIRMS)
        form.lead_minutes.choices = _spans(said["lead_minutes"], _("no time ahead"))
        form.cutoff_minutes.choices = _spans(said["cutoff_minutes"], _("the start of the visit"))
        return form


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
        named = sorted((one.name_in(text.language()), one.code) for one in specialties)
        self.specialties.choices = [(code, name) for name, code in named]
        self.languages.choices = [(code, times.language_name(code)) for code in LANGUAGES]
        self.gender.choices = [(code, str(word)) for code, word in terms.SEXES.items()]


class ProfileForm(DoctorFields[ProfileShape]):
    """A doctor's profile."""

    shape = ProfileShape

    @classmethod
    def fresh(cls, specialties: Sequence[Specialty], doctor: Doctor) -> ProfileForm:
        said = {name: getattr(doctor, name) for name in ProfileShape.model_fields}
        said["specialties"] = [one.code for one in doctor.specialties]
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
        form.clinic_id.choices = [(str(one.id), f"{one.name}, {one.city}") for one in clinics]
        form.locale.choices = list(text.LANGUAGES.items())
        form.price.label.text = str(_("Fee"))
        form.in_currency(_currency_of(form.clinic_id.data, clinics))
        return form


class PracticeForm(PricedForm[PracticeShape]):
    """A doctor starts to practise at a clinic."""

    shape = PracticeShape
    priced = "fee_minor"

    clinic_id = SelectField(_("Clinic"))

    @classmethod
    def fresh(cls, clinics: Sequence[Clinic]) -> PracticeForm:
        form = cls()
        form.clinic_id.choices = [(str(one.id), f"{one.name}, {one.city}") for one in clinics]
        form.price.label.text = str(_("Fee"))
        form.in_currency(_currency_of(form.clinic_id.data, clinics))
        return form


def _spans(present: int, nothing: Any) -> list[tuple[str, str]]:
    known = sorted({*SPANS, int(present)})
    return [(str(n), text.format_span(timedelta(minutes=n)) if n else str(nothing)) for n in known]


def _defaults() -> dict[str, Any]:
    fields = VisitTypeShape.model_fields
    return {name: None if field.is_required() else field.default for name, field in fields.items()}


def _currency_of(clinic_id: str | None, clinics: Sequence[Clinic]) -> str:
    chosen = [one for one in clinics if str(one.id) == clinic_id] or list(clinics)
    return chosen[0].currency if chosen else "DZD"


def _clinic_said(clinic: Clinic) -> dict[str, Any]:
    said = {name: getattr(clinic, name) for name in ClinicShape.model_fields if name not in WEEKDAYS}
    hours = {day: ", ".join("-".join(span) for span in clinic.opening_hours.get(day, ())) for day in WEEKDAYS}
    return {name: "" if value is None else value for name, value in {**said, **hours}.items()}

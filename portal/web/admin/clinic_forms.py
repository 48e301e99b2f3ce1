"""The forms of a clinic: the clinic itself, its visit types, rooms and devices, holidays and closed hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
    TimeField,
)

from portal.core import text
from portal.core.errors import Invalid, Refused
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic, Resource, ResourceGroup
from portal.domain.clinics.shapes import (
    WEEKDAYS,
    ClinicShape,
    GroupShape,
    HolidayShape,
    ResourceShape,
    countries,
    zones,
)
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.shapes import ClosureShape, TakeHolidays, VisitTypeShape
from portal.web import terms, times
from portal.web.admin.forms import NUMBER, CheckList, PricedForm
from portal.web.forms import DateField, ShapeForm

HOURS = "08:00-12:00, 13:00-17:00"
CURRENCIES = ("DZD", "TND", "MAD", "EUR", "USD", "GBP", "CHF")
SPANS = (0, 30, 60, 120, 240, 720, 1440, 2880, 4320, 10080)  # minutes
ONE_A_LINE = {"rows": 3, "dir": "ltr", "spellcheck": "false", "autocomplete": "off"}
QUARTER = {"step": 900}
_FIELDS = ClinicShape.model_fields
_LISTS = {*WEEKDAYS, "embed_origins"}  # written as text
NEW_CLINIC = {name: field.default for name, field in _FIELDS.items() if not field.is_required() and name not in _LISTS}


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
    country = SelectField(_("Country"))
    quiet_from = TimeField(_("Quiet from"), render_kw=QUARTER)
    quiet_until = TimeField(_("Quiet until"), render_kw=QUARTER)
    late_minutes = IntegerField(_("Minutes late that still count as on time"), render_kw=NUMBER)
    no_show_minutes = IntegerField(_("Minutes after which a visit counts as missed"), render_kw=NUMBER)
    offer_minutes = IntegerField(_("Minutes an offer from the waiting list lasts"), render_kw=NUMBER)
    has_board = BooleanField(_("Show queue numbers on a public board"))
    embed_origins = TextAreaField(_("Sites that may show the booking pages"), render_kw=ONE_A_LINE)
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
        form = cls(data=_clinic_said(clinic) if clinic else NEW_CLINIC)
        form.time_zone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(zones())]
        form.country.choices = _countries()
        form.currency.choices = [(code, code) for code in CURRENCIES]
        for number, day in enumerate(WEEKDAYS):
            form[day].label.text = times.weekday_names()[number].capitalize()
            form[day].render_kw = {"placeholder": HOURS, "dir": "ltr", "autocomplete": "off"}
        return form

    def refuse(self, no: Refused) -> None:
        """As every form; what is wrong with one site stands beside the field they are in."""
        fields = {name.partition(".")[0]: sentence for name, sentence in no.fields.items()}
        super().refuse(Invalid(no.sentence, fields=fields) if fields else no)

    @property
    def days(self) -> list[Any]:
        """The fields of the opening hours, Monday first."""
        return [self[day] for day in WEEKDAYS]


class HolidayForm(ShapeForm[HolidayShape]):
    """A date on which the clinic is closed."""

    shape = HolidayShape

    day = DateField(_("Date"))
    name = StringField(_("Name"), render_kw={"autocomplete": "off"})


class TakeHolidaysForm(ShapeForm[TakeHolidays]):
    """Public holidays to take over; the boxes are drawn by the page."""

    shape = TakeHolidays

    year = HiddenField()
    language = HiddenField()
    days = CheckList(_("Public holidays"))


class ClosureForm(ShapeForm[ClosureShape]):
    """Hours or days for which a whole clinic is closed."""

    shape = ClosureShape

    first = DateField(_("First day"))
    last = DateField(_("Last day"))
    starts = TimeField(_("From (empty: the whole day)"), render_kw=QUARTER)
    ends = TimeField(_("Until (empty: the whole day)"), render_kw=QUARTER)
    note = StringField(_("Note for the clinic’s people"))


class GroupForm(ShapeForm[GroupShape]):
    """A sort of room or device."""

    shape = GroupShape

    kind = SelectField(_("What it is"))
    name = StringField(_("Name"), render_kw={"autocomplete": "off", "placeholder": _("Treatment room")})

    @classmethod
    def fresh(cls, group: ResourceGroup | None = None, *, sent: bool = True) -> GroupForm:
        """The form for a group or for a new one; without `sent` what came belongs to another form."""
        form = cls(obj=group) if sent else cls(formdata=None, obj=group)
        form.kind.choices = [(code, str(word)) for code, word in terms.RESOURCE_KINDS.items()]
        return form


class ResourceForm(ShapeForm[ResourceShape]):
    """One room or device."""

    shape = ResourceShape

    name = StringField(_("Name"), render_kw={"autocomplete": "off"})
    places = IntegerField(_("Visits at the same time"), default=1, render_kw=NUMBER)

    @classmethod
    def fresh(cls, one: Resource | None = None, *, sent: bool = True) -> ResourceForm:
        """The form for a room or device or for a new one; `sent` as above."""
        return cls(obj=one) if sent else cls(formdata=None, obj=one)


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
    needs = CheckList(_("Needs one of each"))
    is_active = BooleanField(_("Can be booked"))

    @classmethod
    def fresh(cls, currency: str, groups: Iterable[ResourceGroup], kind: VisitType | None = None) -> VisitTypeForm:
        """The form for a visit type or for a new one; `groups` are the clinic's rooms and devices."""
        known = VisitTypeShape.model_fields
        said = {name: getattr(kind, name) for name in known} if kind else _defaults()
        said["needs"] = [str(group.id) for group in kind.needs] if kind else []
        form = cls(data={name: "" if value is None else value for name, value in said.items()})
        form.needs.choices = [(str(group.id), group.name) for group in groups]
        form.in_currency(currency, kind.price_minor if kind else None)
        form.mode.choices = terms.choices(terms.MODES)
        form.bookable_by.choices = terms.choices(terms.BOOKABLE_BY)
        form.confirms.choices = terms.choices(terms.CONFIRMS)
        form.lead_minutes.choices = _spans(said["lead_minutes"], _("no time ahead"))
        form.cutoff_minutes.choices = _spans(said["cutoff_minutes"], _("the start of the visit"))
        return form


def day_words(day: date) -> str:
    """A date with its weekday and year."""
    return text.format_date(day, "full")


def country_name(code: str) -> str:
    """A country's name in the reader's language."""
    return str(text.locale().territories.get(code, code))


def _countries() -> list[tuple[str, str]]:
    return text.in_order(((code, country_name(code)) for code in countries()), name=lambda pair: pair[1])


def _spans(present: int, nothing: Any) -> list[tuple[str, str]]:
    known = sorted({*SPANS, int(present)})
    return [(str(n), text.format_span(timedelta(minutes=n)) if n else str(nothing)) for n in known]


def _defaults() -> dict[str, Any]:
    fields = VisitTypeShape.model_fields
    return {name: None if field.is_required() else field.default for name, field in fields.items()}


def _clinic_said(clinic: Clinic) -> dict[str, Any]:
    said = {name: getattr(clinic, name) for name in ClinicShape.model_fields if name not in WEEKDAYS}
    said["embed_origins"] = "\n".join(clinic.embed_origins)
    hours = {day: ", ".join("-".join(span) for span in clinic.opening_hours.get(day, ())) for day in WEEKDAYS}
    return {name: "" if value is None else value for name, value in {**said, **hours}.items()}

"""The forms of the public pages."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from flask import request
from wtforms import HiddenField, RadioField, SearchField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from portal.core import clock, text
from portal.core.text import lazy as _
from portal.core.text import lazy_pgettext
from portal.domain.doctors.cards import Facets
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling.shapes import BookAppointment, PlaceHold
from portal.web import times
from portal.web.forms import DateField, ShapeForm

MODES = {"in_person": _("At the clinic"), "video": _("By video"), "phone": _("By phone")}
GENDERS = {"female": _("A woman"), "male": _("A man")}
SORTS = {
    "soonest": _("Soonest free time"),
    "rating": _("Best reviews"),
    "name": _("Name"),
    "distance": _("Nearest to the city"),
}
DISTANCES = (5, 10, 20, 50, 100)  # km around a city
RATINGS = {"4": _("4 and more"), "3": _("3 and more")}


class SearchForm(ShapeForm[DirectoryQuery]):
    """What is asked of the directory; a GET form whose answers live in the address."""

    shape = DirectoryQuery

    class Meta:
        csrf = False

    specialty = SelectField(_("Specialty"))
    name = SearchField(_("Doctor's name"), render_kw={"autocomplete": "off", "enterkeyhint": "search"})
    city = SelectField(_("City"))
    within_km = SelectField(_("Around the city"))
    before = DateField(_("Free on or before"))
    clinic = SelectField(_("Clinic"))
    language = SelectField(_("Speaks"))
    gender = SelectField(_("Doctor is"))
    mode = SelectField(lazy_pgettext("mode", "Visit"))
    rating = SelectField(_("Reviews"))
    sort = SelectField(_("Order"))

    @classmethod
    def over(cls, facets: Facets) -> SearchForm:
        """The form with the choices there are, filled in from the address."""
        form = cls(formdata=request.args)
        anything = SelectChoice("", str(_("Any")))
        language = text.language()
        specialties = text.in_order(facets.specialties, name=lambda one: one.name_in(language))
        spoken = text.in_order(facets.languages, name=times.language_name)
        form.specialty.choices = [anything, *(SelectChoice(one.code, one.name_in(language)) for one in specialties)]
        form.city.choices = [anything, *(SelectChoice(city, city) for city in text.in_order(facets.cities))]
        form.within_km.choices = [SelectChoice("", str(_("Only in the city"))), *_distances()]
        clinics = text.in_order(facets.clinics, name=itemgetter(1))
        form.clinic.choices = [anything, *(SelectChoice(slug, name) for slug, name in clinics)]
        form.language.choices = [anything, *(SelectChoice(code, times.language_name(code)) for code in spoken)]
        form.gender.choices = [anything, *_said(GENDERS)]
        form.mode.choices = [anything, *_said(MODES)]
        form.rating.choices = [anything, *_said(RATINGS)]
        form.sort.choices = _said(SORTS)
        form.before.render_kw = {"min": clock.today(clock.home()).isoformat()}
        return form


class TimeForm(ShapeForm[PlaceHold]):
    """A time that is chosen; practice and visit type are in the address."""

    shape = PlaceHold

    starts_at = StringField(_("Time"))


class DetailsForm(ShapeForm[BookAppointment]):
    """Who comes and why. What is booked travels with the form, so that nothing typed is lost with an expired hold."""

    shape = BookAppointment

    practice_id = HiddenField()
    visit_type_id = HiddenField()
    starts_at = HiddenField()
    hold_token = HiddenField()
    patient_id = RadioField(_("Who is the visit for?"), validate_choice=False)
    reason = TextAreaField(_("Why are you coming?"))


def asked_for() -> dict[str, str]:
    """What the address asks of the directory: known keys only and nothing empty."""
    known = (key for key in DirectoryQuery.model_fields if key != "limit")
    return {key: value for key in known if (value := request.args.get(key, "").strip())}


def _distances() -> list[SelectChoice]:
    return [SelectChoice(str(km), text.gettext("%(km)s km", km=text.format_number(km))) for km in DISTANCES]


def _said(words: dict[str, Any]) -> list[SelectChoice]:
    return [SelectChoice(code, str(word)) for code, word in words.items()]

"""The forms of arranging visits for somebody, at the desk and on a doctor's pages."""

from __future__ import annotations

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
)
from wtforms.fields.choices import SelectChoice

from portal.core.text import LANGUAGES, beside
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.patients.desk_shapes import PatientAtDesk
from portal.domain.patients.models import Patient
from portal.domain.patients.request_shapes import ChangeAtDesk
from portal.domain.scheduling.desk_shapes import (
    BookFor,
    BookSeries,
    CancelVisits,
    MoveFor,
    SeriesQuestion,
)
from portal.web import terms
from portal.web.forms import DateField, ShapeForm

AT_DESK = {"doctor_away": _("The doctor is away"), "no_time": _("The patient has no time")}
DESK_ORDER = ("no_time", "better", "elsewhere", "mistake", "doctor_away", "clinic_closed", "other")
OFF = {"autocomplete": "off"}  # it is somebody else's, never the one's who types


class PatientForm(ShapeForm[PatientAtDesk]):
    """Somebody at the desk: who they are and how they are reached."""

    shape = PatientAtDesk

    given_name = StringField(_("First name"), render_kw=OFF)
    family_name = StringField(_("Family name"), render_kw=OFF)
    birth_date = DateField(_("Date of birth"), render_kw=OFF)
    sex = SelectField(_("Sex"))
    phone = TelField(_("Phone"), render_kw={**OFF, "inputmode": "tel"})
    email = EmailField(_("E-mail"), render_kw=OFF)
    language = SelectField(_("Language of messages"))

    @classmethod
    def fresh(cls, patient: Patient | None = None, **kwargs: Any) -> PatientForm:
        """The form with its choices, filled in from a patient when there is one."""
        form = cls(data=_said(patient) if patient else {"sex": "unknown", "language": "fr"}, **kwargs)
        form.sex.choices = terms.choices(terms.SEXES)
        form.language.choices = list(LANGUAGES.items())
        return form


class ChangeForm(PatientForm):
    """A patient's data as the desk knows them now."""

    shape = ChangeAtDesk

    on_paper = BooleanField(_("There is a signed paper; a colleague will confirm it"))


class BookForForm(ShapeForm[BookFor]):
    """The last screen: everything chosen travels along, only reasons are typed."""

    shape = BookFor

    patient_id = HiddenField()
    practice_id = HiddenField()
    visit_type_id = HiddenField()
    starts_at = HiddenField()
    seen = HiddenField()
    reason = TextAreaField(_("What is it about?"))
    overbook = StringField(_("Why do you book over it?"), render_kw=OFF)


class MoveForForm(ShapeForm[MoveFor]):
    """The new time of somebody's visit."""

    shape = MoveFor

    starts_at = StringField(_("New time"))
    version = HiddenField()
    practice_id = HiddenField()
    seen = HiddenField()
    overbook = StringField(_("Why do you book over it?"), render_kw=OFF)


class SeriesForm(ShapeForm[SeriesQuestion]):
    """How often; a GET form whose answers live in the address."""

    shape = SeriesQuestion

    class Meta:
        csrf = False

    patient_id = HiddenField()
    practice_id = HiddenField()
    visit_type_id = HiddenField()
    starts_at = HiddenField()
    every = IntegerField(_("Every"), render_kw={"inputmode": "numeric"}, default=1)
    unit = SelectField(
        _("Days or weeks"),
        choices=lambda: [SelectChoice("weeks", str(_("weeks"))), SelectChoice("days", str(_("days")))],
        default="weeks",
    )
    count = IntegerField(_("Number of visits"), render_kw={"inputmode": "numeric"}, default=6)


class BookSeriesForm(ShapeForm[BookSeries]):
    """The times that were chosen."""

    shape = BookSeries

    patient_id = HiddenField()
    practice_id = HiddenField()
    visit_type_id = HiddenField()
    every_days = HiddenField()
    reason = TextAreaField(_("What is it about?"))


class CancelVisitsForm(ShapeForm[CancelVisits]):
    """Why a visit is called off, and whether those that follow are, too."""

    shape = CancelVisits

    code = SelectField(_("Reason"))
    text = TextAreaField(_("Message to the patient"), render_kw={"rows": 3})
    following = BooleanField(_("Also all visits of the series that follow"))
    version = HiddenField()

    @classmethod
    def fresh(cls, **kwargs: Any) -> CancelVisitsForm:
        form = cls(**kwargs)
        form.code.choices = terms.choices(terms.CANCEL_CODES)
        return form

    def at_desk(self) -> CancelVisitsForm:
        """The same, in the words and the order of the desk: it is the patient who calls most often."""
        self.code.choices = terms.choices({code: AT_DESK.get(code, terms.CANCEL_CODES[code]) for code in DESK_ORDER})
        return self


def place_choices(clinics: list[Clinic]) -> list[tuple[str, str]]:
    """The clinics to choose from."""
    return [(str(clinic.id), beside(clinic.name, clinic.city)) for clinic in clinics]


def _said(patient: Patient) -> dict[str, Any]:
    return {
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "phone": patient.phone,
        "email": patient.email,
        "language": patient.preferred_language,
    }

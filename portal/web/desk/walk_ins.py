"""Walk-ins at the desk: find or enter the patient, choose the doctor, and they are on the list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, EmailField, HiddenField, SelectField, StringField, TelField

from portal.core import phones
from portal.core.errors import NotFound, Refused
from portal.core.text import gettext as say
from portal.core.text import language
from portal.core.text import lazy as _
from portal.domain.day import walk_ins
from portal.domain.day.shapes import WalkIn
from portal.domain.patients import desk as patients
from portal.domain.patients.desk_shapes import PatientAtDesk
from portal.domain.patients.models import Patient
from portal.web import htmx, searching, terms
from portal.web.desk import bp
from portal.web.desk.typed import begin_with
from portal.web.forms import DateField, ShapeForm
from portal.web.gate import actor

PAGE = ("desk/day/walk_in.html", "desk/day/_walk_in.html")


class WalkInForm(ShapeForm[WalkIn]):
    """To whom and for what."""

    shape = WalkIn

    patient_id = HiddenField()
    practice_id = SelectField(_("Doctor"), validate_choice=False)
    visit_type_id = SelectField(_("Visit type"), validate_choice=False)
    reason = StringField(_("What is it about?"), render_kw={"autocomplete": "off"})
    urgent = BooleanField(_("Goes first"), description=_("Only if they cannot wait."))


class NewPatientForm(ShapeForm[PatientAtDesk]):
    """Somebody the clinic does not know yet."""

    shape = PatientAtDesk

    given_name = StringField(_("First name"), render_kw={"autocomplete": "off"})
    family_name = StringField(_("Family name"), render_kw={"autocomplete": "off"})
    birth_date = DateField(_("Date of birth"), render_kw={"autocomplete": "off"})
    sex = SelectField(_("Sex"), choices=lambda: terms.choices(terms.SEXES), default="unknown")
    phone = TelField(_("Phone"), render_kw={"autocomplete": "off", "inputmode": "tel"})
    email = EmailField(_("E-mail"), render_kw={"autocomplete": "off"})


@bp.get("/walk-ins/new")
def new_walk_in() -> Response:
    """First who (?search= looks, ?patient= is the one), then to which doctor (?doctor= is suggested)."""
    return htmx.page(PAGE[0], fragment="desk/day/_found.html", **_context())


searching.mount(bp, "/walk-ins/search", "new_walk_in", endpoint="search_walk_in", kept=("clinic", "doctor"))


@bp.post("/walk-ins")
def add_walk_in() -> AnyResponse:
    """Put the patient on the doctor's list, checked in and with a number."""
    form = WalkInForm()
    if not form.accepted():
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **_context(form=form))
    try:
        made = walk_ins.add(actor(), **form.clean.values())
    except NotFound:
        raise
    except Refused as no:
        form.refuse(no)
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_context(form=form))
    sentence = say("%(doctor)s: number %(number)s.", doctor=made.doctor.name, number=made.queue_number)
    return htmx.done(url_for("desk.day", clinic=made.clinic.slug), sentence)


@bp.post("/walk-ins/patients")
def enter_walk_in() -> AnyResponse:
    """Enter somebody the clinic does not know yet, then choose the doctor for them."""
    clinic = walk_ins.clinic(actor(), request.form.get("clinic") or None)
    form = NewPatientForm()
    with phones.at(clinic.country):
        accepted = form.accepted()
    if not accepted:
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **_context(new=form))
    try:
        patient, _known = patients.enter(
            actor(), clinic.id, as_new=request.form.get("as_new") == "yes", **form.clean.values()
        )
    except patients.LikelyKnown as no:
        alike = patients.by_ids(actor(), no.facts["patients"])
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_context(new=form, alike=alike))
    doctor = request.form.get("doctor") or None
    return htmx.see_other(url_for("desk.new_walk_in", clinic=clinic.slug, patient=patient.id, doctor=doctor))


def _context(
    form: WalkInForm | None = None, new: NewPatientForm | None = None, alike: list[Patient] | None = None
) -> dict[str, Any]:
    """Who was looked for or chosen, and the form that follows; `alike` may be the one who is being entered."""
    clinic = walk_ins.clinic(actor(), request.values.get("clinic") or None)
    typed = searching.typed()
    wanted = request.values.get("patient") or request.form.get("patient_id")
    patient = patients.get(actor(), wanted) if wanted else None
    doctor = request.values.get("doctor") or None
    return {
        "clinic": clinic,
        "q": typed,
        "found": patients.search(actor(), typed) if typed and not patient else [],
        "patient": patient,
        "alike": alike or [],
        "doctor": doctor,
        "form": _choices(form, clinic.id, doctor) if patient else None,
        "new": new or _entering(typed),
        "sealed": searching.kept(),
    }


def _entering(typed: str) -> NewPatientForm:
    """The form for somebody new, begun with what was searched for."""
    form = NewPatientForm(formdata=None)
    begin_with(form, typed)
    return form


def _choices(form: WalkInForm | None, clinic_id: UUID, doctor: str | None) -> WalkInForm:
    """The form with the clinic's doctors and types to choose from; a fresh one suggests the doctor."""
    practices = walk_ins.practices(actor(), clinic_id)
    shown = form or WalkInForm(formdata=None)
    shown.practice_id.choices = [(str(one.id), one.doctor.name) for one in practices]
    shown.visit_type_id.choices = [(str(one.id), one.name_in(language())) for one in walk_ins.visit_types(clinic_id)]
    if form is None:
        shown.practice_id.data = next((str(one.id) for one in practices if str(one.doctor_id) == doctor), None)
    return shown

"""Patients at the desk: found while one types, entered, kept right, and their visits here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import phones
from portal.core.errors import Forbidden, Invalid, Refused, refuse
from portal.core.policy import as_id
from portal.core.text import gettext as say
from portal.domain.clinics.models import Clinic
from portal.domain.patients import desk as patients
from portal.domain.patients import merging, requests
from portal.domain.patients.models import Patient
from portal.domain.scheduling import desk, health
from portal.web import htmx, searching, terms, times
from portal.web.desk import bp
from portal.web.desk.family import waits
from portal.web.desk.typed import begin_with
from portal.web.gate import actor
from portal.web.shared.arranging import KEPT
from portal.web.shared.arranging_forms import ChangeForm, PatientForm, place_choices

INDEX = ("desk/patients/index.html", "desk/patients/_found.html")
CARD = "desk/patients/show.html"
FORM = "desk/patients/form.html"


@bp.get("/patients", endpoint="patients")
def search() -> Response:
    """The search; without anything typed it says how."""
    typed, sealed = searching.typed(), searching.kept()
    found = desk.search(actor(), typed) if typed else []
    about: dict[str, Any] = {"q": typed, "sealed": sealed, "found": found, "waiting": len(requests.of_clinics(actor()))}
    return htmx.page(INDEX[0], fragment=INDEX[1], terms=terms, times=times, **about)


searching.mount(bp, "/patients/search", "patients", endpoint="search_patients")


@bp.get("/patients/<uuid:key>")
def patient(key: UUID) -> AnyResponse:
    """One patient: contact, visits to come and past ones at one's clinics."""
    card = desk.card(actor(), key, request.args.get("after") or None)
    if card.patient.id != key:  # it became part of this one
        return htmx.see_other(url_for("desk.patient", key=card.patient.id))
    context: dict[str, Any] = {
        "health": health.of(actor(), card.patient),
        "older_url": url_for("desk.patient", key=key, after=card.past.next) if card.past.next else None,
        "may_change": patients.may_change(actor(), card.patient),
        "waiting": requests.open_about(actor(), card.patient.id),
        "joins": merging.of_patient(actor(), card.patient.id),
        "may_exist_elsewhere": patients.may_exist_elsewhere(actor(), card.patient),
    }
    return htmx.page(CARD, card=card, patient=card.patient, terms=terms, times=times, **context)


@bp.get("/patients/new")
def new_patient() -> Response:
    """Somebody the clinic does not know yet; ?search= is what was searched for."""
    form = PatientForm.fresh()
    begin_with(form, searching.typed())
    return _form_page(form)


@bp.post("/patients/new")
def add_patient() -> AnyResponse:
    """Enter them; who is likely the same is shown first."""
    form, clinic = PatientForm.fresh(), _place()
    with phones.at(clinic.country):
        accepted = form.accepted()
    if not accepted:
        return _form_page(form, Invalid(fields=form.errors))
    as_new = request.form.get("as_new") == "yes"
    try:
        entered, may_exist = patients.enter(actor(), clinic.id, as_new=as_new, **form.clean.values())
    except patients.LikelyKnown as no:
        return _form_page(form, no, alike=patients.by_ids(actor(), no.facts["patients"]))
    except Refused as no:
        form.refuse(no)
        return _form_page(form, no)
    said = say("%(name)s is entered.", name=entered.name)
    if may_exist:
        said += " " + say("Somebody like this may exist in the portal: on the patient's page you can ask them.")
    return htmx.done(_next_url(entered.id), said)


@bp.get("/patients/<uuid:key>/edit")
def edit_patient(key: UUID) -> Response:
    found = patients.get(actor(), key)
    return _form_page(ChangeForm.fresh(found), patient=found)


@bp.post("/patients/<uuid:key>/edit")
def change_patient(key: UUID) -> AnyResponse:
    found, form = patients.get(actor(), key), ChangeForm.fresh()
    if not form.accepted():
        return _form_page(form, Invalid(fields=form.errors), patient=found)
    try:
        _patient, asked = patients.change(actor(), key, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return _form_page(form, no, patient=found)
    return htmx.done(url_for("desk.patient", key=key), waits(on_paper=asked.on_paper) if asked else say("Kept."))


def _form_page(
    form: PatientForm, no: Refused | None = None, *, patient: Patient | None = None, alike: list[Patient] | None = None
) -> Response:
    kept = {key: value for key in (*KEPT, "then") if (value := request.values.get(key))}
    context: dict[str, Any] = {
        "form": form,
        "patient": patient,
        "alike": alike or [],
        "places": place_choices(_clinics()) if patient is None else [],
        "chosen": request.values.get("clinic_id"),
        "kept": kept,
        "next_url": _next_url,
        "back_url": url_for("desk.patient", key=patient.id) if patient else url_for("desk.patients"),
        "terms": terms,
    }
    return htmx.page(FORM, status=no.status if no else 200, **context)


def _next_url(patient_id: UUID) -> str:
    """On to the booking or the place on the waitlist that was begun, else to the patient's card."""
    if request.values.get("then") == "wait":
        return url_for("desk.new_waiting", patient=patient_id)
    if request.values.get("then") != "book":
        return url_for("desk.patient", key=patient_id)
    kept: dict[str, Any] = {key: value for key in KEPT if key != "patient_id" and (value := request.values.get(key))}
    return url_for("desk.book", patient_id=patient_id, **kept)


def _clinics() -> list[Clinic]:
    return patients.clinics(actor()) or refuse(
        Forbidden, say("You are not at the desk of a clinic yet. Ask its admin to add you.")
    )


def _place() -> Clinic:
    """The clinic whose list it is: the one chosen, or the only one."""
    mine, wanted = _clinics(), request.form.get("clinic_id")
    if not wanted:
        return mine[0]
    return next((one for one in mine if one.id == as_id(wanted)), None) or refuse(Forbidden)

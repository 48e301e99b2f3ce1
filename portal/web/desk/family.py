"""Who looks after a patient, as the front desk arranges it: consents given on paper, which count for the clinic's own
part, and records handed over."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.policy import allow, find
from portal.core.text import gettext as say
from portal.domain.clinics.models import Clinic
from portal.domain.patients import care, family, inviting
from portal.domain.patients.models import Patient
from portal.web import htmx, times
from portal.web.desk import bp
from portal.web.gate import actor
from portal.web.patient.family_forms import RELATIONS, SCOPES, AtClinicForm, HandOverForm

PAGE = "desk/family/show.html"


@bp.get("/patients/<uuid:key>/family")
def patient_family(key: UUID) -> Response:
    """Who looks after this patient, and the forms to enter somebody or to hand the record over."""
    return htmx.page(PAGE, **_about(key))


@bp.post("/patients/<uuid:key>/family")
def enter_carer(key: UUID) -> AnyResponse:
    """A consent given on paper: this account may act for the patient at the clinic from now on."""
    form = AtClinicForm.among(_clinics(key))
    if not form.accepted():
        return htmx.page(PAGE, status=422, **_about(key, form=form))
    try:
        held = family.enter(actor(), key, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.page(PAGE, status=no.status, **_about(key, form=form))
    clinic = held.clinic.name if held.clinic else ""
    said = say("%(name)s may act at %(clinic)s from now on. Both get a message.", name=held.user.name, clinic=clinic)
    return htmx.done(url_for("desk.patient_family", key=key), said)


@bp.post("/patients/<uuid:key>/hand-over")
def hand_record_over(key: UUID) -> AnyResponse:
    """Ask the patient themselves to take their record into their own hands."""
    form = HandOverForm()
    if not form.accepted():
        return htmx.page(PAGE, status=422, **_about(key, own_form=form))
    try:
        inviting.hand_over(actor(), key, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.page(PAGE, status=no.status, **_about(key, own_form=form))
    said = say("We have written to %(email)s. The record is theirs once they accept.", email=form.clean.email)
    return htmx.done(url_for("desk.patient_family", key=key), said)


@bp.post("/patients/<uuid:key>/family/<uuid:care_id>/end")
def end_care_of(key: UUID, care_id: UUID) -> AnyResponse:
    """Stop what counts for the clinic's own part at once, because the patient says so."""
    family.end(actor(), care_id)
    return htmx.done(url_for("desk.patient_family", key=key), say("Ended, from this moment on."))


def _patient(key: UUID) -> Patient:
    patient = find(actor(), Patient, key)
    allow(care.knows_at_desk(actor(), patient))
    return patient


def _clinics(key: UUID) -> list[Clinic]:
    return care.clinics_at_desk(actor(), _patient(key))


def _about(key: UUID, **forms: Any) -> dict[str, Any]:
    patient, clinics = _patient(key), _clinics(key)
    return {
        "patient": patient,
        "clinics": clinics,
        "carers": family.carers(actor(), key),
        "may_end": partial(care.may_end_at_desk, actor()),
        "form": forms.get("form") or AtClinicForm.among(clinics, formdata=None),
        "own_form": forms.get("own_form") or HandOverForm(formdata=None),
        "may_hand_over": inviting.may_hand_over(actor(), patient),
        "scopes": SCOPES,
        "relations": RELATIONS,
        "times": times,
    }

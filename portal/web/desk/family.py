"""Who looks after a patient, as the front desk arranges it: the patient allows it, or a paper that two people saw."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, EmailField

from portal.core.errors import Refused
from portal.core.policy import allow, find
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.patients import care, family, inviting, requests
from portal.domain.patients.models import Patient
from portal.domain.patients.request_shapes import CarerAtDesk, HandOverAtDesk
from portal.web import htmx, times
from portal.web.desk import bp
from portal.web.forms import ShapeForm
from portal.web.gate import actor
from portal.web.patient.family_forms import RELATIONS, SCOPES, AtClinicForm

PAGE = "desk/family/show.html"


class CarerForm(AtClinicForm):
    """Who should act for the patient in what concerns this clinic, and whether it was signed on paper."""

    shape = CarerAtDesk

    on_paper = BooleanField(_("There is a signed paper; a colleague will confirm it"))


class HandOverForm(ShapeForm[HandOverAtDesk]):
    """To which address the record should be handed over."""

    shape = HandOverAtDesk

    email = EmailField(_("Their own e-mail address"), render_kw={"autocomplete": "off"})
    on_paper = BooleanField(_("There is a signed paper; a colleague will confirm it"))


@bp.get("/patients/<uuid:key>/family")
def patient_family(key: UUID) -> Response:
    """Who looks after this patient, and the forms to ask for a carer or to hand the record over."""
    return htmx.page(PAGE, **_about(key))


@bp.post("/patients/<uuid:key>/family")
def ask_for_carer(key: UUID) -> AnyResponse:
    """Ask the patient whether this person may act for them here, or show the paper to a colleague."""
    form = CarerForm.among(_clinics(key))
    if not form.accepted():
        return htmx.page(PAGE, status=422, **_about(key, form=form))
    try:
        asked = requests.ask_for_carer(actor(), key, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.page(PAGE, status=no.status, **_about(key, form=form))
    return htmx.done(url_for("desk.patient", key=key), waits(on_paper=asked.on_paper))


@bp.post("/patients/<uuid:key>/hand-over")
def hand_record_over(key: UUID) -> AnyResponse:
    """Ask the patient themselves to take their record into their own hands."""
    form = HandOverForm()
    if not form.accepted():
        return htmx.page(PAGE, status=422, **_about(key, own_form=form))
    try:
        asked = requests.ask_to_hand_over(actor(), key, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.page(PAGE, status=no.status, **_about(key, own_form=form))
    sent = say("We have written to %(email)s. The record is theirs once they accept.", email=form.clean.email)
    return htmx.done(url_for("desk.patient", key=key), waits(on_paper=asked.on_paper) if asked else sent)


@bp.post("/patients/<uuid:key>/family/<uuid:care_id>/end")
def end_care_of(key: UUID, care_id: UUID) -> AnyResponse:
    """Stop what counts for the clinic's own part at once, because the patient says so."""
    family.end(actor(), care_id)
    return htmx.done(url_for("desk.patient_family", key=key), say("Ended, from this moment on."))


def waits(*, on_paper: bool) -> str:
    """What is said once a request is on its way."""
    if on_paper:
        return say("A colleague has to confirm the paper. The patient is told and can refuse until then.")
    return say("The patient is asked. It counts once they allow it.")


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
        "form": forms.get("form") or CarerForm.among(clinics, formdata=None),
        "own_form": forms.get("own_form") or HandOverForm(formdata=None, data={"email": patient.email}),
        "may_hand_over": inviting.may_hand_over(actor(), patient),
        "scopes": SCOPES,
        "relations": RELATIONS,
        "times": times,
    }

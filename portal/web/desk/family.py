"""Who looks after a patient, as the front desk arranges it: consents given on paper, and records handed over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.policy import allow, find
from portal.core.text import gettext as say
from portal.domain.patients import care, family, inviting
from portal.domain.patients.models import Patient
from portal.web import htmx, times
from portal.web.desk import bp
from portal.web.gate import actor
from portal.web.patient.family_forms import RELATIONS, SCOPES, CareForm, HandOverForm

PAGE = "desk/family/show.html"


@bp.get("/patients/<uuid:key>/family")
def patient_family(key: UUID) -> Response:
    """Who looks after this patient, and the forms to enter somebody or to hand the record over."""
    return htmx.page(PAGE, **_about(key))


@bp.post("/patients/<uuid:key>/family")
def enter_carer(key: UUID) -> AnyResponse:
    """A consent given on paper: this account may act for the patient from now on."""
    form = CareForm()
    if not form.accepted():
        return htmx.page(PAGE, status=422, **_about(key, form=form))
    try:
        held = family.enter(actor(), key, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.page(PAGE, status=no.status, **_about(key, form=form))
    said = say("%(name)s may act from now on. Both get a message.", name=held.user.name)
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
    """Stop it at once, because the patient says so."""
    family.end(actor(), care_id)
    return htmx.done(url_for("desk.patient_family", key=key), say("Ended, from this moment on."))


def _about(key: UUID, **forms: Any) -> dict[str, Any]:
    patient = find(actor(), Patient, key)
    allow(care.knows_at_desk(actor(), patient))
    return {
        "patient": patient,
        "carers": family.carers(actor(), key),
        "form": forms.get("form") or CareForm(formdata=None),
        "own_form": forms.get("own_form") or HandOverForm(formdata=None),
        "may_hand_over": inviting.may_hand_over(actor(), patient),
        "scopes": SCOPES,
        "relations": RELATIONS,
        "times": times,
    }

"""Who one is: name and language, and for patients what a clinic should know before a visit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for
from werkzeug.wrappers import Response

from portal.core import phones
from portal.core.errors import NotFound, Refused, refuse
from portal.core.text import gettext as say
from portal.core.text import speak
from portal.domain.identity import accounts
from portal.domain.patients import profiles, registering
from portal.domain.patients.models import Patient
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.forms import AllergyForm, DetailsForm, ProfileForm
from portal.web.account.preferences import keep
from portal.web.terms import SEVERITIES

PAGE, ALLERGIES = "account/profile.html", "account/_allergies.html"


@bp.get("/profile")
def profile() -> Response:
    """Everything on one page, each part a form of its own."""
    return htmx.page(PAGE, **_all())


@bp.post("/profile")
def change_profile() -> Response:
    """Change one's name or language."""
    form = ProfileForm()
    if not form.accepted():
        return htmx.page(PAGE, status=422, **_all(about=form))
    profiles.call_me(gate.actor(), **form.clean.values())
    speak(form.clean.locale)
    return keep(htmx.done(url_for("account.profile"), say("Saved.")), "language", form.clean.locale)


@bp.post("/profile/details")
def change_details() -> Response:
    """Change what a clinic should know."""
    form = DetailsForm()
    if not form.accepted():
        return htmx.page(PAGE, status=422, **_all(details=form))
    try:
        profiles.change(gate.actor(), _patient().id, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.page(PAGE, status=no.status, **_all(details=form))
    return htmx.done(url_for("account.profile", _anchor="details"), say("Saved."))


@bp.post("/profile/patient")
def become_patient() -> Response:
    """Give an account that was made for work a patient profile too."""
    registering.become_patient(gate.actor())
    return htmx.done(url_for("account.profile"), say("You can book visits for yourself now."))


@bp.post("/allergies")
def add_allergy() -> Response:
    """Add to the list of what one reacts to."""
    form = AllergyForm()
    if form.accepted():
        try:
            profiles.add_allergy(gate.actor(), _patient().id, **form.clean.values())
        except Refused as no:
            form.refuse(no)
            return htmx.page(PAGE, fragment=ALLERGIES, status=no.status, **_all(allergy=form))
        return _allergies_now(say("Added to your allergies."))
    return htmx.page(PAGE, fragment=ALLERGIES, status=422, **_all(allergy=form))


@bp.post("/allergies/<uuid:key>/remove")
def remove_allergy(key: UUID) -> Response:
    """Take one off the list."""
    profiles.remove_allergy(gate.actor(), key)
    return _allergies_now(say("Removed from your allergies."))


def _allergies_now(said: str) -> Response:
    around: dict[str, Any] = {"allergy": AllergyForm(formdata=None), "severities": SEVERITIES}
    around["allergies"] = profiles.allergies(gate.actor(), _patient().id)
    return htmx.done(url_for("account.profile", _anchor="allergies"), said, fragment=ALLERGIES, **around)


def _patient() -> Patient:
    return profiles.mine(gate.actor()) or refuse(NotFound)


def _all(**forms: Any) -> dict[str, Any]:
    """What the page shows; forms that were not sent hold what is known."""
    actor = gate.actor()
    user, patient = accounts.get(actor.user_id), profiles.mine(actor)
    around: dict[str, Any] = {"user": user, "patient": patient, "severities": SEVERITIES}
    around["about"] = forms.get("about") or ProfileForm(formdata=None, obj=user)
    if patient:
        around["details"] = forms.get("details") or DetailsForm(formdata=None, data=known(patient))
        around["allergy"] = forms.get("allergy") or AllergyForm(formdata=None)
        around["allergies"] = profiles.allergies(actor, patient.id)
    return around


def known(patient: Patient) -> dict[str, Any]:
    """What the form of details holds before anything is changed."""
    contact = patient.emergency_contact
    return {
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "phone": phones.shown(patient.phone),
        "address": patient.address,
        "city": patient.city,
        "blood_group": patient.blood_group or "",
        "conditions": "\n".join(patient.conditions),
        "no_known_allergies": patient.no_known_allergies,
        "contact_name": contact.get("name", ""),
        "contact_phone": phones.shown(contact.get("phone", "")),
        "contact_relation": contact.get("relation", ""),
    }

"""A doctor's own public profile."""

from __future__ import annotations

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import NotFound, Refused, refuse
from portal.core.text import gettext as say
from portal.domain.doctors import profiles
from portal.domain.doctors.models import Doctor
from portal.web import htmx
from portal.web.admin.forms import ProfileForm
from portal.web.doctor import bp
from portal.web.gate import actor

PAGE = "doctor/profile/edit.html"


@bp.get("/profile")
def profile() -> Response:
    """What the public page says of the doctor, to be changed."""
    found = _own()
    return htmx.page(PAGE, form=ProfileForm.fresh(profiles.specialties(), found), doctor=found)


@bp.post("/profile")
def change_profile() -> AnyResponse:
    """Change it; another licence number hides the page until an admin has verified it."""
    found = _own()
    form = ProfileForm.fresh(profiles.specialties(), found)
    if not form.accepted():
        return htmx.page(PAGE, status=422, form=form, doctor=found)
    try:
        changed = profiles.change(actor(), found.id, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, PAGE, form=form, doctor=found)
    if changed.licence_verified_at is None:
        said = say("Saved. Your page is hidden until an admin of your clinic has verified the licence.")
    else:
        said = say("Saved. Your public page shows it now.")
    return htmx.done(url_for("doctor.profile"), said)


def _own() -> Doctor:
    return profiles.get(actor(), actor().doctor_id or refuse(NotFound))

"""A doctor's own public profile."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import NotFound, Refused, refuse
from portal.core.policy import allow
from portal.core.text import gettext as say
from portal.domain.doctors import amendments, profiles
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
    return htmx.page(PAGE, form=ProfileForm.fresh(profiles.specialties(), found), **_around(found))


@bp.post("/profile")
def change_profile() -> AnyResponse:
    """Change it; another name, licence number or specialty of a verified doctor waits for an admin."""
    found = _own()
    form = ProfileForm.fresh(profiles.specialties(), found)
    if not form.accepted():
        return htmx.page(PAGE, status=422, form=form, **_around(found))
    try:
        changed = profiles.change(actor(), found.id, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, PAGE, form=form, **_around(found))
    if changed.amendment and changed.amendment.is_waiting:
        said = say("Saved. An admin of your clinic has to confirm the new name, licence number or specialties first.")
    elif changed.licence_verified_at is None:
        said = say("Saved. Your page is hidden until an admin of your clinic has verified the licence.")
    else:
        said = say("Saved. Your public page shows it now.")
    return htmx.done(url_for("doctor.profile"), said)


@bp.post("/profile/amendments/<uuid:key>/withdraw")
def withdraw_amendment(key: UUID) -> AnyResponse:
    """Take back a change that waits, or put away the note that it was refused."""
    allow(_own().id == amendments.withdraw(actor(), key).id, NotFound)
    return htmx.done(url_for("doctor.profile"), say("The change was taken back."))


def _around(doctor: Doctor) -> dict[str, Any]:
    return {"doctor": doctor, "by_code": {one.code: one for one in profiles.specialties()}}


def _own() -> Doctor:
    return profiles.get(actor(), actor().doctor_id or refuse(NotFound))

"""Clinics: the list, one with its people, visit types, rooms and holidays, and the forms to keep it right."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import clock
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.clinics import invitations, managing, members
from portal.domain.clinics.shapes import WEEKDAYS
from portal.domain.doctors import practices
from portal.domain.scheduling import visit_types
from portal.web import changes, htmx, terms, times
from portal.web.admin import bp, lists
from portal.web.admin.clinic_forms import ClinicForm, country_name
from portal.web.gate import actor

PAGE = ("admin/clinics/index.html", "admin/clinics/_clinics.html")
SHOW = "admin/clinics/show.html"
FORM = "admin/clinics/form.html"
NEXT = 5  # holidays shown of those to come


@bp.get("/clinics")
def clinics() -> Response:
    """The clinics the admin runs."""
    found = managing.mine(actor(), lists.asked("q"), after=lists.asked("after") or None)
    doctors = practices.count_at([clinic.id for clinic in found])
    context: dict[str, Any] = {"found": found, "doctors": doctors, "asked": lists.asked}
    return htmx.page(PAGE[0], fragment=PAGE[1], **context, **lists.pages(found))


@bp.get("/clinics/<slug>")
def clinic(slug: str) -> Response:
    """One clinic."""
    return htmx.page(SHOW, **_about(slug))


@bp.get("/clinics/new")
def new_clinic() -> Response:
    """A form for a new clinic."""
    managing.may_create(actor())
    return htmx.page(FORM, form=ClinicForm.fresh(), clinic=None)


@bp.post("/clinics/new")
def create_clinic() -> AnyResponse:
    """Add a clinic."""
    managing.may_create(actor())
    form = ClinicForm.fresh()
    if not form.accepted():
        return htmx.page(FORM, status=422, form=form, clinic=None)
    try:
        made = managing.create(actor(), **form.clean.values())
    except Refused as no:
        return htmx.refused(no, FORM, form=form, clinic=None)
    return htmx.done(url_for("admin.clinic", slug=made.slug), say("The clinic was added. Add its visit types next."))


@bp.get("/clinics/<slug>/edit")
def edit_clinic(slug: str) -> Response:
    """A form for a clinic."""
    found = managing.get(actor(), slug)
    return htmx.page(FORM, form=ClinicForm.fresh(found), clinic=found)


@bp.post("/clinics/<slug>/edit")
def change_clinic(slug: str) -> AnyResponse:
    """Change a clinic; where its address or zone changes, each visit that is booked is decided first."""
    found = managing.get(actor(), slug)
    form = ClinicForm.fresh(found)
    if not form.accepted():
        return htmx.page(FORM, status=422, form=form, clinic=found)
    try:
        url = url_for("admin.clinic", slug=slug)
        return changes.save_or_plan("clinic_changed", found.id, form.clean.values(), url=url, said=say("Saved."))
    except Refused as no:
        return htmx.refused(no, FORM, form=form, clinic=found)


@bp.post("/clinics/<slug>/deactivate")
def deactivate_clinic(slug: str) -> AnyResponse:
    """Take a clinic out of the directory; where visits are booked, each of them is decided first."""
    said = say("The clinic is closed: nobody can find or book it.")
    url = url_for("admin.clinic", slug=slug)
    return changes.save_or_plan("clinic_ended", managing.to_switch(actor(), slug).id, {}, url=url, said=said)


@bp.post("/clinics/<slug>/reactivate")
def reactivate_clinic(slug: str) -> AnyResponse:
    """Put a clinic back into the directory."""
    managing.reactivate(actor(), slug)
    return htmx.done(url_for("admin.clinic", slug=slug), say("The clinic is open again."))


def _about(slug: str) -> dict[str, Any]:
    found = managing.get(actor(), slug)
    today = clock.today(found.zone)
    names = times.weekday_names()
    return {
        "clinic": found,
        "hours": [(names[n], found.opening_hours.get(day, [])) for n, day in enumerate(WEEKDAYS)],
        "members": members.of_clinic(actor(), found.id),
        "invitations": invitations.of_clinic(actor(), found.id),
        "practices": practices.of_clinic(actor(), found.id),
        "kinds": visit_types.of_clinic(actor(), found.id),
        "holidays": [one for one in managing.holidays(actor(), found.id) if one.day >= today][:NEXT],
        "country": country_name(found.country),
        "terms": terms,
    }

"""Visit types of a clinic and the policy of booking them."""

from __future__ import annotations

from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.clinics import managing
from portal.domain.scheduling import visit_types
from portal.web import htmx
from portal.web.admin import bp
from portal.web.admin.forms import VisitTypeForm
from portal.web.gate import actor

FORM = "admin/visit_types/form.html"


@bp.get("/clinics/<slug>/visit-types/new")
def new_visit_type(slug: str) -> Response:
    """A form for a new visit type."""
    clinic = managing.get(actor(), slug)
    return htmx.page(FORM, form=VisitTypeForm.fresh(clinic.currency), clinic=clinic, kind=None)


@bp.post("/clinics/<slug>/visit-types/new")
def add_visit_type(slug: str) -> AnyResponse:
    """Add a visit type."""
    clinic = managing.get(actor(), slug)
    form = VisitTypeForm.fresh(clinic.currency)
    if not form.accepted():
        return htmx.page(FORM, status=422, form=form, clinic=clinic, kind=None)
    try:
        visit_types.add(actor(), clinic.id, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, FORM, form=form, clinic=clinic, kind=None)
    return htmx.done(url_for("admin.clinic", slug=slug) + "#visit-types", say("The visit type was added."))


@bp.get("/visit-types/<uuid:key>")
def visit_type(key: UUID) -> Response:
    """A form for a visit type."""
    kind = visit_types.get(actor(), key)
    return htmx.page(FORM, form=VisitTypeForm.fresh(kind.clinic.currency, kind), clinic=kind.clinic, kind=kind)


@bp.post("/visit-types/<uuid:key>")
def change_visit_type(key: UUID) -> AnyResponse:
    """Change a visit type; booked visits stay as they are."""
    kind = visit_types.get(actor(), key)
    form = VisitTypeForm.fresh(kind.clinic.currency, kind)
    if not form.accepted():
        return htmx.page(FORM, status=422, form=form, clinic=kind.clinic, kind=kind)
    try:
        visit_types.change(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, FORM, form=form, clinic=kind.clinic, kind=kind)
    return htmx.done(url_for("admin.clinic", slug=kind.clinic.slug) + "#visit-types", say("Saved."))

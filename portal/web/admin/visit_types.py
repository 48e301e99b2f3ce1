"""Visit types of a clinic and the policy of booking them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.clinics import managing, resources
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import policy, visit_types
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.shapes import VisitTypeShape
from portal.web import changes, htmx
from portal.web.admin import bp
from portal.web.admin.clinic_forms import VisitTypeForm
from portal.web.gate import actor

FORM = "admin/visit_types/form.html"
WORDS = "admin/visit_types/_words.html"


@bp.get("/clinics/<slug>/visit-types/new")
def new_visit_type(slug: str) -> Response:
    """A form for a new visit type."""
    return htmx.page(FORM, **_about(managing.get(actor(), slug)))


@bp.post("/clinics/<slug>/visit-types/new")
def add_visit_type(slug: str) -> AnyResponse:
    """Add a visit type."""
    clinic = managing.get(actor(), slug)
    context = _about(clinic)
    form = context["form"]
    if not form.accepted():
        return htmx.page(FORM, status=422, **context)
    try:
        visit_types.add(actor(), clinic.id, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, FORM, **context)
    return htmx.done(url_for("admin.clinic", slug=slug) + "#visit-types", say("The visit type was added."))


@bp.post("/clinics/<slug>/visit-types/words")
def visit_type_words(slug: str) -> Response:
    """The policy in the form as patients would read it; nothing is saved. ?kind= is the visit type being changed."""
    kind = visit_types.get(actor(), request.args["kind"]) if request.args.get("kind") else None
    context = _about(managing.get(actor(), slug), kind)
    form = context["form"]
    if not form.accepted():
        return htmx.page(FORM, fragment=WORDS, status=422, **context | {"words": []})
    words = visit_types.in_words(form.clean)
    return htmx.page(FORM, fragment=WORDS, **context | {"words": words})


@bp.get("/visit-types/<uuid:key>")
def visit_type(key: UUID) -> Response:
    """A form for a visit type."""
    kind = visit_types.get(actor(), key)
    return htmx.page(FORM, **_about(kind.clinic, kind))


@bp.post("/visit-types/<uuid:key>")
def change_visit_type(key: UUID) -> AnyResponse:
    """Change a visit type; booked visits stay as they are. Before it is switched off each of them is decided."""
    kind = visit_types.get(actor(), key)
    context = _about(kind.clinic, kind)
    form = context["form"]
    if not form.accepted():
        return htmx.page(FORM, status=422, **context)
    try:
        url = url_for("admin.clinic", slug=kind.clinic.slug) + "#visit-types"
        return changes.save_or_plan("visit_type_off", key, form.clean.values(), url=url, said=say("Saved."))
    except Refused as no:
        return htmx.refused(no, FORM, **context)


def _about(clinic: Clinic, kind: VisitType | None = None) -> dict[str, Any]:
    groups = resources.of_clinic(actor(), clinic.id)
    return {
        "clinic": clinic,
        "kind": kind,
        "groups": groups,
        "form": VisitTypeForm.fresh(clinic.currency, groups, kind),
        "words": policy.in_words(kind) if kind else visit_types.in_words(VisitTypeShape(name="-", duration=30)),
    }

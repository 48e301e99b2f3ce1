"""Two records of one person: chosen, looked at side by side, joined, and parted again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.policy import allow
from portal.core.text import gettext as say
from portal.core.text import ngettext
from portal.domain.patients import desk as patients
from portal.domain.patients import merging
from portal.domain.patients.models import Patient
from portal.web import htmx, terms
from portal.web.desk import bp
from portal.web.desk.family import waits
from portal.web.gate import actor

CHOOSE, PREVIEW = "desk/merging/choose.html", "desk/merging/preview.html"


@bp.get("/patients/<uuid:key>/merge")
def choose_to_merge(key: UUID) -> Response:
    """Who may be the same person, and a search for others."""
    patient = _patient(key)
    return htmx.page(CHOOSE, patient=patient, found=merging.alike(actor(), patient), typed="")


@bp.post("/patients/<uuid:key>/merge")
def find_to_merge(key: UUID) -> Response:
    """Others on the clinic's list; what is typed stands in no address."""
    patient, typed = _patient(key), request.form.get("q", "")[:120].strip()
    found = patients.search(actor(), typed) if typed else merging.alike(actor(), patient)
    return htmx.page(CHOOSE, patient=patient, found=[one for one in found if one.id != patient.id], typed=typed)


@bp.get("/patients/<uuid:key>/merge/<uuid:other>")
def preview_merge(key: UUID, other: UUID) -> Response:
    """Both records side by side; changes nothing."""
    return _preview(key, other)


@bp.post("/patients/<uuid:key>/merge/<uuid:other>")
def merge_patients(key: UUID, other: UUID) -> AnyResponse:
    """Join them, or ask the patient."""
    try:
        done = merging.merge(actor(), key, other)
    except Refused as no:
        return _preview(key, other, no)
    if done.join is None:
        return htmx.done(url_for("desk.patient", key=key), waits(on_paper=False))
    said = say("The two records are one now. You can undo it on this page.")
    return htmx.done(url_for("desk.patient", key=done.join.kept_id), said)


@bp.post("/patients/<uuid:key>/merges/<uuid:merge_id>/undo")
def undo_merge(key: UUID, merge_id: UUID) -> AnyResponse:
    """Part them again."""
    done = merging.undo(actor(), merge_id)
    said = say("These are two records again.")
    if done.visits_since:
        said += " " + ngettext(
            "%(n)s visit was booked since. It stays here: please look whose it is.",
            "%(n)s visits were booked since. They stay here: please look whose they are.",
            done.visits_since,
        )
    return htmx.done(url_for("desk.patient", key=done.join.kept_id), said)


def _patient(key: UUID) -> Patient:
    patient = patients.get(actor(), key)
    allow(patients.may_change(actor(), patient))
    return patient


def _preview(key: UUID, other: UUID, no: Refused | None = None) -> Response:
    seen = merging.preview(actor(), key, other)
    context: dict[str, Any] = {"seen": seen, "key": key, "other": other, "terms": terms}
    return htmx.refused(no, PREVIEW, **context) if no else htmx.page(PREVIEW, **context)

"""What the clinic has asked patients to allow: a colleague confirms a signed paper, or it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.patients import deciding, requests
from portal.domain.patients import desk as patients
from portal.domain.patients.request_models import JOIN, RecordRequest
from portal.web import htmx
from portal.web.desk import bp
from portal.web.gate import actor
from portal.web.patient.family_forms import RELATIONS, SCOPES

INDEX, PAGE = "desk/requests/index.html", "desk/requests/show.html"


@bp.get("/requests", endpoint="requests")
def asked() -> Response:
    """Everything that waits for a patient's answer or a colleague's look at the paper."""
    found = requests.of_clinics(actor())
    return htmx.page(INDEX, found=found, mine=actor().user_id, join=JOIN)


@bp.get("/requests/<uuid:key>")
def request_to_patient(key: UUID) -> Response:
    """One of them."""
    return _page(key)


@bp.post("/requests/<uuid:key>/confirm")
def confirm_request(key: UUID) -> AnyResponse:
    """A second person has seen the signed paper: it is done."""
    return _decided(key, deciding.confirm, say("Confirmed and done. The patient is told."))


@bp.post("/requests/<uuid:key>/withdraw")
def withdraw_request(key: UUID) -> AnyResponse:
    """Take it back."""
    return _decided(key, deciding.withdraw, say("Taken back."))


@bp.post("/patients/<uuid:key>/ask-to-join")
def ask_to_join(key: UUID) -> AnyResponse:
    """Ask whoever this may be elsewhere whether the clinic may read their record; the answer tells not who it is."""
    patients.ask_to_join(actor(), key)
    said = say("If this person has a record with the portal, they are asked at the contact that record has.")
    return htmx.done(url_for("desk.patient", key=key), said)


def _decided(key: UUID, verb: Callable[..., Any], said: str) -> AnyResponse:
    try:
        verb(actor(), key)
    except Refused as no:
        return _page(key, no)
    return htmx.done(url_for("desk.requests"), said)


def _page(key: UUID, no: Refused | None = None) -> Response:
    found = requests.get(actor(), key)
    context = {
        "one": found,
        "patient": about(found),
        "may_confirm": found.is_open and requests.may_confirm(actor(), found),
        "is_own": found.asked_by == actor().user_id,
        "may_withdraw": found.is_open and requests.may_withdraw(actor(), found),
        "scopes": SCOPES,
        "relations": RELATIONS,
    }
    return htmx.refused(no, PAGE, **context) if no else htmx.page(PAGE, **context)


def about(one: RecordRequest) -> Any:
    """The patient as the clinic knows them: its own record, never the one it asks to read."""
    return one.entered if one.kind == JOIN else one.patient

"""What clinics ask about one's record: to be read, allowed or refused; and what was done on a signed paper."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.patients import deciding, requests
from portal.web import htmx
from portal.web.gate import actor
from portal.web.patient import bp
from portal.web.patient.family_forms import RELATIONS, SCOPES

INDEX, PAGE = "patient/requests/index.html", "patient/requests/show.html"


@bp.get("/requests", endpoint="requests")
def waiting() -> Response:
    """What waits for an answer, and what was done on paper and not read yet."""
    waiting_ones, unread = requests.for_patient(actor())
    return htmx.page(INDEX, open_ones=waiting_ones, papers=unread)


@bp.get("/requests/<uuid:key>")
def request_of_clinic(key: UUID) -> Response:
    """Who asks for what."""
    return _page(key)


@bp.post("/requests/<uuid:key>/accept")
def accept_request(key: UUID) -> AnyResponse:
    """Allow it; it is done at once."""
    try:
        deciding.accept(actor(), key)
    except Refused as no:
        return _page(key, no)
    return htmx.done(url_for("patient.requests"), say("Allowed. The clinic knows."))


@bp.post("/requests/<uuid:key>/refuse")
def refuse_request(key: UUID) -> AnyResponse:
    """Say no, also to a paper."""
    try:
        deciding.reject(actor(), key)
    except Refused as no:
        return _page(key, no)
    return htmx.done(url_for("patient.requests"), say("Refused. Nothing was changed."))


@bp.post("/requests/<uuid:key>/seen")
def see_request(key: UUID) -> AnyResponse:
    """What was done on paper is right."""
    deciding.see(actor(), key)
    return htmx.done(url_for("patient.requests"), say("Thank you."))


@bp.post("/requests/<uuid:key>/dispute")
def dispute_request(key: UUID) -> AnyResponse:
    """What was done on paper is wrong: it is taken back as far as it stands."""
    deciding.dispute(actor(), key)
    return htmx.done(url_for("patient.requests"), say("Taken back. The clinic's administration knows."))


def _page(key: UUID, no: Refused | None = None) -> Response:
    found = requests.get(actor(), key)
    context: dict[str, Any] = {
        "one": found,
        "may_answer": found.is_open and requests.may_answer(actor(), found),
        "is_unread_paper": found.decided_way == "paper" and found.outcome == "accepted" and not found.disputed_at,
        "scopes": SCOPES,
        "relations": RELATIONS,
    }
    return htmx.refused(no, PAGE, **context) if no else htmx.page(PAGE, **context)

"""A doctor asks the patient to book: what for, and no thank you. Choosing a time is booking as ever."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import clock
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.scheduling import invitations
from portal.web import htmx
from portal.web.gate import actor
from portal.web.patient import bp

PAGE = "patient/invitations/show.html"


@bp.get("/invitations/<uuid:key>")
def invitation(key: UUID) -> Response:
    """Who asks for which visit, between which days."""
    return htmx.page(PAGE, **_about(key))


@bp.post("/invitations/<uuid:key>/decline")
def decline_invitation(key: UUID) -> AnyResponse:
    """The doctor learns that this visit is not wanted."""
    try:
        invitations.decline(actor(), key)
    except Refused as no:
        return htmx.refused(no, PAGE, **_about(key))
    return htmx.done(url_for("patient.home"), say("Thank you for telling us. The doctor knows."))


def _about(key: UUID) -> dict[str, Any]:
    found = invitations.find(actor(), key)
    opens = invitations.opens_on(found)
    return {
        "invitation": found,
        "opens": opens if opens > clock.today(found.clinic.zone) else None,
        "may_answer": invitations.may_answer(actor(), found),
    }

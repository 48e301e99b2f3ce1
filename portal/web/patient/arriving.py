"""The day of a visit for its patient: “I am here”, then one's number and how long it may take."""

from __future__ import annotations

from uuid import UUID

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.day import arriving as arrivals
from portal.domain.scheduling import appointments
from portal.web import htmx
from portal.web.gate import actor
from portal.web.patient import bp

FRAGMENT = "patient/arriving/_arriving.html"


@bp.get("/appointments/<uuid:key>/arriving")
def arriving(key: UUID) -> AnyResponse:
    """How the patient stands now; a browser that wants a page gets that of the visit."""
    stands = arrivals.seen_by(actor(), appointments.find(actor(), key))
    if not htmx.wants_fragment():
        return htmx.see_other(url_for("patient.appointment", key=key))
    return htmx.page(FRAGMENT, fragment=FRAGMENT, arriving=stands)


@bp.post("/appointments/<uuid:key>/arriving")
def arrive(key: UUID) -> AnyResponse:
    """The patient is here."""
    url = url_for("patient.appointment", key=key)
    try:
        visit = arrivals.arrive(actor(), key)
    except Refused as no:
        if no.status in {403, 404}:
            raise
        stands = arrivals.seen_by(actor(), appointments.find(actor(), key))
        return htmx.refused(no, "patient/arriving/refused.html", fragment=FRAGMENT, arriving=stands)
    sentence = say("You are checked in. Your number is %(number)s.", number=visit.queue_number)
    return htmx.done(url, sentence, fragment=FRAGMENT, arriving=arrivals.seen_by(actor(), visit))

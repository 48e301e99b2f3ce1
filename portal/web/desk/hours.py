"""The hours of the clinic's doctors, set by its desk: a list of them, and the availability editor of each."""

from __future__ import annotations

from uuid import UUID

from flask import Response, url_for

from portal.core.text import gettext as say
from portal.domain.scheduling import hours as verbs
from portal.web import htmx
from portal.web.desk import bp
from portal.web.gate import actor
from portal.web.shared import hours
from portal.web.shared.hours_asked import Shown


@bp.get("/hours")
def practices() -> Response:
    """The doctors whose hours the desk sets."""
    return htmx.page("desk/hours/index.html", practices=verbs.practices_of(actor()))


def any_of_the_clinic(wanted: UUID | str | None) -> Shown:
    """A practice of the desk's clinics; raises NotFound or Forbidden."""
    practice = verbs.practice_for(actor(), wanted or "")
    return Shown(practice, back=(url_for("desk.practices"), say("Doctors’ hours")))


hours.mount(bp, "/practices/<uuid:practice>/hours", "/hours/<uuid:key>", any_of_the_clinic)

"""The hours of any practice of the admin's clinics: the availability editor."""

from __future__ import annotations

from uuid import UUID

from flask import url_for

from portal.domain.scheduling import hours as verbs
from portal.web.admin import bp
from portal.web.gate import actor
from portal.web.shared import hours
from portal.web.shared.hours_asked import Shown


def any_of_the_clinic(wanted: UUID | str | None) -> Shown:
    """A practice whose hours the admin sets; raises NotFound or Forbidden."""
    practice = verbs.practice_for(actor(), wanted or "")
    return Shown(practice, back=(url_for("admin.doctor", slug=practice.doctor.slug), practice.doctor.name))


hours.mount(bp, "/practices/<uuid:practice>/hours", "/hours/<uuid:key>", any_of_the_clinic)

"""A clinic's page: where it is, when it is open, who receives there."""

from __future__ import annotations

from flask import Response

from portal.domain.clinics import queries
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling import finding
from portal.web import framing, htmx, times
from portal.web.gate import actor
from portal.web.patient.favourites import hearts_for
from portal.web.public import bp

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST = 24  # doctors on the page itself; the rest are in the directory


@bp.get("/clinics/<slug>")
@framing.by_clinics
def clinic(slug: str) -> Response:
    found = framing.about(queries.by_slug(actor(), slug))
    answer = finding.search(actor(), DirectoryQuery(clinic=found.slug, limit=MOST))
    fields = [field.code for one in answer.items for field in one.doctor.specialties]
    names = times.weekday_names()
    hours = [(names[number], found.opening_hours.get(day, [])) for number, day in enumerate(DAYS)]
    return htmx.page(
        "public/clinics/show.html",
        clinic=found,
        hours=hours,
        answer=answer,
        has_colleagues=len(set(fields)) < len(fields),
        times=times,
        hearts=hearts_for(actor()),
    )

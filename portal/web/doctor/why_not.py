"""Why not? A doctor asks about any of their own times."""

from __future__ import annotations

from flask import Response, url_for

from portal.domain.scheduling import days
from portal.web import why_not
from portal.web.doctor import bp
from portal.web.gate import actor


@bp.get("/why-not", endpoint="why_not")
def why_not_page() -> Response:
    """Whether a visit could begin at a time, and if not, why; ?practice_id= ?visit_type_id= ?day= ?at= ?patient_id=."""
    frame = days.frame(actor())
    return why_not.page(
        "doctor/why_not/index.html", frame.practices, url_for("doctor.why_not"), by_clinic=len(frame.practices) > 1
    )

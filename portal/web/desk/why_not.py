"""Why not? The desk asks about any time of any doctor of its clinics."""

from __future__ import annotations

from flask import Response, url_for

from portal.domain.scheduling import desk
from portal.web import why_not
from portal.web.desk import bp
from portal.web.gate import actor


@bp.get("/why-not", endpoint="why_not")
def why_not_page() -> Response:
    """Whether a visit could begin at a time, and if not, why; ?practice_id= ?visit_type_id= ?day= ?at= ?patient_id=."""
    practices = desk.practices(actor())
    several = len({practice.clinic_id for practice in practices}) > 1
    return why_not.page("desk/why_not/index.html", practices, url_for("desk.why_not"), by_clinic=several)

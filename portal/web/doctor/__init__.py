"""A doctor's pages: today, week, one visit, openings, time off."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("doctor", __name__, url_prefix="/doctor")
gate.role_only(bp, "doctor")

from portal.web.doctor import (  # noqa: E402 - views register themselves
    book,  # noqa: F401
    figures,  # noqa: F401
    invitations,  # noqa: F401
    openings,  # noqa: F401
    profile,  # noqa: F401
    reviews,  # noqa: F401
    steps,  # noqa: F401
    time_off,  # noqa: F401
    today,  # noqa: F401
    visit,  # noqa: F401
    week,  # noqa: F401
    why_not,  # noqa: F401
)

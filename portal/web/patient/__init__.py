"""A patient's pages: home and appointments."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("patient", __name__, url_prefix="/patient")
gate.role_only(bp, "patient")

from portal.web.patient import (  # noqa: E402 - views register themselves
    appointments,  # noqa: F401
    arriving,  # noqa: F401
    changes,  # noqa: F401
    changing,  # noqa: F401
    family,  # noqa: F401
    favourites,  # noqa: F401
    home,  # noqa: F401
    invitations,  # noqa: F401
    requests,  # noqa: F401
    reviews,  # noqa: F401
    waitlist,  # noqa: F401
)

"""A doctor's pages: today, week, openings, time off."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("doctor", __name__, url_prefix="/doctor")
gate.role_only(bp, "doctor")

from portal.web.doctor import pages  # noqa: E402, F401 - the views register themselves on the blueprint

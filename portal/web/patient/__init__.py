"""A patient's pages: home, appointments, profile."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("patient", __name__, url_prefix="/patient")
gate.role_only(bp, "patient")

from portal.web.patient import pages  # noqa: E402, F401 - the views register themselves on the blueprint

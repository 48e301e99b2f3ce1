"""A patient's pages: home and appointments."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("patient", __name__, url_prefix="/patient")
gate.role_only(bp, "patient")

from portal.web.patient import appointments, arriving, changes, changing, home  # noqa: E402, F401 - they add their views

"""A doctor's pages: today, week, one visit, openings, time off."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("doctor", __name__, url_prefix="/doctor")
gate.role_only(bp, "doctor")

from portal.web.doctor import openings, steps, time_off, today, visit, week, why_not  # noqa: E402, F401 - views register themselves

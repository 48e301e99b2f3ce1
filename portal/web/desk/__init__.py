"""The front desk: the day of the clinic, and booking for those who call or stand there."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("desk", __name__, url_prefix="/desk")
gate.role_only(bp, "staff", "admin", "superadmin")

from portal.web.desk import calendar, why_not  # noqa: E402, F401
from portal.web.desk import arrival, calls, day, hours, waitlist, walk_ins  # noqa: E402, F401
from portal.web.desk import appointments, book, patients  # noqa: E402, F401
from portal.web.desk import family  # noqa: E402, F401

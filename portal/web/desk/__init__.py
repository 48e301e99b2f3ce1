"""The front desk: the day of the clinic, and booking for those who call or stand there."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("desk", __name__, url_prefix="/desk")
gate.role_only(bp, "staff", "admin", "superadmin")

from portal.web.desk import (  # noqa: E402, F401
    appointments,
    arrival,
    book,
    calendar,
    calls,
    day,
    deaths,
    family,
    hours,
    merging,
    patients,
    requests,
    waitlist,
    walk_ins,
    why_not,
)

"""The back office: users, clinics, doctors, tasks, audit."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("admin", __name__, url_prefix="/admin")
gate.role_only(bp, "admin", "superadmin")

from portal.web.admin import pages  # noqa: E402, F401 - the views register themselves on the blueprint

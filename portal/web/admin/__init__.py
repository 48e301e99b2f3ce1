"""The back office: users, clinics, visit types, doctors, tasks, audit."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("admin", __name__, url_prefix="/admin")
gate.role_only(bp, "admin", "superadmin")

from portal.web.admin import audit, clinics, doctors, hours, tasks, users, visit_types  # noqa: E402, F401 - views register themselves

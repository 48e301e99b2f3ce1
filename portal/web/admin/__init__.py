"""The back office: users, clinics, visit types, doctors, tasks, audit."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("admin", __name__, url_prefix="/admin")
gate.role_only(bp, "admin", "superadmin")

from portal.web.admin import (  # noqa: E402 - views register themselves
    audit,  # noqa: F401
    clients,  # noqa: F401
    clinics,  # noqa: F401
    doctors,  # noqa: F401
    figures,  # noqa: F401
    holidays,  # noqa: F401
    hours,  # noqa: F401
    invitations,  # noqa: F401
    reminders,  # noqa: F401
    reviews,  # noqa: F401
    rooms,  # noqa: F401
    tasks,  # noqa: F401
    users,  # noqa: F401
    visit_types,  # noqa: F401
    webhooks,  # noqa: F401
)

"""Views, to be replaced."""

from portal.web.admin import bp


@bp.get("/users")
def users():
    return "users"

@bp.get("/clinics")
def clinics():
    return "clinics"

@bp.get("/doctors")
def doctors():
    return "doctors"

@bp.get("/tasks")
def tasks():
    return "tasks"

@bp.get("/audit")
def audit():
    return "audit"

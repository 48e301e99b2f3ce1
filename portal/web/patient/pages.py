"""Views, to be replaced."""

from portal.web.patient import bp


@bp.get("/home")
def home():
    return "home"

@bp.get("/appointments")
def appointments():
    return "appointments"

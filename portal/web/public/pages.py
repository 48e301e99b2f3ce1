"""Views, to be replaced."""

from portal.web.public import bp


@bp.get("/")
def home():
    return "home"


@bp.get("/doctors")
def directory():
    return "d"


@bp.get("/privacy")
def privacy():
    return "d"

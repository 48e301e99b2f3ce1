"""Views, to be replaced."""

from portal.web.doctor import bp


@bp.get("/today")
def today():
    return "today"

@bp.get("/week")
def week():
    return "week"

@bp.get("/openings")
def openings():
    return "openings"

@bp.get("/time_off")
def time_off():
    return "time_off"

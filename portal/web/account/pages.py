"""Views, to be replaced."""

from portal.web.account import bp


@bp.get("/sign_in")
def sign_in():
    return "sign_in"

@bp.get("/register")
def register():
    return "register"

@bp.get("/profile")
def profile():
    return "profile"

@bp.get("/security")
def security():
    return "security"


@bp.post("/sign-out")
def sign_out():
    return "d"


@bp.post("/language")
def language():
    return "d"


@bp.post("/theme")
def theme():
    return "d"

"""One's own account: registering, signing in and out, passwords, sessions, language."""

from flask import Blueprint


bp = Blueprint("account", __name__, url_prefix="/account")

from portal.web.account import pages  # noqa: E402, F401 - the views register themselves on the blueprint

"""What one was told in the app."""

from flask import Blueprint

from portal.web import gate

bp = Blueprint("notifications", __name__, url_prefix="/notifications")
gate.signed_in_only(bp)


@bp.get("")
def index():
    return "n"

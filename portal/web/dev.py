"""The mailbox of the demo: what would have been mailed, to be read in the browser. Not there in production."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("dev", __name__, url_prefix="/dev")


@bp.get("/mail")
def mail() -> str:
    return "mail"

"""For those who keep the portal running: is it alive, and what is the matter."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

bp = Blueprint("ops", __name__)


@bp.get("/health")
def health() -> Response:
    """Liveness: the process answers. It asks nothing of the database, so a slow database does not restart the web."""
    answer = jsonify(status="ok")
    answer.headers["Cache-Control"] = "no-store"
    return answer

"""For those who keep the portal running: is it alive, what is the matter, and the figures."""

from __future__ import annotations

import hmac
from time import perf_counter

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request, session
from flask_login import current_user

from portal import checkup
from portal.config import Settings
from portal.core import metrics
from portal.core.errors import NotFound

bp = Blueprint("ops", __name__)


@bp.before_app_request
def _begin() -> None:
    g.began = perf_counter()


@bp.after_app_request
def _count(answer: Response) -> Response:
    if "began" in g:
        seconds = perf_counter() - g.began
        metrics.answered(request.endpoint or "unknown", request.method, answer.status_code, seconds)
    return answer


@bp.get("/health")
def health() -> Response:
    """Liveness: the process answers. It asks nothing of the database, so a slow database does not restart the web."""
    return _fresh(jsonify(status="ok"))


@bp.get("/health/ready")
def ready() -> Response:
    """Whether requests may be sent to this process: 200 or 503, and nothing that a stranger must not know."""
    well = checkup.is_ready()
    return _fresh(make_response(jsonify(status="ready" if well else "not ready"), 200 if well else 503))


@bp.get("/health/detailed")
def detailed() -> Response:
    """What is well and what is not, with 503 when something is not; for a superadmin or whoever shows the token."""
    if not _has_token() and not _is_superadmin():
        raise NotFound
    found = checkup.state(_settings())
    return _fresh(make_response(jsonify(found), 200 if found["status"] == "ok" else 503))


@bp.get("/metrics")
def figures() -> Response:
    """Figures in Prometheus' text format; for whoever shows the token."""
    if not _has_token():
        raise NotFound
    answer = make_response(metrics.exposition(checkup.gauges(_settings())))
    answer.headers["Content-Type"] = metrics.KIND
    return _fresh(answer)


def _has_token() -> bool:
    """METRICS_TOKEN as a bearer token; without that setting nobody has it."""
    wanted = _settings().metrics_token
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return bool(wanted) and scheme.lower() == "bearer" and hmac.compare_digest(shown.encode(), wanted.encode())


def _is_superadmin() -> bool:
    """The gate reads no session for these pages, so that they answer while the database is away."""
    return "_user_id" in session and current_user.is_authenticated and current_user.actor.is_superadmin


def _settings() -> Settings:
    return current_app.extensions["portal.settings"]  # type: ignore[no-any-return]


def _fresh(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer

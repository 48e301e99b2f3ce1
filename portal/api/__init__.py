"""The door for programs: /api/v1, bearer tokens, problem+json, and an OpenAPI description made from the Shapes."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_cors import CORS

from portal.api.bearer import asked_language
from portal.config import Settings
from portal.core.text import language, speak

TOLD = [  # what scripts of other sites may read of an answer's head
    "ETag", "Idempotency-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After",
    "WWW-Authenticate", "X-Request-ID",
]  # fmt: skip
VARIES = ("Authorization", "Accept", "Accept-Language")  # on what an answer depends
ASKED = ["Accept", "Accept-Language", "Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"]


def register(app: Flask, settings: Settings) -> None:
    """Add the API to the application."""
    from portal.api import oauth, v1

    app.before_request(_begin)
    app.after_request(_finish)
    v1.register(app, settings)
    oauth.register(app, settings)
    let_in(app, settings.cors)


def let_in(app: Flask, origins: list[str]) -> None:
    """Let the scripts of these origins call the API and read the heads of its answers; without any, none."""
    if origins:
        shared = {"origins": origins, "allow_headers": ASKED, "expose_headers": TOLD, "max_age": 600}
        CORS(app, resources={r"/api/*": shared, r"/oauth/(token|revoke)": shared}, supports_credentials=False)


def _begin() -> None:
    if request.path.startswith("/api/"):
        speak(asked_language() or "en")


def _finish(answer: Response) -> Response:
    """What every answer of the API carries, the framework's own errors included."""
    if request.path.startswith("/api/"):
        headers = answer.headers
        headers.setdefault("Cache-Control", "no-store")
        headers["Content-Language"] = language()
        if "Vary" in headers:
            answer.vary.update(VARIES)
        else:
            headers.add("Vary", ", ".join(VARIES))
    return answer

"""The door for programs: /api/v1, bearer tokens, problem+json, and an OpenAPI description made from the Shapes."""

from __future__ import annotations

from flask import Flask, Response, request

from portal.api.bearer import asked_language
from portal.config import Settings
from portal.core.text import language, speak


def register(app: Flask, settings: Settings) -> None:
    """Add the API to the application."""
    from portal.api import v1

    app.before_request(_begin)
    app.after_request(_finish)
    v1.register(app, settings)


def _begin() -> None:
    if request.path.startswith("/api/"):
        speak(asked_language() or "en")


def _finish(answer: Response) -> Response:
    """What every answer of the API carries, the framework's own errors included."""
    if request.path.startswith("/api/"):
        headers = answer.headers
        headers.setdefault("Cache-Control", "no-store")
        headers["Content-Language"] = language()
        headers.add("Vary", "Authorization, Accept-Language")
    return answer

"""Every "no" and every failure as a page, a fragment or problem+json: one sentence, the right status, never a trace."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from portal.api import problems
from portal.core import log
from portal.core.errors import Refused, Unauthenticated
from portal.core.text import gettext as say
from portal.web.gate import ask_to_sign_in
from portal.web.htmx import wants_fragment


def answer(app: Flask) -> None:
    """Give the application its error pages."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def _refused(no: Refused) -> Any:
    if _for_program():
        return problems.answer(no)
    if isinstance(no, Unauthenticated) and request.method == "GET" and not wants_fragment():
        return ask_to_sign_in()
    response = _page(no.status, str(no), no.code)
    if no.status == 429:
        response.headers["Retry-After"] = str(no.facts.get("retry_after", 60))
    return response


def _http(wrong: HTTPException) -> Any:
    if wrong.code is None or wrong.code < 400:
        return wrong
    response = problems.http(wrong, _sentence(wrong.code)) if _for_program() else _page(wrong.code, _sentence(wrong.code), f"http_{wrong.code}")
    for name, value in wrong.get_headers():
        if name in {"Allow", "Retry-After", "Location"}:
            response.headers[name] = value
    return response


def _broken(error: Exception) -> Any:
    log.error("request failed", exc_info=error, path=request.path, endpoint=request.endpoint)
    sentence = say("Something went wrong on our side. Nothing was changed. Please try again.")
    return problems.build(500, "internal", sentence) if _for_program() else _page(500, sentence, "internal")


def _for_program() -> bool:
    return request.path.startswith("/api/")


def _page(status: int, sentence: str, code: str) -> Response:
    template = "errors/_error.html" if wants_fragment() else "errors/error.html"
    about = {"status": status, "sentence": sentence, "code": code, "reference": g.get("correlation_id", "")}
    return make_response(render_template(template, **about), status)


def _sentence(status: int) -> str:
    return {
        400: say("We could not understand this request."),
        403: say("You are not allowed to do this."),
        404: say("We could not find what you asked for."),
        405: say("This address does not do that."),
        406: say("We cannot answer in the form you asked for."),
        408: say("This took too long. Please try again."),
        413: say("This is too large to be sent."),
        414: say("This address is too long."),
        415: say("We cannot read what was sent in this form."),
        429: say("That was too often. Please wait a little and try again."),
    }.get(status, say("This cannot be done."))

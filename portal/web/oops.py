"""Every "no" and every failure as a page or a fragment: one sentence, the right status, never a trace."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from portal.core import log
from portal.core.errors import Refused, Unauthenticated, http_sentence
from portal.web.gate import ask_to_sign_in
from portal.web.htmx import wants_fragment


def refused(no: Refused) -> Any:
    """The page of a refusal that no view has shown beside its form."""
    if isinstance(no, Unauthenticated) and request.method == "GET" and not wants_fragment():
        return ask_to_sign_in()
    response = _page(no.status, str(no), no.code, retry_after=no.facts.get("retry_after"))
    if no.status == 429:
        response.headers["Retry-After"] = str(no.facts.get("retry_after", 60))
    return response


def http(wrong: HTTPException) -> Any:
    """The page of an error of the HTTP layer; a redirect passes."""
    if wrong.code is None or wrong.code < 400:
        return wrong
    response = _page(wrong.code, str(http_sentence(wrong.code)), f"http_{wrong.code}")
    for name, value in wrong.get_headers():
        if name in {"Allow", "Retry-After", "Location"}:
            response.headers[name] = value
    return response


def broken(error: Exception) -> Any:
    """The page of our own failure: it says that nothing was changed and a reference, and the log has the rest."""
    log.error("request failed", exc_info=error, endpoint=request.endpoint)
    return _page(500, str(http_sentence(500)), "internal")


def _page(status: int, sentence: str, code: str, **about: Any) -> Response:
    template = "errors/_error.html" if wants_fragment() else "errors/error.html"
    about |= {"status": status, "sentence": sentence, "code": code, "reference": g.get("correlation_id", "")}
    return make_response(render_template(template, **about), status)

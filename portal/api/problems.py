"""Refusals for programs: application/problem+json (RFC 9457) with the same code and sentence as on the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from portal.core import log
from portal.core.errors import Refused, http_sentence
from portal.core.limits import Left

TYPE = "application/problem+json"
HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "address_too_long",
    415: "unsupported_media_type",
    431: "headers_too_large",
}


def answer(no: Refused) -> Response:
    """The problem a refusal is."""
    facts = {key: value for key, value in no.facts.items() if not isinstance(value, Left)}
    if no.audit:  # whom it was about is for the audit: here it would tell which accounts there are
        facts = {key: value for key, value in facts.items() if not key.endswith("_id")}
    response = build(no.status, no.code, str(no), errors=no.fields, **facts)
    if no.status == 401:
        response.headers["WWW-Authenticate"] = _challenge(no)
    elif no.code == "insufficient_scope":
        response.headers["WWW-Authenticate"] = f'Bearer realm="portal", error="{no.code}", scope="{no.facts["scope"]}"'
    if no.status == 426:
        response.headers["Upgrade"] = "websocket"
    if no.status == 429:
        response.headers["Retry-After"] = str(no.facts.get("retry_after", 60))
        tell_limit(response, no.facts.get("limit"))
    return response


def http(wrong: HTTPException) -> Any:
    """The problem an error of the HTTP layer is; a redirect passes."""
    status = wrong.code or 500
    if status < 400:
        return wrong
    response = build(status, HTTP_CODES.get(status, f"http_{status}"), str(http_sentence(status)))
    for name, value in wrong.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def broken(error: Exception) -> Response:
    """Our own failure: the log has the trace, the program the correlation id."""
    log.error("request failed", exc_info=error, endpoint=request.endpoint)
    return build(500, "internal", str(http_sentence(500)))


def build(status: int, code: str, detail: str, errors: Mapping[str, Any] | None = None, **facts: Any) -> Response:
    """A problem+json answer. `type` is a stable address of the code, `correlation_id` is what to quote to support."""
    body: dict[str, Any] = {
        "type": f"urn:portal:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "error_code": code,
        "detail": detail,
        "instance": request.path,
        "correlation_id": g.get("correlation_id", ""),
        "errors": [{"field": name, "detail": str(sentence)} for name, sentence in (errors or {}).items()],
        **facts,
    }
    return Response(orjson.dumps(body, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME), status, mimetype=TYPE)


def tell_limit(response: Response, left: Left | None) -> None:
    """The quota, what is left of it and for how many seconds (draft-ietf-httpapi-ratelimit-headers)."""
    if left:
        response.headers["RateLimit-Policy"] = f'"default";q={left.limit};w={left.window}'
        response.headers["RateLimit"] = f'"default";r={left.remaining};t={left.reset}'


def _challenge(no: Refused) -> str:
    """RFC 6750: no error is named to whoever showed no token at all."""
    shown = request.headers.get("Authorization") is not None
    return 'Bearer realm="portal"' + (', error="invalid_token"' if shown else "")


def _plain(value: Any) -> Any:
    """A fact as JSON has it; times keep the offset the refusal gave them."""
    return value.isoformat() if isinstance(value, datetime) else str(value)

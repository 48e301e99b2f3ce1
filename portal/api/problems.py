"""Refusals for programs: application/problem+json (RFC 9457) with the same code and sentence as on the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from portal.core.errors import Refused
from portal.core.limits import Left


def answer(no: Refused) -> Response:
    """The problem a refusal is."""
    facts = {key: value for key, value in no.facts.items() if not isinstance(value, Left)}
    response = build(no.status, no.code, str(no), errors=no.fields, **facts)
    if no.status == 401:
        response.headers["WWW-Authenticate"] = f'Bearer error="{no.code}"'
    if no.status == 429:
        response.headers["Retry-After"] = str(no.facts.get("retry_after", 60))
    return response


def http(wrong: HTTPException, sentence: str) -> Response:
    """The problem an HTTP error of the framework is."""
    return build(wrong.code or 500, f"http_{wrong.code}", sentence)


def build(status: int, code: str, detail: str, errors: Mapping[str, Any] | None = None, **facts: Any) -> Response:
    """A problem+json answer. `type` is a stable address of the code, `instance` the request's correlation id."""
    body: dict[str, Any] = {
        "type": f"urn:portal:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "error_code": code,
        "detail": detail,
        "instance": request.path,
        "correlation_id": g.get("correlation_id", ""),
        "errors": [{"field": name, "detail": str(sentence)} for name, sentence in (errors or {}).items()],
        **facts,
    }
    return Response(json.dumps(body, default=_plain, ensure_ascii=False), status, mimetype="application/problem+json")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return str(value)

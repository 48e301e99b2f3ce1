"""The board in the waiting room: big numbers, no names; it renews itself."""

from __future__ import annotations

import hashlib

from flask import Response, request

from portal.domain.day import board as boards
from portal.web import htmx
from portal.web.public import bp


@bp.get("/clinics/<slug>/board")
def board(slug: str) -> Response:
    """Which numbers are called and who waits; 404 for a clinic without a board. Unchanged, it answers 304."""
    found = boards.of(slug)
    answer = htmx.page("public/board/index.html", fragment="public/board/_board.html", board=found)
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Cache-Control"] = "private, no-cache"
    if htmx.wants_fragment():
        answer.set_etag(hashlib.sha256(answer.get_data()).hexdigest()[:32])
        answer.make_conditional(request)
    return answer

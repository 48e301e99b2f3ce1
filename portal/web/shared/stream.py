"""Server-sent nudges: tells open pages that a topic changed, holds no row and renders nothing while it waits."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, Response

from portal.core import live
from portal.core.errors import Unauthenticated, refuse
from portal.web import gate

bp = Blueprint("stream", __name__)
gate.signed_in_only(bp)
LONGEST = 20  # quarter minutes; the browser then connects again and its session is looked at anew


@bp.get("/live")
def events() -> Response:
    """Topics as events: the page that gets one fetches what it may see by its ordinary address."""
    user_id = gate.actor().user_id or refuse(Unauthenticated)
    answer = Response(_events(user_id), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _events(user_id: UUID) -> Iterator[str]:
    yield "retry: 3000\n\n"
    try:
        for count, topic in enumerate(live.listen(user_id)):
            if count > LONGEST and topic is None:
                return
            yield f"event: {topic}\ndata: {topic}\n\n" if topic else ": still here\n\n"
    except (OSError, ValueError, live.Away):
        return

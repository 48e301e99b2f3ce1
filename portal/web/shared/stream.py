"""Server-sent nudges: tells open pages that a topic changed, holds no row and renders nothing while it waits.

One stream serves all pages of a browser (static/js/stream.js). It looks at its session once a minute, however much
there is to tell, and at once when somebody's rights changed; it ends with the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import uniform

from flask import Blueprint, Response

from portal.core import limits, live
from portal.core.actor import Actor
from portal.core.errors import Unauthenticated, Unavailable, refuse
from portal.core.hearing import CLOSING, EVERYTHING
from portal.core.open_streams import OpenStream
from portal.web import gate

bp = Blueprint("stream", __name__)
gate.signed_in_only(bp)
OPENINGS = "60 per minute"
HEARTBEAT = 15.0  # seconds without a nudge after which the browser is told that all is well
LOOKS_EVERY = (45.0, 60.0)  # seconds between two looks at the session; not the same for all who connected together
HELLO, STILL_HERE = "retry: 3000\n\n", ": still here\n\n"
# the session ended; newer streams took the place; this process ends, and another takes over
OVER, FULL, MOVED = (f"event: bye\ndata: {why}\n\n" for why in ("over", "full", "again"))
AGAIN = ": connect again\n\n"  # with the roles that are held now


@bp.get("/live")
def events() -> Response:
    """Topics as messages: the page that gets one fetches what it may see by its ordinary address."""
    who = gate.actor()
    user_id = who.user_id or refuse(Unauthenticated)
    limits.hit(OPENINGS, "live", str(user_id))
    look, opened = gate.later(), OpenStream.of_page(user_id)
    answer = Response(_told(who, look, opened), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(opened.close)
    return answer


def _told(who: Actor, look: Callable[[], Actor | None], opened: OpenStream) -> Iterator[str]:
    with live.listen([f"user:{who.user_id}"]) as ear:
        yield HELLO  # what happens from now on is heard
        spoke = time.monotonic()
        next_look = spoke + uniform(*LOOKS_EVERY)
        while True:
            topics = ear.wait(max(0.0, min(spoke + HEARTBEAT, next_look) - time.monotonic()))
            if CLOSING in topics:
                yield MOVED
                return
            if live.RIGHTS in topics or time.monotonic() >= next_look:
                next_look = time.monotonic() + uniform(*LOOKS_EVERY)
                if (last_words := _end(who, look, opened)) is not None:
                    yield last_words
                    return
            message = _message(topics)
            if message or time.monotonic() >= spoke + HEARTBEAT:
                yield message or STILL_HERE
                spoke = time.monotonic()


def _end(who: Actor, look: Callable[[], Actor | None], opened: OpenStream) -> str | None:
    """What is said before the stream ends; None when it goes on, also while nobody knows: the database is away."""
    try:
        now = look()
    except Unavailable:
        return None
    if now is None or now.user_id != who.user_id:
        return OVER
    if (now.roles, now.clinics) != (who.roles, who.clinics):
        return AGAIN
    return None if opened.may_go_on() else FULL


def _message(topics: list[str]) -> str:
    wanted = [EVERYTHING] if EVERYTHING in topics else [topic for topic in topics if topic != live.RIGHTS]
    return "".join(f"data: {topic}\n\n" for topic in wanted)

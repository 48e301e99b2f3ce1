"""Calendar feeds, read by calendar programs: whoever has the address has the calendar, nobody is signed in."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.scheduling import feeds
from portal.web.public import bp


@bp.get("/calendar/<token>.ics")
def calendar_feed(token: str) -> AnyResponse:
    """Somebody's visits as iCalendar; 304 when nothing has changed, 404 when the address is dead."""
    found = feeds.read(token)
    answer = Response(found.content, content_type="text/calendar; charset=utf-8")
    answer.set_etag(found.etag)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Content-Disposition"] = 'inline; filename="appointments.ics"'
    return answer.make_conditional(request)

"""What everybody sees: home, directory, doctors, clinics, and the way to a booking."""

from flask import Blueprint, Response, request

from portal.web import gate, htmx

bp = Blueprint("public", __name__)


@bp.after_request
def _may_be_kept(answer: Response) -> Response:
    """A stranger's browser may keep a fragment for a moment; a page carries that browser's own form tokens."""
    if not gate.actor().is_signed_in and request.method == "GET" and answer.status_code == 200:
        lasting = "private, max-age=5" if htmx.wants_fragment() else "private, no-cache"
        answer.headers.setdefault("Cache-Control", lasting)
    return answer


from portal.web.public import (  # noqa: E402, F401 - they add their views
    anyone,
    arrive,
    asked,
    attending,
    board,
    booking,
    clinics,
    directory,
    doctors,
    feeds,
    go,
    home,
)

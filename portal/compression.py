"""What is compressed, and for whom (docs/decisions/0019): the one place that decides; the proxy leaves answers alone.

The length of a compressed answer tells whether what somebody put into the address repeats a secret of the same page
(BREACH). For that they must make another's browser ask again and again, with its cookie, from a page of their own. So
a page is compressed for whoever comes without a cookie, and for requests that the browser itself says came from our
own pages or were typed (Sec-Fetch-Site). The API takes no cookies: nobody can be made to ask it.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_compress import Compress

PROGRAMS = ("application/json", "application/vnd.portal.envelope+json", "application/problem+json")
PAGES = ("text/html", "text/calendar")
OWN = {"same-origin", "none"}  # none: typed, a bookmark, an application


def register(app: Flask) -> None:
    """Compress answers on their way out."""
    app.config |= {
        "COMPRESS_REGISTER": False,
        "COMPRESS_MIMETYPES": [*PROGRAMS, *PAGES],
        "COMPRESS_ALGORITHM": ["zstd", "br", "gzip"],
        "COMPRESS_STREAMS": False,
    }
    compress = Compress(app)

    @app.after_request
    def _compress(answer: Response) -> Response:
        if may_compress():
            return compress.after_request(answer)
        answer.vary.add("Accept-Encoding")
        return answer


def may_compress() -> bool:
    """Whether nobody but the reader can have caused this request in the reader's name."""
    cookie = current_app.config["SESSION_COOKIE_NAME"]
    is_bare = request.path.startswith("/api/") or cookie not in request.cookies
    return is_bare or request.headers.get("Sec-Fetch-Site") in OWN

"""The sign at a clinic's entrance: a code that patients scan to say that they are here."""

from __future__ import annotations

import segno
from flask import Response, current_app, request, url_for
from markupsafe import Markup

from portal.core.text import LANGUAGES, RIGHT_TO_LEFT, speaking
from portal.core.text import gettext as say
from portal.domain.day import arriving, walk_ins
from portal.web import htmx
from portal.web.desk import bp
from portal.web.gate import actor


@bp.get("/arrival-sign")
def arrival_sign() -> Response:
    """The sign of a clinic, to be printed."""
    clinic = walk_ins.clinic(actor(), request.args.get("clinic") or None)
    base = str(current_app.extensions["portal.settings"].base_url).rstrip("/")
    address = base + url_for("public.arrive", slug=clinic.slug, sign=arriving.sign_of(clinic))
    return htmx.page(
        "desk/day/arrival_sign.html",
        clinic=clinic,
        address=address,
        code=_drawn(address),
        words=[_words(code) for code in LANGUAGES],
    )


def _words(code: str) -> dict[str, str]:
    """What the sign says in one language: whoever stands before it may read another than the desk."""
    with speaking(code):
        return {
            "code": code,
            "direction": "rtl" if code in RIGHT_TO_LEFT else "ltr",
            "ask": say("Do you have an appointment?"),
            "text": say("Scan this code with your phone to check in, then take a seat. Your phone shows your number."),
        }


def _drawn(address: str) -> Markup:
    """The address as a QR code (ISO/IEC 18004), an SVG without any style of its own."""
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(scale=1, omitsize=True, border=2, svgclass="sign-code", lineclass=None))  # noqa: S704

"""Where a person says yes or no to a program that asks to act for them (RFC 6749, section 4.1).

The authorization server reads what the program asks; here it is said in words and answered.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField

from portal.domain.identity.client_shapes import ConsentShape
from portal.domain.identity.scopes import SCOPES
from portal.web import gate, htmx
from portal.web.forms import ShapeForm

bp = Blueprint("consent", __name__, url_prefix="/oauth")
PAGE = "account/consent/show.html"
_HOST = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")


class ConsentForm(ShapeForm[ConsentShape]):
    """Two buttons."""

    shape = ConsentShape
    decision = StringField()


@bp.get("/authorize")
def authorize() -> AnyResponse:
    """Say which program asks for what; a stranger signs in first and comes back here."""
    return _answer(None)


@bp.post("/authorize")
def decide() -> AnyResponse:
    """Send the person back to the program, with what they decided."""
    return _answer(ConsentForm())


@bp.after_request
def _keep_nothing(answer: Response) -> Response:
    """Neither this page nor the code in its answer is kept, nor its address told to the program's site."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer" if answer.location else "same-origin"
    return answer


def _answer(form: ConsentForm | None) -> AnyResponse:
    server = current_app.extensions["portal.oauth"]
    wish = server.wish(request, gate.actor())
    if isinstance(wish, AnyResponse):
        return wish
    if not gate.actor().is_signed_in:
        return gate.ask_to_sign_in()
    if form is not None and form.accepted():
        return server.decide(wish, form.clean.decision == "allow")  # type: ignore[no-any-return]
    g.form_action = f"{gate.SELF} {_source(wish.redirect_uri)}"
    return htmx.page(PAGE, status=200 if form is None else 422, **_about(wish))


def _about(wish: Any) -> dict[str, Any]:
    scopes = wish.request.scope.split()
    return {
        "client": wish.client.row,
        "scopes": [SCOPES[scope] for scope in SCOPES if scope in scopes],
        "back_to": _source(wish.redirect_uri),
        "here": request.full_path,
    }


def _source(redirect_uri: str) -> str:
    """The one origin the answer leads to, for the content security policy: Chromium follows a form through redirects.

    The scheme alone where there is no host, or one that a policy cannot name.
    """
    found = _HOST.match(redirect_uri) or _SCHEME.match(redirect_uri)
    return found[0] if found else "'none'"

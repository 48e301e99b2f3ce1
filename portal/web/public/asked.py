"""A clinic asks a patient without an account: what the link in the message shows, and the answer."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from portal.core.actor import Actor
from portal.core.errors import Invalid, Refused
from portal.core.text import lazy as _
from portal.domain.access.acting import Claim
from portal.domain.notifications import request_notices
from portal.domain.patients import deciding, requests
from portal.web import htmx, links
from portal.web.patient.family_forms import RELATIONS, SCOPES

PAGE = "public/go/request.html"


def show(actor: Actor, claim: Claim) -> Response:
    """What is asked; nothing is answered by looking."""
    return htmx.page(PAGE, **_about(actor, claim))


def act(actor: Actor, claim: Claim) -> Response:
    """Yes does it at once, no ends it; what was done on paper and is wrong is taken back."""
    verbs = {"yes": deciding.accept, "no": deciding.reject, "wrong": deciding.dispute}
    verb = verbs.get(request.form.get("answer", ""))
    if verb is None:
        raise Invalid(_("Please choose one of the answers."))
    try:
        verb(actor, claim.subject_id)
    except Refused as no:
        return htmx.refused(no, PAGE, **_about(actor, claim))
    return htmx.see_other(claim.path)  # which says what became of it


def _about(actor: Actor, claim: Claim) -> dict[str, Any]:
    return {"one": requests.get(actor, claim.subject_id), "claim": claim, "scopes": SCOPES, "relations": RELATIONS}


links.register(request_notices.PURPOSE, show=show, act=act)

"""“Will you come?”: what the link of a reminder shows, and the answer."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from portal.core.actor import Actor
from portal.core.errors import Invalid, Refused
from portal.core.text import lazy as _
from portal.domain.access.acting import Claim
from portal.domain.reminders import answering, words
from portal.domain.scheduling import policy
from portal.web import htmx, links, times

PAGE = "public/go/attendance.html"
DONE = "public/go/not_coming.html"


def show(actor: Actor, claim: Claim) -> Response:
    """The visit, and the question; nothing is answered by looking."""
    return htmx.page(PAGE, **_about(actor, claim))


def act(actor: Actor, claim: Claim) -> Response:
    """Yes is kept; no cancels the visit, or says whom to call when it is too late for that."""
    match request.form.get("answer"):
        case "yes":
            answering.promise(actor, claim.subject_id, version=claim.version)
            return htmx.see_other(claim.path)  # which says thank you
        case "no":
            return _cancel(actor, claim)
    raise Invalid(_("Please choose one of the answers."))


def _cancel(actor: Actor, claim: Claim) -> Response:
    visit = answering.look(actor, claim.subject_id, claim.version)
    doctor, practice_id = visit.doctor.name, visit.practice_id
    try:
        answering.cannot_come(actor, claim.subject_id, version=claim.version)
    except Refused as no:
        return htmx.refused(no, PAGE, **_about(actor, claim))
    return htmx.page(DONE, doctor=doctor, practice_id=practice_id)


def _about(actor: Actor, claim: Claim) -> dict[str, Any]:
    visit = answering.look(actor, claim.subject_id, claim.version)
    return {
        "visit": visit,
        "zone": visit.clinic.zone,
        "claim": claim,
        "can_cancel": policy.is_open_to(actor, visit),
        "times": times,
    }


links.register(words.ATTENDANCE, show=show, act=act)

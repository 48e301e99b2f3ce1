"""A patient answers when the clinic has to change visits: signed in, or by the link in the message.

Both doors show the same pages; they differ in who acts and in the address, which is all that is passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.actor import Actor
from portal.core.errors import Invalid, Refused
from portal.core.text import gettext as say
from portal.domain.access.acting import Claim
from portal.domain.changes import answering, listing
from portal.domain.changes.shapes import Answer
from portal.domain.notifications.change_notices import PURPOSE
from portal.web import asked, changes, gate, htmx, links, times
from portal.web.patient import bp

PAGE = ("patient/changes/show.html", "patient/changes/_show.html")
CHOOSE = ("patient/changes/choose.html", "patient/changes/_choose.html")
Reader = Callable[[Actor, UUID], listing.Sheet]  # by the change, or by what the message names


@bp.get("/changes/<uuid:key>", endpoint="change")
def show_signed_in(key: UUID) -> Response:
    """What a change asks of the patients one looks after; ?visit= shows the free times for one visit."""
    return _shown(gate.actor(), listing.for_patient, key, url_for("patient.change", key=key))


@bp.post("/changes/<uuid:key>", endpoint="answer_change")
def act_signed_in(key: UUID) -> AnyResponse:
    """Accept, choose another time, or cancel."""
    return _acted(gate.actor(), listing.for_patient, key, url_for("patient.change", key=key))


def _show_by_link(actor: Actor, claim: Claim) -> Response:
    return _shown(actor, listing.by_message, claim.subject_id, claim.path)


def _act_by_link(actor: Actor, claim: Claim) -> AnyResponse:
    return _acted(actor, listing.by_message, claim.subject_id, claim.path)


links.register(PURPOSE, show=_show_by_link, act=_act_by_link)


def _shown(
    actor: Actor, read: Reader, key: UUID, here: str, no: Refused | None = None, visit: UUID | None = None
) -> Response:
    visit = visit or _asked_visit()
    sheet = read(actor, key)
    line = next((line for line in sheet.lines if line.proposal.id == visit and line.is_asked), None)
    context: dict[str, Any] = {"sheet": sheet, "here": here, "changes": changes, "times": times, "refusal": no}
    page, fragment = PAGE
    if line:
        page, fragment = CHOOSE
        context |= {"line": line, **_times(actor, line, here)}
    if no is None:
        return htmx.page(page, fragment=fragment, **context)
    del context["refusal"]
    return htmx.refused(no, page, fragment=fragment, **context)


def _times(actor: Actor, line: listing.Line, here: str) -> dict[str, Any]:
    """The free times for one visit, and the addresses of other weeks and doctors."""
    place = changes.asked_place() or (line.place.id if line.place else None)
    choice = answering.choices(actor, line.proposal.id, asked.day("from"), place)

    def at(**query: Any) -> str:
        said = {name: value for name, value in query.items() if value is not None}
        return f"{here}?{urlencode({'visit': line.proposal.id, **said})}"

    return changes.picker(choice, at)


def _acted(actor: Actor, read: Reader, key: UUID, here: str) -> AnyResponse:
    visit = None
    try:
        answer = Answer.parse({name: request.form.get(name, "") for name in Answer.model_fields})
        visit = answer.visit if answer.do == "choose" else None
        said = _answer(actor, answer)
    except Refused as no:
        return _shown(actor, read, key, here, no, visit)
    return htmx.done(here, said)


def _answer(actor: Actor, answer: Answer) -> str:
    if answer.do == "accept":
        answering.accept(actor, answer.visit)
        return say("Thank you. Your visit has its new time.")
    if answer.do == "cancel":
        answering.call_off(actor, answer.visit)
        return say("Your visit is cancelled.")
    if answer.starts_at is None:
        raise Invalid(fields={"starts_at": say("Please choose one of the times.")})
    answering.choose(actor, answer.visit, starts_at=answer.starts_at, practice_id=answer.place)
    return say("Thank you. Your visit has the time you chose.")


def _asked_visit() -> UUID | None:
    try:
        return UUID(request.args.get("visit", ""))
    except ValueError:
        return None

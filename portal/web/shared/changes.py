"""Changes that hit booked visits, for the clinic's people: decide visit by visit, save, and see who has answered."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.core.text import ngettext
from portal.domain.changes import answering, applying, listing, planning
from portal.domain.changes.refusals import LookAgain
from portal.domain.changes.shapes import OtherTime
from portal.web import asked, changes, gate, htmx, times
from portal.web.gate import actor

bp = Blueprint("changes", __name__, url_prefix="/changes")
gate.role_only(bp, "doctor", "staff", "admin", "superadmin")

PAGE = ("changes/show.html", "changes/_change.html")
TIMES = ("changes/times.html", "changes/_times.html")


@bp.get("")
def index() -> Response:
    """Changes in force with their answers, and plans that wait to be decided."""
    return htmx.page("changes/index.html", found=listing.recent(actor()), changes=changes)


@bp.get("/<uuid:key>")
def change(key: UUID) -> Response:
    """One change: a plan to decide, or, once it is saved, who has answered what."""
    return _page(key)


@bp.post("/<uuid:key>/apply")
def apply(key: UUID) -> AnyResponse:
    """Save it with what was decided for each visit."""
    try:
        done = applying.apply(actor(), key, _decisions())
    except LookAgain as no:
        planning.renew(actor(), key, _decisions())
        flash(str(no), "warning")
        return htmx.see_other(url_for("changes.change", key=key))
    except Refused as no:
        return _page(key, no)
    return htmx.done(url_for("changes.change", key=done.id), _saved(key))


@bp.post("/<uuid:key>/remember")
def remember(key: UUID) -> AnyResponse:
    """Keep what was ticked: before another time is looked for, or the same for all."""
    decisions = _decisions()
    every = request.form.get("all", "")
    if every in changes.DECISIONS:
        decisions = _for_all(key, every)
    try:
        planning.remember(actor(), key, decisions)
    except Refused as no:
        return _page(key, no)
    if other := _uuid(request.form.get("other", "")):
        return htmx.see_other(url_for("changes.other_times", key=other))
    return htmx.see_other(url_for("changes.change", key=key))


@bp.post("/<uuid:key>/renew")
def renew(key: UUID) -> AnyResponse:
    """Look for times once more, after the held ones went back."""
    planning.renew(actor(), key)
    return htmx.done(url_for("changes.change", key=key), say("These times are held now. Please decide."))


@bp.post("/<uuid:key>/drop")
def drop(key: UUID) -> AnyResponse:
    """Do not save it."""
    planning.drop(actor(), key)
    said = say("Not saved. Nothing was changed, and the held times are free again.")
    return htmx.done(url_for("doctor.time_off" if actor().doctor_id else "changes.index"), said)


@bp.get("/visits/<uuid:key>/times")
def other_times(key: UUID) -> Response:
    """Other free times for one visit, by the rules as they would be."""
    return _times(key)


@bp.post("/visits/<uuid:key>/times")
def propose(key: UUID) -> AnyResponse:
    """Hold another time for a visit."""
    try:
        said = {name: request.form.get(name, "") for name in OtherTime.model_fields}
        wanted = OtherTime.parse(said)
        proposal = planning.propose(actor(), key, starts_at=wanted.starts_at, practice_id=wanted.place)
    except Refused as no:
        return _times(key, no)
    return htmx.done(url_for("changes.change", key=proposal.change_id), say("This time is held for the patient."))


@bp.post("/visits/<uuid:key>/accept")
def accept(key: UUID) -> AnyResponse:
    """The patient agreed on the phone: the visit moves now."""
    proposal = answering.accept(actor(), key)
    return htmx.done(url_for("changes.change", key=proposal.change_id), say("Moved. The patient gets a message."))


def _page(key: UUID, no: Refused | None = None) -> Response:
    sheet = listing.show(actor(), key)
    context: dict[str, Any] = {"sheet": sheet, "changes": changes, "times": times}
    if no is None:
        return htmx.page(PAGE[0], fragment=PAGE[1], refusal=None, **context)
    return htmx.refused(no, PAGE[0], fragment=PAGE[1], **context)


def _times(key: UUID, no: Refused | None = None) -> Response:
    proposal = planning.proposal(actor(), key)
    choice = planning.choices(actor(), key, asked.day("from"), changes.asked_place())
    context = changes.picker(choice, partial(url_for, "changes.other_times", key=key))
    context |= {"proposal": proposal, "visit": proposal.appointment, "times": times}
    if no is None:
        return htmx.page(TIMES[0], fragment=TIMES[1], refusal=None, **context)
    return htmx.refused(no, TIMES[0], fragment=TIMES[1], **context)


def _decisions() -> dict[UUID, str]:
    """What was ticked, by the proposal's id."""
    ticked = {_uuid(name[3:]): value for name, value in request.form.items() if name.startswith("do-")}
    return {key: value for key, value in ticked.items() if key}


def _for_all(key: UUID, decision: str) -> dict[UUID, str]:
    """The same for every visit; where no time is held, the patient chooses instead."""
    lines = listing.show(actor(), key).lines
    return {line.proposal.id: "choose" if decision == "move" and line.place is None else decision for line in lines}


def _saved(key: UUID) -> str:
    asked = listing.show(actor(), key).counts["open"]
    if not asked:
        return say("Saved.")
    return ngettext(
        "Saved. %(n)s visit waits for its patient’s answer; it stands until then.",
        "Saved. %(n)s visits wait for their patients’ answers; they stand until then.",
        asked,
    )


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None

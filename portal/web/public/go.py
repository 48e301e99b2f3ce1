"""Links in messages: GET shows, POST acts, and before any detail the patient's birth date is asked."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Refused, TooMany
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.access import acting
from portal.domain.access.acting import Claim
from portal.domain.access.shapes import ShowBirthDate
from portal.web import htmx, links
from portal.web.forms import DateField, ShapeForm
from portal.web.gate import actor
from portal.web.public import bp


class BirthDateForm(ShapeForm[ShowBirthDate]):
    """Who is it? The question only the patient and those around them can answer."""

    shape = ShowBirthDate

    birth_date = DateField(_("Date of birth"), render_kw={"autocomplete": "off"})


@bp.get("/go/<token>")
def go(token: str) -> AnyResponse:
    """Show what the link leads to, or ask who it is; changes nothing."""
    try:
        claim = acting.read(token)
        way = links.find(claim.purpose)
        if not _is_known(claim):
            return _private(_ask(claim))
        return _private(way.show(acting.actor_for(claim, actor(), request.remote_addr), claim))
    except Refused as no:
        return _private(_over(no))


@bp.post("/go/<token>")
def go_act(token: str) -> AnyResponse:
    """Do what the link is for."""
    try:
        claim = acting.read(token)
        way = links.find(claim.purpose)
        if not _is_known(claim):
            return _private(_ask(claim, status=403))
        return _private(way.act(acting.actor_for(claim, actor(), request.remote_addr), claim))
    except Refused as no:
        return _private(_over(no))


@bp.post("/go/<token>/who")
def go_who(token: str) -> AnyResponse:
    """Check the birth date; then the link shows what it is about."""
    form = BirthDateForm()
    try:
        claim = acting.read(token)
        links.find(claim.purpose)
        if form.accepted():
            acting.prove(claim, birth_date=form.clean.birth_date, address=request.remote_addr)
            links.remember(claim.patient_id)
            return _private(htmx.see_other(claim.path))
        return _private(_ask(claim, form, status=422))
    except TooMany as no:
        return _private(htmx.refused(no, "public/go/ask.html", form=form, claim=claim))
    except Refused as no:
        if "birth_date" in no.fields:
            return _private(htmx.refused(no, "public/go/ask.html", form=form, claim=claim))
        return _private(_over(no))


def _is_known(claim: Claim) -> bool:
    return acting.is_known(actor(), claim) or links.is_remembered(claim.patient_id)


def _ask(claim: Claim, form: BirthDateForm | None = None, status: int = 200) -> Response:
    allow(acting.can_ask(claim), acting.NothingToAsk)
    form = form or BirthDateForm(formdata=None)
    return htmx.page("public/go/ask.html", status=status, form=form, claim=claim)


def _over(no: Refused) -> Response:
    return htmx.refused(no, "public/go/over.html", is_gone=no.status == 410)


def _private(answer: AnyResponse) -> AnyResponse:
    """No cache keeps it, no search engine finds it, and no other site learns the address."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer

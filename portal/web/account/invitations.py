"""Invitations to work at a clinic: answered by the letter's link where there is no account yet, else in the account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for
from werkzeug.wrappers import Response

from portal.core.errors import Gone, NotFound, Refused
from portal.core.text import gettext as say
from portal.domain.clinics import invitations as asked_by_clinics
from portal.domain.doctors import joining
from portal.domain.identity import passwords, sessions
from portal.web import gate, htmx, navigation, terms
from portal.web.account import bp
from portal.web.account.arriving import enter
from portal.web.account.forms import OpenAccountForm

MINE, LINK, OVER = "account/invitations.html", "account/invitation.html", "account/invitation_over.html"


@bp.get("/invitations")
def invitations() -> Response:
    """What clinics ask whoever is signed in."""
    return htmx.page(MINE, **_mine())


@bp.post("/invitations/<uuid:key>/accept")
def accept_invitation(key: UUID) -> Response:
    """Say yes to a clinic."""
    try:
        asked = joining.accept(gate.actor(), key)
    except Refused as no:
        return _refused(no)
    gate.go_on_as(sessions.renew(gate.actor()))  # the account reaches further now
    said = say("Accepted. You work at %(name)s from now on.", name=asked.clinic.name)
    if asked.doctor_id and not asked.email and asked.doctor_id != gate.actor().doctor_id:
        said = say("Accepted. %(name)s receives at %(clinic)s, too.", name=asked.name, clinic=asked.clinic.name)
    return htmx.done(url_for("account.invitations"), said)


@bp.post("/invitations/<uuid:key>/decline")
def decline_invitation(key: UUID) -> Response:
    """Say no to a clinic."""
    try:
        joining.decline(gate.actor(), key)
    except Refused as no:
        return _refused(no)
    return htmx.done(url_for("account.invitations"), say("Declined. The clinic sees that you said no."))


@bp.route("/invitation/<token>", methods=["GET", "POST"])
def invitation(token: str) -> Response:
    """The letter's link: who has no account yet opens one by it, everybody else answers signed in."""
    form = OpenAccountForm()
    try:
        asked = asked_by_clinics.by_token(token)
        if gate.actor().is_signed_in and joining.is_addressed_to(gate.actor(), asked):
            return htmx.see_other(url_for("account.invitations"))
        around: dict[str, Any] = {"asked": asked, "token": token, "minimum": passwords.minimum_length()}
        around |= {"has_account": joining.has_account(asked), "terms": terms}
        if gate.actor().is_signed_in or around["has_account"] or not form.is_submitted():
            form = OpenAccountForm(data={"given_name": asked.given_name, "family_name": asked.family_name})
            return htmx.page(LINK, form=form, **around)
        if not form.accepted():
            return htmx.page(LINK, status=422, form=form, **around)
        user = joining.accept_new(gate.actor(), token, **form.clean.values())
    except Gone as no:
        return htmx.refused(no, OVER)
    except Refused as no:
        return htmx.refused(no, LINK, form=form, **around)
    return enter(user)


@bp.post("/invitation/<token>/decline")
def decline_by_link(token: str) -> Response:
    """Say no by the letter's link, without signing in."""
    try:
        joining.decline_by_link(gate.actor(), token)
    except Gone as no:
        return htmx.refused(no, OVER)
    return htmx.done(url_for("public.home"), say("Declined. The clinic sees that you said no."))


def _refused(no: Refused) -> Response:
    if isinstance(no, NotFound):
        raise no
    return htmx.refused(no, MINE, **_mine())


def _mine() -> dict[str, Any]:
    actor = gate.actor()
    return {"asked": joining.mine(actor), "terms": terms, "home": navigation.home_for(actor)}

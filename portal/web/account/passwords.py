"""Passwords: forgotten, reset by link, changed."""

from __future__ import annotations

from typing import Any

from flask import url_for
from werkzeug.wrappers import Response

from portal.core.errors import Gone, Refused
from portal.core.text import gettext as say
from portal.domain.identity import accounts, credentials, links, passwords
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.arriving import onward
from portal.web.account.forms import ChangePasswordForm, EmailForm, NewPasswordForm
from portal.web.account.registering import remember
from portal.web.account.security import what_ended


@bp.route("/forgot", methods=["GET", "POST"])
def forgot() -> Response:
    """Mail a link to choose a new password; the page that follows is the same for every address."""
    form = EmailForm(data={"email": gate.actor().email})
    around: dict[str, Any] = {"next": onward()}
    if form.accepted():
        try:
            credentials.forgot(gate.actor(), form.clean.email, **remember(form.clean.email, "reset"))
        except Refused as no:
            return htmx.refused(no, "account/forgot.html", form=form, **around)
        return htmx.see_other(url_for("account.check_mail"))
    return htmx.page("account/forgot.html", status=422 if form.is_submitted() else 200, form=form, **around)


@bp.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> Response:
    """Choose a new password by link, then sign in with it; a link that is over says what to do instead."""
    form, page = NewPasswordForm(), "account/reset.html"
    try:
        user = links.look("reset", token).user
        around: dict[str, Any] = {"user": user, "minimum": passwords.minimum_length(), "token": token}
        if not form.accepted():
            return htmx.page(page, status=422 if form.is_submitted() else 200, form=form, **around)
        user, facts = credentials.reset(gate.actor(), token, form.clean.password)
    except Gone as no:
        return htmx.refused(no, "account/reset_over.html")
    except Refused as no:
        return htmx.refused(no, page, form=form, **around)
    gate.sign_out()
    said = say("Your new password is set. Please sign in with it.")
    return htmx.done(url_for("account.sign_in", next=onward(facts.get("next", "")) or None), said)


@bp.route("/password", methods=["GET", "POST"])
def password() -> Response:
    """Change the password, knowing the present one."""
    form = ChangePasswordForm()
    user = accounts.get(gate.actor().user_id)
    around: dict[str, Any] = {"minimum": passwords.minimum_length(), "has_password": bool(user.password_hash)}
    if form.accepted():
        try:
            ended = credentials.change(gate.actor(), **form.clean.values())
        except Refused as no:
            return htmx.refused(no, "account/password.html", form=form, **around)
        gate.go_on_as(ended.cookie)
        return htmx.done(url_for("account.security"), what_ended(say("Your password is changed."), ended))
    return htmx.page("account/password.html", status=422 if form.is_submitted() else 200, form=form, **around)

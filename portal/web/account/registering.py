"""Making an account and showing that its e-mail address is one's own."""

from __future__ import annotations

from typing import Any

from flask import request, session, url_for
from werkzeug.wrappers import Response

from portal.core import secrets
from portal.core.errors import Gone, Refused
from portal.core.text import gettext as say
from portal.core.text import language as spoken
from portal.domain.identity import accounts, credentials, links, passwords
from portal.domain.identity.models import User
from portal.domain.patients import registering
from portal.web import gate, htmx, navigation
from portal.web.account import bp
from portal.web.account.arriving import enter, has_mailbox, onward
from portal.web.account.forms import EmailForm, NewPasswordForm, RegisterForm

PAGE = "account/register.html"


@bp.route("/register", methods=["GET", "POST"])
def register() -> Response:
    """Make an account; the page that follows is the same whether the address has one already."""
    if gate.actor().is_signed_in:
        return htmx.see_other(onward() or navigation.home_for(gate.actor()))
    form = RegisterForm(fixed={"locale": spoken()})
    around: dict[str, Any] = {"next": onward(), "minimum": passwords.minimum_length()}
    if form.accepted():
        try:
            facts = {"mark": _mark(), **remember(form.clean.email, "verify")}
            registering.register(gate.actor(), **form.clean.values(), **facts)
        except Refused as no:
            return htmx.refused(no, PAGE, form=form, **around)
        return htmx.see_other(url_for("account.check_mail"))
    return htmx.page(PAGE, status=422 if form.is_submitted() else 200, form=form, **around)


@bp.get("/check-mail")
def check_mail() -> Response:
    """Say that a mail is on its way, to whoever has just asked for one."""
    if "mailed" not in session:
        return htmx.see_other(url_for("account.sign_in"))
    return htmx.page("account/check_mail.html", mailed=session["mailed"], has_mailbox=has_mailbox())


@bp.post("/resend")
def resend() -> Response:
    """Send the mail again: to whoever is signed in and not verified, or who has just asked for it here."""
    if gate.actor().is_signed_in:
        accounts.send_verification(gate.actor(), **remember(gate.actor().email, "verify"))
        return htmx.see_other(url_for("account.check_mail"))
    mailed = session.get("mailed") or {}
    form = EmailForm(data={"email": mailed.get("email", "")})
    if not form.accepted():
        return htmx.page("account/verify_over.html", status=422, resend=form)
    if mailed.get("why") == "reset":
        credentials.forgot(gate.actor(), form.clean.email, **remember(form.clean.email, "reset"))
    else:
        accounts.send_verification(gate.actor(), form.clean.email, **remember(form.clean.email, "verify"))
    return htmx.done(url_for("account.check_mail"), say("We have sent it again."))


@bp.route("/verify/<token>", methods=["GET", "POST"])
def verify(token: str) -> Response:
    """Opening the link only shows a button (mail scanners open links too); pressing it verifies the address.

    In the browser in which the account was made the password stays. In any other a password is chosen: whoever made
    the account may not be the one who owns the address.
    """
    form, who = NewPasswordForm(), gate.actor()
    try:
        user = links.look("verify", token).user
        is_own = accounts.is_made_here(who, user, _mark())
        around: dict[str, Any] = {"user": user, "token": token, "is_own": is_own, "minimum": passwords.minimum_length()}
        chosen = form.clean.password if not is_own and form.accepted() else None
        if request.method == "GET" or (chosen is None and not is_own):
            return htmx.page("account/verify.html", status=200 if request.method == "GET" else 422, form=form, **around)
        user, facts, cookie = accounts.verify_email(who, token, mark=_mark(), password=chosen)
    except Gone as no:
        return htmx.refused(no, "account/verify_over.html", form=None, resend=EmailForm(formdata=None))
    except Refused as no:
        return htmx.refused(no, "account/verify.html", form=form, **around)
    return _verified(user, onward(facts.get("next", "")), cookie)


def _verified(user: User, target: str, cookie: str) -> Response:
    """Go on in the account that is confirmed, unless this browser is signed in to another one."""
    if cookie:
        who = gate.go_on_as(cookie)
        return htmx.done(target or navigation.home_for(who), say("Thank you. Your e-mail is confirmed."))
    if gate.actor().is_signed_in:
        return htmx.done(navigation.home_for(gate.actor()), say("The e-mail of another account is confirmed."))
    return enter(user, target)


def remember(email: str, why: str) -> dict[str, Any]:
    """Keep in this browser what was mailed to whom; returns the facts that travel with the mail's link."""
    target = onward() or (session.get("mailed") or {}).get("next", "")
    session["mailed"] = {"email": email, "why": why, "next": target}
    return {"next": target}


def _mark() -> str:
    """A secret by which this browser is known again as the one that chose an account's password."""
    if "mark" not in session:
        session["mark"] = secrets.make_token(16)
    return str(session["mark"])

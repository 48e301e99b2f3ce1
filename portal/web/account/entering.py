"""Signing in and out."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from werkzeug.wrappers import Response

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.identity import sessions
from portal.domain.identity.challenges import SecondFactorRequired
from portal.domain.identity.mail_challenges import MailCodeRequired
from portal.web import gate, htmx, navigation
from portal.web.account import bp
from portal.web.account.arriving import ask_for_code, ask_for_mail_code, let_in, onward, provider_name, user_agent
from portal.web.account.forms import SignInForm

PAGE = "account/sign_in.html"


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    """Ask for e-mail and password; whoever is signed in already goes on."""
    form = SignInForm()
    if form.accepted():
        try:
            _, token = sessions.sign_in(gate.actor(), **form.clean.values(), user_agent=user_agent())
        except SecondFactorRequired as needed:
            return ask_for_code(needed)
        except MailCodeRequired as needed:
            return ask_for_mail_code(needed)
        except Refused as no:
            return htmx.refused(no, PAGE, form=form, **around())
        return let_in(token)
    if form.is_submitted():
        return htmx.page(PAGE, status=422, form=form, **around())
    if gate.actor().is_signed_in:
        return htmx.see_other(onward() or navigation.home_for(gate.actor()))
    return htmx.page(PAGE, form=form, **around())


@bp.post("/sign-out")
def sign_out() -> Response:
    """End this session, on the server too."""
    sessions.sign_out(gate.actor())
    gate.sign_out()
    return htmx.done(url_for("public.home"), say("You are signed out."))


def around() -> dict[str, Any]:
    """What the sign-in page shows beside its form."""
    demo = current_app.extensions.get("portal.demo_accounts")
    return {"next": onward(), "demo_accounts": demo() if demo else None, "provider": provider_name()}

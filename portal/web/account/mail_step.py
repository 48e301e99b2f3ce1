"""Finishing a sign-in by mail, after too many wrong passwords were tried for the account."""

from __future__ import annotations

from typing import Any

from flask import session, url_for
from werkzeug.wrappers import Response

from portal.core.errors import Refused
from portal.domain.identity import mail_step
from portal.domain.identity.challenges import ChallengeOver, SecondFactorRequired
from portal.web import gate, htmx
from portal.web.account import bp
from portal.web.account.arriving import BY_MAIL, ask_for_code, has_mailbox, let_in, onward, user_agent
from portal.web.account.entering import PAGE as SIGN_IN
from portal.web.account.entering import around as around_sign_in
from portal.web.account.forms import MailCodeForm, SignInForm

PAGE = "account/mail_step.html"


@bp.route("/sign-in/mail", methods=["GET", "POST"])
def mail_step_of_sign_in() -> Response:
    """Ask for the code that was mailed if the password was right; the page is the same if it was not."""
    challenge = session.get(BY_MAIL)
    if not challenge:
        return htmx.see_other(url_for("account.sign_in", next=onward() or None))
    form = MailCodeForm()
    around: dict[str, Any] = {"next": onward(), "has_mailbox": has_mailbox()}
    if not form.accepted():
        return htmx.page(PAGE, status=422 if form.is_submitted() else 200, form=form, **around)
    try:
        _, token = mail_step.open_session(gate.actor(), challenge, form.clean.code, user_agent())
    except SecondFactorRequired as needed:
        session.pop(BY_MAIL)
        return ask_for_code(needed)
    except ChallengeOver as no:
        session.pop(BY_MAIL)
        return htmx.refused(no, SIGN_IN, form=SignInForm(formdata=None), **around_sign_in())
    except Refused as no:
        return htmx.refused(no, PAGE, form=form, **around)
    return let_in(token)

"""What every way of signing in has in common: the session is opened, and the person goes on where they wanted to."""

from __future__ import annotations

from flask import current_app, request, session, url_for
from werkzeug.wrappers import Response

from portal.core.errors import Unauthenticated, refuse
from portal.domain.access import actors
from portal.domain.identity import sessions
from portal.domain.identity.challenges import SecondFactorRequired
from portal.domain.identity.mail_challenges import MailCodeRequired
from portal.domain.identity.models import User
from portal.domain.scheduling import holds
from portal.web import gate, held, navigation
from portal.web.htmx import see_other

PROVIDER = "portal.oidc"
HALF_IN = "half_in"  # where this browser keeps the challenge between the password and the code
BY_MAIL = "by_mail"  # and where it keeps the one that a code by mail answers


def onward(target: str | None = None) -> str:
    """Where the person wanted to go, as `next` says; empty when it says nothing or another site."""
    return gate.safe_next(target if target is not None else request.values.get("next"), "")


def enter(user: User, target: str = "") -> Response:
    """Let in whoever has just shown that they are `user`, or ask for the code where a second factor stands."""
    try:
        _, token = sessions.enter(gate.actor(), user, user_agent())
    except SecondFactorRequired as needed:
        return ask_for_code(needed, target)
    return let_in(token, target)


def ask_for_code(needed: SecondFactorRequired, target: str = "") -> Response:
    """Half a sign-in: this browser keeps a signed note of it for some minutes, and no session yet."""
    session[HALF_IN] = needed.challenge
    return see_other(url_for("account.second_step_of_sign_in", next=onward(target or None) or None))


def ask_for_mail_code(needed: MailCodeRequired) -> Response:
    """A sign-in that a code by mail has to finish: this browser keeps its challenge for some minutes."""
    session[BY_MAIL] = needed.challenge
    return see_other(url_for("account.mail_step_of_sign_in", next=onward() or None))


def let_in(token: str, target: str = "") -> Response:
    """Give this browser the session of `token`; an earlier one of this browser ends."""
    if gate.actor().session_id:
        sessions.sign_out(gate.actor())
    arrived = actors.by_session(token, request.remote_addr) or refuse(Unauthenticated)
    gate.sign_in(token, arrived)
    holds.claim(arrived, held.token())
    return see_other(onward(target or None) or navigation.home_for(arrived))


def user_agent() -> str:
    """What the browser calls itself, for the list of sessions."""
    return request.user_agent.string


def provider_name() -> str:
    """What the OpenID Connect provider is called; empty when there is none."""
    if PROVIDER not in current_app.extensions:
        return ""
    return current_app.extensions["portal.settings"].oidc_name or "OpenID Connect"


def has_mailbox() -> bool:
    """Whether mail is kept here and can be read at /dev/mail."""
    return "dev.mail" in current_app.view_functions

"""One's own account: registering, signing in and out, passwords, sessions, profile, language."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from portal.web import gate

bp = Blueprint("account", __name__, url_prefix="/account")

# Everything else here needs a session.
OPEN = frozenset(
    {
        "sign_in",
        "second_step_of_sign_in",
        "mail_step_of_sign_in",
        "register",
        "check_mail",
        "resend",
        "verify",
        "forgot",
        "reset",
        "invitation",
        "decline_by_link",
        "factor_help",
        "language",
        "theme",
        "provider",
        "provider_back",
    }
)
bp.portal_open = frozenset(f"account.{name}" for name in OPEN)  # type: ignore[attr-defined]
bp.portal_roles = ("anyone signed in",)  # type: ignore[attr-defined]


@bp.before_request
def _check() -> AnyResponse | None:
    if request.endpoint in bp.portal_open or gate.actor().is_signed_in:  # type: ignore[attr-defined]
        return None
    return gate.ask_to_sign_in()


@bp.after_request
def _keep_nothing(answer: Response) -> Response:
    """Pages with a link's token, a password field or a person's data are not kept by any cache."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


from portal.web.account import (  # noqa: E402 - the views register themselves on the blueprint
    calendars,
    entering,
    factors,
    invitations,
    mail_step,
    oidc,
    passwords,
    preferences,
    profile,
    proving,
    registering,
    security,
)

__all__ = [
    "bp",
    "calendars",
    "entering",
    "factors",
    "invitations",
    "mail_step",
    "oidc",
    "passwords",
    "preferences",
    "profile",
    "proving",
    "registering",
    "security",
]

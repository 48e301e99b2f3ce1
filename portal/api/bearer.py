"""Who asks: a bearer token in the Authorization header (RFC 6750), and nothing else. Cookies mean nothing here."""

from __future__ import annotations

from flask import request

from portal.core import phones
from portal.core.actor import NOBODY, Actor
from portal.core.errors import Forbidden, Refused, Unauthenticated
from portal.core.text import lazy as _
from portal.core.text import preferred, speak
from portal.domain.access import actors
from portal.domain.clinics import countries


class NoToken(Unauthenticated):
    """No token came with the request."""

    code = "no_token"
    sentence = _("Please send an access token in the header Authorization: Bearer ….")


class TokenInAddress(Refused):
    """A token stands in the address, where logs and histories keep it (RFC 9700, section 4.3.2)."""

    code, status = "token_in_address", 400
    sentence = _("Please send the token in the header Authorization, never in an address: those end in logs.")


class InsufficientScope(Forbidden):
    """The token was given for less than this."""

    code = "insufficient_scope"
    sentence = _("This token was not given for that. Please sign in again and ask for the scope.")


def caller(required: bool) -> Actor:
    """Whoever the token stands for; nobody when none came and none is required. Raises NoToken or TokenRefused.

    A token that came is always checked: a bad one is refused even where none is needed, one in the address everywhere.
    """
    shown = token()
    phones.ask_nobody()
    if shown is None:
        if required:
            raise NoToken
        return NOBODY.at("api", request.remote_addr)
    actor = actors.by_bearer(shown, request.remote_addr)
    phones.ask(lambda: countries.of(actor))
    if not asked_language():
        speak(actor.locale)
    return actor


def token() -> str | None:
    """The token in the header, None when there is no such header; raises NoToken for anything else in it."""
    if "access_token" in request.args:
        raise TokenInAddress
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _space, shown = header.partition(" ")
    if scheme.casefold() != "bearer" or not shown.strip():
        raise NoToken
    return shown.strip()


def need(actor: Actor, scope: str) -> None:
    """Go on if the token was given for `scope`; a person's own token with no scopes named is good for all of them."""
    if not actor.may_use(scope):
        raise InsufficientScope(scope=scope)


def asked_language() -> str | None:
    """The language the request asks for, if it is one of ours."""
    return preferred(request.accept_languages.values())

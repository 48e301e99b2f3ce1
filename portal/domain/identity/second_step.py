"""Finishing a sign-in that asked for a second factor: a session for a browser, tokens for a program."""

from __future__ import annotations

from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.domain.identity import challenges, factors, sessions, tokens
from portal.domain.identity.models import UserSession


def open_session(actor: Actor, challenge: str, code: str, user_agent: str = "") -> tuple[UserSession, str]:
    """Open a session for whoever has the code as well; returns it with the token for the cookie.

    Raises ChallengeOver, WrongCode or TooMany.
    """
    return sessions.start(actor, _shown(actor, "web", challenge, code).user, user_agent)


def grant_tokens(actor: Actor, challenge: str, code: str) -> tokens.Grant:
    """Tokens for the program that showed the password before; raises ChallengeOver, WrongCode or TooMany."""
    shown = _shown(actor, "api", challenge, code)
    return tokens.start(actor, shown.user, shown.facts["label"], shown.facts["scopes"])


def _shown(actor: Actor, door: str, challenge: str, code: str) -> challenges.Challenge:
    shown = challenges.read(door, challenge)
    try:
        factors.check(actor, shown.user, code)
    except NotFound:  # taken away in the meantime
        raise challenges.ChallengeOver from None
    return shown

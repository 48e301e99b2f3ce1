"""Finishing a sign-in that asked for a code by mail: a session for a browser, tokens for a program."""

from __future__ import annotations

from portal.core import limits
from portal.core.actor import Actor
from portal.core.errors import Gone, Invalid
from portal.core.text import lazy as _
from portal.domain.identity import factors, letters, links, mail_challenges, sessions, tokens
from portal.domain.identity.mail_challenges import MailChallenge
from portal.domain.identity.models import User, UserSession

PER_CHALLENGE = "5 per 15 minutes"  # wrong codes; there are a hundred million


class WrongMailCode(Invalid):
    """Not the code that was mailed for this challenge, or there was none."""

    code = "wrong_mail_code"
    sentence = _("This is not the code we mailed. If no mail came, the password was wrong: please sign in again.")

    def __init__(self) -> None:
        super().__init__(fields={"code": type(self).sentence}, audit="session.refused")


def open_session(actor: Actor, challenge: str, code: str, user_agent: str = "") -> tuple[UserSession, str]:
    """Open a session for whoever has the code as well; returns it with the token for the cookie.

    Raises ChallengeOver, WrongMailCode, TooMany, or SecondFactorRequired where another code has to follow.
    """
    return sessions.enter(actor, _shown(actor, "web", challenge, code)[1], user_agent)


def grant_tokens(actor: Actor, challenge: str, code: str) -> tokens.Grant:
    """Tokens for the program that showed the password before; raises as open_session does."""
    shown, user = _shown(actor, "api", challenge, code)
    return tokens.enter(actor, user, shown.facts["label"], shown.facts["scopes"])


def _shown(actor: Actor, door: str, challenge: str, code: str) -> tuple[MailChallenge, User]:
    shown = mail_challenges.read(door, challenge)
    with limits.failures((sessions.PER_PLACE, "sign-in-place", actor.place), (PER_CHALLENGE, "mail-code", shown.key)):
        try:
            user = links.use("sign_in", letters.code_token(shown.key, factors.plain(code))).user
        except Gone:
            raise WrongMailCode from None
    sessions.forget_tries(actor, user)
    return shown, user

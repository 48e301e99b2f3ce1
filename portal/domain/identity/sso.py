"""Signing in with an OpenID Connect provider: an account is known by its link, or linked by its verified e-mail."""

from __future__ import annotations

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Forbidden
from portal.core.events import record
from portal.core.text import lazy as _
from portal.domain.identity import accounts, sessions
from portal.domain.identity.models import SsoLink, User, UserSession


class NoAccountYet(Forbidden):
    """The provider knows the person, the portal does not."""

    code = "sso_no_account"
    sentence = _(
        "There is no account with this e-mail yet. Please register first, or ask your clinic for an invitation."
    )


class AddressNotVerified(Forbidden):
    """The provider does not vouch for the e-mail, so it could be anybody's."""

    code = "sso_not_verified"
    sentence = _("Your provider has not verified your e-mail. Please verify it there, or sign in with your password.")


def sign_in(
    actor: Actor, *, issuer: str, subject: str, email: str, email_verified: bool, user_agent: str = ""
) -> tuple[UserSession, str]:
    """Open a session for whoever the provider says it is; returns it with the token for the cookie.

    `issuer`, `subject`, `email` and `email_verified` come from a validated id_token (OpenID Connect Core 1.0, 5.7: only
    issuer and subject together name a person for good). Raises NoAccountYet, AddressNotVerified, or
    SecondFactorRequired where a code has to follow.
    """
    user = _linked(issuer, subject) or _link(actor, issuer, subject, email, email_verified)
    if not user.is_active:
        raise NoAccountYet(audit="session.refused", user_id=user.id)
    return sessions.enter(actor, user, user_agent)


def _linked(issuer: str, subject: str) -> User | None:
    link = select(SsoLink.user_id).where(SsoLink.issuer == issuer, SsoLink.subject == subject)
    return session().scalars(select(User).where(User.id.in_(link))).one_or_none()


def _link(actor: Actor, issuer: str, subject: str, email: str, email_verified: bool) -> User:
    if not email_verified or not email:
        raise AddressNotVerified
    user = accounts.by_email(email)
    if user is None or not user.is_active:
        raise NoAccountYet
    if not user.is_verified:
        # whoever registered this address never showed that it was theirs: their password must not open it now
        user.password_hash = None
        sessions.end_all(user.id)
        user.email_verified_at = clock.now()
        record(actor, "user.verified", user)
    link = SsoLink(user_id=user.id, issuer=issuer, subject=subject)
    session().add(link)
    session().flush()
    record(actor, "sso.linked", link, user_id=user.id)
    return user

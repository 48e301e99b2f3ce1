"""Signing in with an OpenID Connect provider: an account is known by its link, or linked by its verified e-mail."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Forbidden, NotFound
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.identity import accounts, acts_for, letters, sessions
from portal.domain.identity.acts_for import Thing
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
    # whoever registered an address that was never verified may not own it: their password must not open it now either
    occasion = acts_for.LINKED if user.is_verified else acts_for.VERIFIED
    ended = acts_for.end(actor, user, occasion)
    if not user.is_verified:
        user.email_verified_at = clock.now()
        record(actor, "user.verified", user)
    link = SsoLink(user_id=user.id, issuer=issuer, subject=subject)
    session().add(link)
    session().flush()
    record(actor, "sso.linked", link, user_id=user.id)
    letters.tell_ended(user, acts_for.LINKED, ended)
    return user


def unlink(actor: Actor, link_id: UUID) -> None:
    """The provider signs the actor in no more, until it vouches for the address again. Raises NotFound."""
    gone = delete(SsoLink).where(SsoLink.id == link_id, SsoLink.user_id == actor.user_id).returning(SsoLink.id)
    allow(session().scalar(gone) is not None, NotFound)
    record(actor, "sso.unlinked", user_id=actor.user_id, link_id=link_id)


def _things(_actor: Actor, user_id: UUID) -> list[Thing]:
    links = session().scalars(select(SsoLink).where(SsoLink.user_id == user_id).order_by(SsoLink.created_at))
    return [
        Thing("provider", link.id, urlsplit(link.issuer).hostname or link.issuer, link.created_at) for link in links
    ]


def _end(_actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    return len(session().scalars(delete(SsoLink).where(SsoLink.user_id == user_id).returning(SsoLink.id)).all())


ACTS = acts_for.Kind(
    "provider",
    frozenset({SsoLink.__tablename__}),
    _end,
    find=_things,
    end_one=unlink,
    counted=lambda n: ngettext("%(n)s sign-in with a provider", "%(n)s sign-ins with a provider", n),
)

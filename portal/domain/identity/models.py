"""Accounts, their sessions, their one-time links and their programs' tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Changing, Identified
from portal.core.emails import EmailAddress
from portal.core.folding import FUNCTION
from portal.core.names import only_names

# what the superadmin's search looks through, in SQL
SEARCHED = f"{FUNCTION}(given_name || ' ' || family_name) || ' ' || email::text"


class User(Base, Changing):
    """One account of one person; what they may do comes from their memberships and profiles."""

    email: Mapped[str] = mapped_column(EmailAddress, unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    locale: Mapped[str] = mapped_column(String(2), default="en")
    is_superadmin: Mapped[bool] = mapped_column(default=False)
    email_verified_at: Mapped[datetime | None]
    password_changed_at: Mapped[datetime | None]
    deactivated_at: Mapped[datetime | None]
    last_signed_in_at: Mapped[datetime | None]
    access_since: Mapped[datetime | None]  # what was let in before acts no more (acts_for)
    registered_mark: Mapped[str | None] = mapped_column(String(64))  # of the browser that chose the password

    __table_args__ = (
        CheckConstraint("locale IN ('en', 'fr', 'ar')", name="locale"),
        CheckConstraint("email::text !~ '[A-Z[:space:]]' AND email::text IS NFKC NORMALIZED", name="email_normalised"),
        CheckConstraint(only_names("given_name", "family_name"), name="names"),
        Index(
            "ix_users_search",
            text(f"({SEARCHED}) gin_trgm_ops"),
            postgresql_using="gin",
        ),
    )

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def greeted_as(self) -> str:
        """What a letter calls them: nothing before the address is shown to be theirs, for anybody may have typed it."""
        return self.name if self.is_verified else ""

    @property
    def is_active(self) -> bool:
        return self.deactivated_at is None

    @property
    def is_verified(self) -> bool:
        return self.email_verified_at is not None


class UserSession(Base, Identified):
    """One signed-in browser. The cookie holds a token, this row its fingerprint, so it can be ended from here."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    sudo_until: Mapped[datetime | None]
    address: Mapped[str | None] = mapped_column(String(64))
    place: Mapped[str | None] = mapped_column(String(64))  # of the address (core.places): where its owner is known
    user_agent: Mapped[str | None] = mapped_column(String(300))
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")


class OneTimeToken(Base, Identified):
    """A link or code that works once: verify an address, reset a password, prove a sign-in."""

    purpose: Mapped[str] = mapped_column(String(12))  # verify, reset, sign_in
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)

    user: Mapped[User] = relationship(lazy="raise")

    __table_args__ = (CheckConstraint("purpose IN ('verify', 'reset', 'sign_in')", name="purpose"),)


class TokenFamily(Base, Identified):
    """One sign-in of a program: all refresh tokens that grew from it live and die together."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[UUID | None] = mapped_column(ForeignKey("oauth_clients.id", ondelete="CASCADE"), index=True)
    label: Mapped[str | None] = mapped_column(String(200))
    place: Mapped[str | None] = mapped_column(String(64))  # where the person signed in themselves, as in UserSession
    scopes: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(20))


class RefreshToken(Base, Identified):
    """One refresh token; using it makes the next and spends this one. Using a spent one ends the family."""

    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_families.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    spent_at: Mapped[datetime | None]


class SsoLink(Base, Identified):
    """A person's account at an OpenID Connect provider."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(255))

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

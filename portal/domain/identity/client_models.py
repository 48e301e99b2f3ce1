"""Programs that are known to the portal: OAuth 2.1 clients and the codes they are given."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Changing, Identified
from portal.domain.identity.models import User

GRANTS = ("authorization_code", "client_credentials")


class OAuthClient(Base, Changing):
    """A program: what it is called, where people are sent back to, and what it may ask for.

    Without a secret it is public and proves itself by PKCE alone. With client credentials it acts as its
    `service_user`, so it can do what that account's roles and its own scopes allow, and nothing else.
    """

    __tablename__ = "oauth_clients"

    client_id: Mapped[str] = mapped_column(String(48), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    website: Mapped[str] = mapped_column(String(300), default="")
    secret_fingerprint: Mapped[str | None] = mapped_column(String(64))
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(String(500)), default=list, server_default=text("'{}'"))
    grants: Mapped[list[str]] = mapped_column(ARRAY(String(24)))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    clinic_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    service_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    made_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]

    service_user: Mapped[User | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint(
            "grants <@ ARRAY['authorization_code', 'client_credentials']::varchar[] AND cardinality(grants) >= 1",
            name="grants",
        ),
        CheckConstraint(
            "NOT 'client_credentials' = ANY(grants)"
            " OR (secret_fingerprint IS NOT NULL AND service_user_id IS NOT NULL)",
            name="confidential",
        ),
    )

    @property
    def is_public(self) -> bool:
        return self.secret_fingerprint is None

    @property
    def kind(self) -> str:
        """app, server or service: how it proves itself and for whom it acts."""
        if "client_credentials" in self.grants:
            return "service"
        return "app" if self.is_public else "server"


class AuthorizationCode(Base, Identified):
    """A code on its way from the consent page to the client: works once, for a minute, with its PKCE verifier."""

    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_clients.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    redirect_uri: Mapped[str] = mapped_column(String(500))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    challenge: Mapped[str] = mapped_column(String(128))  # S256
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    family_id: Mapped[UUID | None] = mapped_column(ForeignKey("token_families.id", ondelete="SET NULL"))

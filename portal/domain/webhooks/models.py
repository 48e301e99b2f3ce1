"""Receivers of webhooks, what each is to be told, and every try."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, or_, text
from sqlalchemy import true as always
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core.actor import ADMIN, Actor
from portal.core.db import Base, Changing, Identified
from portal.domain.clinics.models import Clinic


class WebhookEndpoint(Base, Changing):
    """An address that is told of events of a clinic, or of what its owner may see.

    The signing secret is derived from the installation's key, the id and `secret_version`, so it is not stored.
    """

    __tablename__ = "webhook_endpoints"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[UUID | None] = mapped_column(ForeignKey("oauth_clients.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(String(200), default="")
    events: Mapped[list[str]] = mapped_column(ARRAY(String(60)))  # such as appointment.booked; empty is all
    secret_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    rotated_at: Mapped[datetime | None]  # the secret before this one signs for a day more
    state: Mapped[str] = mapped_column(String(8), default="active")
    paused_why: Mapped[str] = mapped_column(String(24), default="")
    failing_since: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    served_until: Mapped[datetime | None]  # until then it is one worker's turn to send

    clinic: Mapped[Clinic | None] = relationship(lazy="raise")

    __table_args__ = (CheckConstraint("state IN ('active', 'paused')", name="state"),)

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """Its owner's, and the admins' of its clinic."""
        if actor.is_superadmin:
            return always()
        return or_(cls.user_id == actor.user_id, cls.clinic_id.in_(actor.clinics_as(ADMIN)))


class WebhookMessage(Base, Identified):
    """One event for one receiver. Messages about the same object go out one after the other, oldest first."""

    __tablename__ = "webhook_messages"

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[UUID]
    event_seq: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(String(60))
    object_key: Mapped[str] = mapped_column(String(100))  # such as appointment:<id>
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    endpoint: Mapped[WebhookEndpoint] = relationship(lazy="raise")
    tries: Mapped[list[WebhookTry]] = relationship(
        back_populates="message", lazy="raise", order_by="WebhookTry.created_at"
    )

    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        CheckConstraint("state IN ('waiting', 'sent', 'failed')", name="state"),
        Index("ix_webhook_messages_log", "endpoint_id", "event_seq"),
        Index(
            "ix_webhook_messages_waiting", "endpoint_id", "object_key", "event_seq",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_webhook_messages_due", "due_at", postgresql_where=text("state = 'waiting'")),
    )  # fmt: skip


class WebhookTry(Base, Identified):
    """One try to deliver a message: what the receiver answered, or why there was no answer."""

    __tablename__ = "webhook_tries"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_messages.id", ondelete="CASCADE"), index=True)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    took_ms: Mapped[int]
    error: Mapped[str] = mapped_column(String(300), default="")

    message: Mapped[WebhookMessage] = relationship(back_populates="tries", lazy="raise")

"""Notifications people see, and each try to tell them by a channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, and_, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from portal.core.actor import Actor
from portal.core.db import Base, Identified


class Notification(Base, Identified):
    """Something one person was told in the app. Its words are made when it is read, in the reader's language."""

    seq: Mapped[int] = mapped_column(BigInteger, server_default=text("nextval('events_seq_seq')"))  # one row of numbers
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))  # such as appointment.confirmed
    key: Mapped[str] = mapped_column(String(160), unique=True)  # the same thing is told once
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    read_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]  # taken off the list by its reader; the row stays, so that it is not told again

    __table_args__ = (
        Index("ix_notifications_user", "user_id", "created_at"),
        Index("ix_notifications_user_seq", "user_id", "seq"),
        Index("ix_notifications_seq", "seq", unique=True),
        Index("ix_notifications_unread", "user_id", postgresql_where=text("read_at IS NULL")),
    )

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        return and_(cls.user_id == actor.user_id, cls.removed_at.is_(None))


class Delivery(Base, Identified):
    """One message to one person by one channel, and what became of it."""

    notification_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("notifications.id", ondelete="SET NULL"), index=True
    )
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    subject_type: Mapped[str] = mapped_column(String(40), default="", server_default="")  # what it is about, when it
    subject_id: Mapped[UUID | None]  # goes to somebody without an account, who has no notification
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    channel: Mapped[str] = mapped_column(String(8))
    notice: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="waiting")  # waiting, sent, void, failed
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("channel IN ('email', 'sms', 'push')", name="channel"),
        CheckConstraint("state IN ('waiting', 'sent', 'void', 'failed')", name="state"),
        CheckConstraint("num_nonnulls(user_id, patient_id) >= 1", name="somebody"),
    )

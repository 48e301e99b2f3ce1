"""What a clinic reminds of and when, and the ledger of what was sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Changing
from portal.domain.scheduling.models import Appointment

CHANNELS = ("email", "sms", "push")


class ReminderStep(Base, Changing):
    """A clinic reminds so many minutes before a visit, by the first of these channels that works."""

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    minutes_before: Mapped[int]
    channels: Mapped[list[str]] = mapped_column(ARRAY(String(8)))  # in the order they are tried
    asks: Mapped[bool] = mapped_column(default=False)  # asks “will you come?”

    __table_args__ = (
        UniqueConstraint("clinic_id", "minutes_before"),
        CheckConstraint("minutes_before BETWEEN 15 AND 43200", name="minutes_before"),
        CheckConstraint(
            "channels <@ ARRAY['email', 'sms', 'push']::varchar[] AND cardinality(channels) BETWEEN 1 AND 3",
            name="channels",
        ),
    )


class Reminder(Base, Changing):
    """The ledger: one reminder of one version of an appointment, for one step, by one channel, is sent once."""

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id", ondelete="CASCADE"))
    version: Mapped[int]
    minutes_before: Mapped[int]
    channel: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting, sent, failed, void
    planned_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    appointment: Mapped[Appointment] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("appointment_id", "version", "minutes_before", "channel", name="uq_reminders_once"),
        CheckConstraint("state IN ('waiting', 'sent', 'failed', 'void')", name="state"),
        CheckConstraint("channel IN ('email', 'sms', 'push')", name="channel"),
        Index("ix_reminders_waiting", "planned_at", postgresql_where=text("state = 'waiting'")),
    )

"""The second factor of an account: an authenticator app's secret, and the codes for the day the phone is gone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Changing, Identified


class SecondFactor(Base, Changing):
    """The secret an authenticator app shares with us (RFC 6238), encrypted; it counts once it was confirmed.

    `last_step` is the latest half minute of which a code was taken: that code and all before it are worth nothing now.
    """

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    secret: Mapped[bytes]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)

    @property
    def stands(self) -> bool:
        return self.confirmed_at is not None


class RecoveryCode(Base, Identified):
    """One of the codes that open the account once without the app; only its keyed digest is known here."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("user_id", "fingerprint"),)

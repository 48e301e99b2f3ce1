"""Clinics, memberships, the invitations that come before them, and holidays."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    or_,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import ADMIN, DOCTOR, PHARMACIST, STAFF, Actor
from portal.core.db import Base, Changing, Identified
from portal.core.emails import EmailAddress
from portal.core.folding import folded
from portal.domain.identity.models import User


class Clinic(Base, Changing):
    """A place where doctors practise. Its time zone is the one in which its hours are meant."""

    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    address: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(80))
    region: Mapped[str] = mapped_column(String(80), default="")
    postcode: Mapped[str] = mapped_column(String(16), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    time_zone: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(String(32), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    currency: Mapped[str] = mapped_column(String(3), default="DZD")
    opening_hours: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # {"mon": [["08:00", "17:00"]], …}
    search_name: Mapped[str] = mapped_column(String(300), Computed(folded("name", "city", "region", most=300)))
    is_active: Mapped[bool] = mapped_column(default=True)

    country: Mapped[str] = mapped_column(String(2), default="DZ", server_default="DZ")  # ISO 3166-1, for its holidays
    quiet_from: Mapped[time] = mapped_column(default=time(21), server_default="21:00")  # no message that can wait
    quiet_until: Mapped[time] = mapped_column(default=time(8), server_default="08:00")
    late_minutes: Mapped[int] = mapped_column(SmallInteger, default=10, server_default="10")  # still counts as on time
    no_show_minutes: Mapped[int | None] = mapped_column(SmallInteger)  # after its start; None leaves it to people
    offer_minutes: Mapped[int] = mapped_column(SmallInteger, default=30, server_default="30")  # a waitlist offer lasts
    # sites that may show its public booking pages in a frame: https origins
    embed_origins: Mapped[list[str]] = mapped_column(ARRAY(String(255)), default=list, server_default=text("'{}'"))
    has_board: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # queue numbers shown publicly

    __table_args__ = (
        CheckConstraint("late_minutes BETWEEN 0 AND 240", name="late_minutes"),
        CheckConstraint("no_show_minutes BETWEEN 5 AND 1440", name="no_show_minutes"),
        CheckConstraint("offer_minutes BETWEEN 5 AND 1440", name="offer_minutes"),
        CheckConstraint("cardinality(embed_origins) <= 10", name="embed_origins"),
        Index("ix_clinics_search", text("search_name gin_trgm_ops"), postgresql_using="gin"),
        Index("ix_clinics_city", "city"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="coordinates"),
    )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """Active clinics are public; a closed one is seen by those who work in it."""
        if actor.is_superadmin:
            return true()
        own = actor.clinics_as(STAFF, ADMIN, DOCTOR, PHARMACIST)
        return or_(cls.is_active, cls.id.in_(own)) if own else cls.is_active.is_(True)


class Membership(Base, Identified):
    """A person's role in one clinic, from when it was given until it was ended."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(12))
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")
    clinic: Mapped[Clinic] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("role IN ('staff', 'pharmacist', 'admin')", name="role"),
        Index(
            "uq_memberships_current",
            "user_id",
            "clinic_id",
            "role",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


class ClinicInvitation(Base, Identified):
    """A clinic asks somebody to work there: whoever reads `email`, or the doctor of `doctor_id` when there is none.

    It grants nothing. A membership, a practice or a doctor's account begins only when it is accepted.
    """

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(12))
    email: Mapped[str | None] = mapped_column(EmailAddress, index=True)
    given_name: Mapped[str] = mapped_column(String(80), default="")  # as the clinic wrote it
    family_name: Mapped[str] = mapped_column(String(80), default="")
    locale: Mapped[str] = mapped_column(String(2), default="en")
    doctor_id: Mapped[UUID | None] = mapped_column(ForeignKey("doctors.id", ondelete="CASCADE"), index=True)
    fee_minor: Mapped[int | None]
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(12))

    clinic: Mapped[Clinic] = relationship(lazy="raise")
    inviter: Mapped[User | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("role IN ('staff', 'pharmacist', 'admin', 'doctor')", name="role"),
        CheckConstraint("(role = 'doctor') = (doctor_id IS NOT NULL)", name="doctor"),
        CheckConstraint("email IS NOT NULL OR doctor_id IS NOT NULL", name="addressee"),
        CheckConstraint("outcome IN ('accepted', 'declined', 'withdrawn', 'expired')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
        Index(
            "uq_clinic_invitations_open_address",
            "clinic_id",
            "email",
            "role",
            unique=True,
            postgresql_where=text("ended_at IS NULL AND doctor_id IS NULL"),
        ),
        Index(
            "uq_clinic_invitations_open_doctor",
            "clinic_id",
            "doctor_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL AND doctor_id IS NOT NULL"),
        ),
    )

    @property
    def name(self) -> str:
        """What the clinic calls whom it asked."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def state(self) -> str:
        """How it stands: waiting, or its outcome."""
        if self.outcome is None and self.expires_at <= clock.now():
            return "expired"
        return self.outcome or "waiting"

    @property
    def is_waiting(self) -> bool:
        return self.state == "waiting"


class Holiday(Base, Identified):
    """A date on which a whole clinic is closed."""

    __tablename__ = "holidays"

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    day: Mapped[date]
    name: Mapped[str] = mapped_column(String(120))

    __table_args__ = (UniqueConstraint("clinic_id", "day"),)


class ResourceGroup(Base, Changing):
    """A sort of room or device of a clinic, such as “treatment room”: a visit type needs any one of it."""

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))  # room, device
    name: Mapped[str] = mapped_column(String(80))

    clinic: Mapped[Clinic] = relationship(lazy="raise")
    resources: Mapped[list[Resource]] = relationship(
        back_populates="group", lazy="raise", order_by="Resource.name", cascade="all, delete-orphan"
    )

    __table_args__ = (
        UniqueConstraint("clinic_id", "name"),
        CheckConstraint("kind IN ('room', 'device')", name="kind"),
    )


class Resource(Base, Changing):
    """One room or one device; `places` visits can use it at the same time."""

    group_id: Mapped[UUID] = mapped_column(ForeignKey("resource_groups.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    places: Mapped[int] = mapped_column(SmallInteger, default=1)
    is_active: Mapped[bool] = mapped_column(default=True)

    group: Mapped[ResourceGroup] = relationship(back_populates="resources", lazy="raise")

    __table_args__ = (UniqueConstraint("group_id", "name"), CheckConstraint("places BETWEEN 1 AND 50", name="places"))

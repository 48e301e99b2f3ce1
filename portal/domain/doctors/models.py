"""Doctors, specialties and practices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import Base, Changing, Identified
from portal.core.folding import folded
from portal.core.names import only_names
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User

doctor_specialties = Table(
    "doctor_specialties",
    Base.metadata,
    Column("doctor_id", ForeignKey("doctors.id", ondelete="CASCADE"), primary_key=True),
    Column("specialty_id", ForeignKey("specialties.id", ondelete="CASCADE"), primary_key=True, index=True),
)


def name_of_doctor(title: str, given_name: str, family_name: str) -> str:
    """How a doctor is called everywhere."""
    return f"{title} {given_name} {family_name}".strip()


class Specialty(Base, Identified):
    """A field of medicine, named in each language of the portal."""

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name_en: Mapped[str] = mapped_column(String(80))
    name_fr: Mapped[str] = mapped_column(String(80))
    name_ar: Mapped[str] = mapped_column(String(80))

    def name_in(self, language: str) -> str:
        return str(getattr(self, f"name_{language}", self.name_en))


class Doctor(Base, Changing):
    """A doctor's public profile. It shows once an admin has verified the licence."""

    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), unique=True)
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    title: Mapped[str] = mapped_column(String(20), default="Dr")
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    search_name: Mapped[str] = mapped_column(String(300), Computed(folded("given_name", "family_name", most=300)))
    gender: Mapped[str] = mapped_column(String(8), default="unknown")
    languages: Mapped[list[str]] = mapped_column(ARRAY(String(8)), default=list, server_default=text("'{}'"))
    biography: Mapped[str] = mapped_column(Text, default="")
    qualifications: Mapped[str] = mapped_column(Text, default="")
    practising_since: Mapped[int | None]  # year
    licence_number: Mapped[str] = mapped_column(String(40), unique=True)
    licence_verified_at: Mapped[datetime | None]
    licence_verified_by: Mapped[UUID | None]
    licence_withdrawn_at: Mapped[datetime | None]  # of a licence that was verified once and is not now
    is_active: Mapped[bool] = mapped_column(default=True)
    rating_sum: Mapped[int] = mapped_column(default=0, server_default="0")  # of the reviews that are shown
    rating_count: Mapped[int] = mapped_column(default=0, server_default="0")

    user: Mapped[User | None] = relationship(lazy="raise")
    specialties: Mapped[list[Specialty]] = relationship(
        secondary=doctor_specialties, lazy="raise", order_by=Specialty.code
    )
    practices: Mapped[list[Practice]] = relationship(
        back_populates="doctor", lazy="raise", order_by="Practice.created_at"
    )
    amendment: Mapped[Amendment | None] = relationship(back_populates="doctor", lazy="raise")

    __table_args__ = (
        CheckConstraint("gender IN ('female', 'male', 'other', 'unknown')", name="gender"),
        CheckConstraint(only_names("title", "given_name", "family_name"), name="names"),
        Index("ix_doctors_search", text("search_name gin_trgm_ops"), postgresql_using="gin"),
        Index("ix_doctors_languages", "languages", postgresql_using="gin"),
    )

    @property
    def name(self) -> str:
        return name_of_doctor(self.title, self.given_name, self.family_name)

    @property
    def rating(self) -> float | None:
        """The average of the reviews that are shown, 1 to 5; None without any."""
        return self.rating_sum / self.rating_count if self.rating_count else None

    @property
    def was_verified(self) -> bool:
        """Whether an admin vouched for the name, licence and specialties: they change only when one does so again."""
        return self.licence_verified_at is not None or self.licence_withdrawn_at is not None

    @property
    def is_public(self) -> bool:
        return self.is_active and self.licence_verified_at is not None

    @classmethod
    def public(cls) -> ColumnElement[bool]:
        return and_(cls.is_active, cls.licence_verified_at.is_not(None))

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """Verified doctors are public; others are seen by themselves and the people of their clinics."""
        if actor.is_superadmin:
            return true()
        ways: list[ColumnElement[bool]] = [cls.public()]
        if actor.doctor_id:
            ways.append(cls.id == actor.doctor_id)
        if clinics := actor.clinics_as(STAFF, ADMIN):
            ways.append(cls.id.in_(select(Practice.doctor_id).where(Practice.clinic_id.in_(clinics))))
        return or_(*ways)


class Amendment(Base, Identified):
    """What a verified profile is to say instead, once an admin has confirmed it; until then nothing public says it.

    At most one for each doctor; another proposal replaces it, under another id.
    """

    __tablename__ = "doctor_amendments"

    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctors.id", ondelete="CASCADE"), unique=True)
    title: Mapped[str] = mapped_column(String(20))
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    licence_number: Mapped[str] = mapped_column(String(40))
    specialties: Mapped[list[str]] = mapped_column(ARRAY(String(40)))  # their codes, sorted
    proposed_by: Mapped[UUID | None]
    refused_at: Mapped[datetime | None]

    doctor: Mapped[Doctor] = relationship(back_populates="amendment", lazy="raise")

    @property
    def name(self) -> str:
        return name_of_doctor(self.title, self.given_name, self.family_name)

    @property
    def is_waiting(self) -> bool:
        return self.refused_at is None


class Practice(Base, Changing):
    """A doctor working at a clinic: the unit that has hours and can be booked."""

    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctors.id", ondelete="CASCADE"))
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    fee_minor: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)

    doctor: Mapped[Doctor] = relationship(back_populates="practices", lazy="raise")
    clinic: Mapped[Clinic] = relationship(lazy="raise")

    __table_args__ = (UniqueConstraint("doctor_id", "clinic_id"), CheckConstraint("fee_minor >= 0", name="fee"))

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """As visible as its doctor."""
        return cls.doctor_id.in_(select(Doctor.id).where(Doctor.visible(actor)))


class Favourite(Base, Identified):
    """A patient keeps this doctor, to find again at once."""

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctors.id", ondelete="CASCADE"), index=True)

    doctor: Mapped[Doctor] = relationship(lazy="raise")

    __table_args__ = (UniqueConstraint("patient_id", "doctor_id"),)

"""Reviews of doctors by patients who came."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, or_, true
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core.actor import Actor
from portal.core.db import Base, Changing
from portal.domain.doctors.models import Doctor
from portal.domain.patients.models import Patient
from portal.domain.patients.reach import reaches
from portal.domain.scheduling.models import Appointment


class Review(Base, Changing):
    """What a patient says about one completed visit: 1 to 5, and words if they like. The doctor may answer."""

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id", ondelete="CASCADE"), unique=True)
    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctors.id", ondelete="CASCADE"))
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    rating: Mapped[int] = mapped_column(SmallInteger)
    text: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    hidden_by: Mapped[UUID | None]
    hidden_reason: Mapped[str] = mapped_column(String(300), default="")

    doctor: Mapped[Doctor] = relationship(lazy="raise")
    patient: Mapped[Patient] = relationship(lazy="raise")
    appointment: Mapped[Appointment] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        Index("ix_reviews_doctor", "doctor_id", "created_at"),
    )

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """Public unless hidden; a hidden one is seen by its patient and by those who may hide or answer it."""
        if actor.is_superadmin:
            return true()
        own = reaches(actor, "view", cls.patient_id, cls.clinic_id)
        ways: list[ColumnElement[bool]] = [cls.hidden_at.is_(None), own]
        if actor.doctor_id:
            ways.append(cls.doctor_id == actor.doctor_id)
        if clinics := actor.clinics_as("admin"):
            ways.append(cls.clinic_id.in_(clinics))
        return or_(*ways)

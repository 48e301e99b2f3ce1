"""A change of hours or a leave with the visits it hits, and what becomes of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, or_, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import Base, Changing
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.scheduling.models import Appointment


class Change(Base, Changing):
    """What somebody wants to change and has not saved yet (draft), or has saved (applied).

    `wanted` is the shape's values as JSON; `kind` says which verb takes them. Times proposed to the visits it hits are
    held until `held_until`.
    """

    kind: Mapped[str] = mapped_column(String(16))
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    doctor_id: Mapped[UUID | None] = mapped_column(ForeignKey("doctors.id", ondelete="CASCADE"), index=True)
    practice_id: Mapped[UUID | None] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"))
    made_by: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(8), default="draft")
    held_until: Mapped[datetime]
    applied_at: Mapped[datetime | None]

    clinic: Mapped[Clinic] = relationship(lazy="raise")
    practice: Mapped[Practice | None] = relationship(lazy="raise")
    proposals: Mapped[list[Proposal]] = relationship(back_populates="change", lazy="raise")

    __table_args__ = (
        CheckConstraint("state IN ('draft', 'applied', 'dropped')", name="state"),
        Index("ix_changes_draft", "held_until", postgresql_where=text("state = 'draft'")),
    )

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """Whoever made it, the doctor it concerns, and those who work for the clinic."""
        if actor.is_superadmin:
            return true()
        ways = [cls.made_by == actor.user_id, cls.clinic_id.in_(actor.clinics_as(STAFF, ADMIN))]
        return or_(*ways, cls.doctor_id == actor.doctor_id) if actor.doctor_id else or_(*ways)


class Proposal(Base, Changing):
    """One visit that a change hits: what was decided for it, and what its patient answered.

    decision: move (to the held `starts_at`), choose (the patient finds a time), keep (it stands in spite of the
    change), cancel. answer: accepted, chosen (another time), cancelled, or called (the desk arranged it).
    """

    change_id: Mapped[UUID] = mapped_column(ForeignKey("changes.id", ondelete="CASCADE"), index=True)
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]  # of the appointment when it was proposed
    was: Mapped[datetime]
    starts_at: Mapped[datetime | None]  # the new time, held
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("holds.id", ondelete="SET NULL"), index=True)
    decision: Mapped[str | None] = mapped_column(String(8))
    answer: Mapped[str | None] = mapped_column(String(10))
    answer_until: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]

    change: Mapped[Change] = relationship(back_populates="proposals", lazy="raise")
    appointment: Mapped[Appointment] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("change_id", "appointment_id"),
        CheckConstraint("decision IN ('move', 'choose', 'keep', 'cancel')", name="decision"),
        CheckConstraint("answer IN ('accepted', 'chosen', 'cancelled', 'called')", name="answer"),
    )

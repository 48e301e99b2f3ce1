"""Who waits for an earlier time, and what they were offered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, case, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import Base, Changing
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.patients.reach import reaches
from portal.domain.scheduling.models import Appointment, VisitType

URGENCIES = ("urgent", "soon", "routine")  # the order in which offers go out


class WaitlistEntry(Base, Changing):
    """A patient waits for a time with one doctor, or with any doctor of a clinic, in some windows.

    `windows` is a list of {"weekday": 0…6 or null, "from": "HH:MM", "until": "HH:MM"} in the clinic's wall time; empty
    is any time. With `moves_id` an accepted offer moves that appointment instead of booking a new one.
    """

    __tablename__ = "waitlist_entries"

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    practice_id: Mapped[UUID | None] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"))  # None: any doctor
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_types.id", ondelete="CASCADE"))
    moves_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"), index=True)
    urgency: Mapped[str] = mapped_column(String(8), default="routine")
    windows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    first: Mapped[date]  # the dates that suit, in the clinic's zone, both included
    last: Mapped[date]
    note: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    joined_by: Mapped[UUID | None]
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"))  # what came of it

    clinic: Mapped[Clinic] = relationship(lazy="raise")
    practice: Mapped[Practice | None] = relationship(lazy="raise")
    patient: Mapped[Patient] = relationship(lazy="raise")
    visit_type: Mapped[VisitType] = relationship(lazy="raise")
    moves: Mapped[Appointment | None] = relationship(foreign_keys=[moves_id], lazy="raise")

    __table_args__ = (
        CheckConstraint(f"urgency IN {URGENCIES!r}", name="urgency"),
        CheckConstraint("state IN ('waiting', 'booked', 'left', 'over')", name="state"),
        CheckConstraint("last >= first", name="dates"),
        Index("ix_waitlist_entries_waiting", "clinic_id", "visit_type_id", postgresql_where=text("state = 'waiting'")),
    )

    @hybrid_property
    def rank(self) -> int:
        """The more urgent the lower."""
        return URGENCIES.index(self.urgency)

    @rank.inplace.expression
    @classmethod
    def _rank(cls) -> ColumnElement[int]:
        return case({code: number for number, code in enumerate(URGENCIES)}, value=cls.urgency)

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """The patient's and of those who look after them, and the clinic's."""
        if actor.is_superadmin:
            return true()
        own = reaches(actor, "view", cls.patient_id, cls.clinic_id)
        return own | cls.clinic_id.in_(actor.clinics_as(STAFF, ADMIN, DOCTOR))


class WaitlistOffer(Base, Changing):
    """A free time held for one entry for a while."""

    __tablename__ = "waitlist_offers"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("waitlist_entries.id", ondelete="CASCADE"), index=True)
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"))
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("holds.id", ondelete="SET NULL"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8), default="open")
    answered_at: Mapped[datetime | None]

    entry: Mapped[WaitlistEntry] = relationship(lazy="raise")
    practice: Mapped[Practice] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("state IN ('open', 'accepted', 'declined', 'expired', 'void')", name="state"),
        Index("uq_waitlist_offers_open", "entry_id", unique=True, postgresql_where=text("state = 'open'")),
    )

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """As visible as its entry."""
        return cls.entry.has(WaitlistEntry.visible(actor))

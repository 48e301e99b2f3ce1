"""What is planned around appointments: series, invitations to book, calls to make, feeds, first free times."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import Base, Changing, Identified
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.patients.reach import reaches
from portal.domain.scheduling.models import Appointment, VisitType


class Series(Base, Changing):
    """Visits that belong together: the same patient, doctor and type, every so many days or weeks."""

    __tablename__ = "series"

    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"))
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_types.id"))
    every_days: Mapped[int] = mapped_column(SmallInteger)
    count: Mapped[int] = mapped_column(SmallInteger)
    booked_by: Mapped[UUID | None]

    __table_args__ = (
        CheckConstraint("every_days BETWEEN 1 AND 366", name="every_days"),
        CheckConstraint("count BETWEEN 2 AND 52", name="count"),
    )


class BookingInvitation(Base, Changing):
    """A doctor asks a patient to book a given type of visit, between two dates; also the proposal of a follow-up."""

    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"), index=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_types.id"))
    first: Mapped[date]  # the visit should be on one of these dates, in the clinic's zone
    last: Mapped[date]
    note: Mapped[str] = mapped_column(String(500), default="")
    follow_up_of: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"))
    invited_by: Mapped[UUID | None]
    appointment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("appointments.id"), index=True
    )  # what was booked with it
    ended_at: Mapped[datetime | None]  # withdrawn by the clinic or declined by the patient

    practice: Mapped[Practice] = relationship(lazy="raise")
    clinic: Mapped[Clinic] = relationship(lazy="raise")
    patient: Mapped[Patient] = relationship(lazy="raise")
    visit_type: Mapped[VisitType] = relationship(lazy="raise")

    __table_args__ = (CheckConstraint("last >= first", name="dates"),)

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """The patient's, and the clinic's."""
        return _of_patient_or_clinic(cls, actor)

    @property
    def is_open(self) -> bool:
        """With `clinic` loaded: not used, not ended, and its last date has not passed there."""
        return self.appointment_id is None and self.ended_at is None and self.last >= clock.today(self.clinic.zone)


class CallItem(Base, Changing):
    """Somebody the desk has to call, because no message reached them or no answer came."""

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(24))  # why: see calls.CODES
    key: Mapped[str] = mapped_column(String(160), unique=True)  # the same call is asked for once
    outcome: Mapped[str] = mapped_column(String(12), default="")  # reached, no_answer, not_needed; empty is open
    note: Mapped[str] = mapped_column(String(500), default="")
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]

    clinic: Mapped[Clinic] = relationship(lazy="raise")
    patient: Mapped[Patient] = relationship(lazy="raise")
    appointment: Mapped[Appointment | None] = relationship(lazy="raise")

    __table_args__ = (Index("ix_call_items_open", "clinic_id", "created_at", postgresql_where=text("done_at IS NULL")),)

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """The desk's and the admins' of the clinic."""
        return true() if actor.is_superadmin else cls.clinic_id.in_(actor.clinics_as(STAFF, ADMIN))


class CalendarFeed(Base, Identified):
    """A secret address at which somebody's calendar program reads their appointments; ended, it is dead."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    whose: Mapped[str] = mapped_column(String(8))  # patient, doctor: whose appointments it shows
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    read_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("whose IN ('patient', 'doctor')", name="whose"),)


class FirstFree(Base, Identified):
    """From when on a practice may have a free time in a mode: never later than its true first free time.

    Whatever frees time lowers it at once, in the same transaction; a task finds the true time again. So a search may
    trust the order and verify only what it shows.
    """

    __tablename__ = "first_free"

    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"))
    mode: Mapped[str] = mapped_column(String(10))
    starts_at: Mapped[datetime | None]  # None: nothing free within the horizon
    checked_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_first_free_practice_mode", "practice_id", "mode", unique=True),
        Index("ix_first_free_starts", "mode", "starts_at"),
    )


def _of_patient_or_clinic(cls: Any, actor: Actor) -> ColumnElement[bool]:
    """What belongs to a patient the actor cares for there, or to a clinic the actor works or practises at."""
    if actor.is_superadmin:
        return true()
    own = reaches(actor, "view", cls.patient_id, cls.clinic_id)
    return own | cls.clinic_id.in_(actor.clinics_as(STAFF, ADMIN, "doctor"))

"""What can be booked and when (rules), what is taken (occupancy), and who comes (appointments)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Table,
    Text,
    false,
    or_,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import Base, Changing, Identified
from portal.domain.clinics.models import Clinic, ResourceGroup
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.patients.models import Patient
from portal.domain.patients.reach import reaches

PENDING, CONFIRMED, CHECKED_IN, IN_PROGRESS = "pending", "confirmed", "checked_in", "in_progress"
COMPLETED, CANCELLED, NO_SHOW, DECLINED = "completed", "cancelled", "no_show", "declined"
STATES = (PENDING, CONFIRMED, CHECKED_IN, IN_PROGRESS, COMPLETED, CANCELLED, NO_SHOW, DECLINED)
UPCOMING = (PENDING, CONFIRMED)  # can still be moved or cancelled
RELEASED = (CANCELLED, DECLINED)  # give their time back
MODES = ("in_person", "video", "phone")

opening_visit_types = Table(
    "opening_visit_types",
    Base.metadata,
    Column("opening_id", ForeignKey("openings.id", ondelete="CASCADE"), primary_key=True),
    Column("visit_type_id", ForeignKey("visit_types.id", ondelete="CASCADE"), primary_key=True, index=True),
)

visit_type_needs = Table(
    "visit_type_needs",
    Base.metadata,
    Column("visit_type_id", ForeignKey("visit_types.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", ForeignKey("resource_groups.id", ondelete="CASCADE"), primary_key=True, index=True),
)


def name_in(kind: Any, language: str) -> str:
    """A visit type's name in a language, or as the clinic wrote it first."""
    return str(getattr(kind, f"name_{language}", "") or kind.name)


class Timed:
    """What follows from an appointment's state and times, whoever read it."""

    status: Any
    starts_at: Any
    ends_at: Any

    @property
    def is_upcoming(self) -> bool:
        return self.status in UPCOMING and self.starts_at > clock.now()

    @property
    def is_over(self) -> bool:
        return self.status in {COMPLETED, CANCELLED, NO_SHOW, DECLINED} or self.ends_at <= clock.now()

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at  # type: ignore[no-any-return]


class VisitType(Base, Changing):
    """What is booked at a clinic: how long it takes, how it happens, what it costs, and the policy of booking it.

    The policy is part of the row: one clinic × one visit type has exactly one, never none.
    """

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    name_fr: Mapped[str] = mapped_column(String(120), default="")
    name_ar: Mapped[str] = mapped_column(String(120), default="")
    mode: Mapped[str] = mapped_column(String(10), default="in_person")
    duration: Mapped[int]  # minutes
    buffer_before: Mapped[int] = mapped_column(default=0)  # minutes
    buffer_after: Mapped[int] = mapped_column(default=0)  # minutes
    price_minor: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)

    bookable_by: Mapped[str] = mapped_column(String(8), default="anyone")  # anyone, invited, desk
    confirms: Mapped[str] = mapped_column(String(10), default="at_once")  # at_once, by_doctor
    lead_minutes: Mapped[int] = mapped_column(default=120)
    horizon_days: Mapped[int] = mapped_column(default=60)
    cutoff_minutes: Mapped[int] = mapped_column(default=24 * 60)  # patients cancel and move until then
    most_moves: Mapped[int] = mapped_column(default=3)
    most_upcoming: Mapped[int] = mapped_column(default=3)  # per patient and visit type
    most_per_day: Mapped[int | None]  # of a practice, all visit types counted

    clinic: Mapped[Clinic] = relationship(lazy="raise")
    needs: Mapped[list[ResourceGroup]] = relationship(secondary=visit_type_needs, lazy="raise")  # any one of each

    __table_args__ = (
        CheckConstraint("duration BETWEEN 5 AND 480", name="duration"),
        CheckConstraint("buffer_before BETWEEN 0 AND 120 AND buffer_after BETWEEN 0 AND 120", name="buffers"),
        CheckConstraint("mode IN ('in_person', 'video', 'phone')", name="mode"),
        CheckConstraint("bookable_by IN ('anyone', 'invited', 'desk')", name="bookable_by"),
        CheckConstraint("confirms IN ('at_once', 'by_doctor')", name="confirms"),
        CheckConstraint("lead_minutes >= 0 AND cutoff_minutes >= 0 AND most_moves >= 0", name="policy"),
        CheckConstraint("horizon_days BETWEEN 1 AND 730 AND most_upcoming >= 1", name="horizon"),
        CheckConstraint("price_minor >= 0", name="price"),
    )

    def name_in(self, language: str) -> str:
        return name_in(self, language)

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        return true()


class Opening(Base, Changing):
    """When a practice receives: weekly or on one date, in the clinic's wall time.

    Hours that end on the next day belong to the day on which they begin.
    """

    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int | None] = mapped_column(SmallInteger)  # 0 is Monday
    on_date: Mapped[date | None]
    starts: Mapped[time]
    ends: Mapped[time]  # 00:00 is the end of the day; before the start: on the next day
    step: Mapped[int | None]  # minutes between starts; None is the visit's own length
    capacity: Mapped[int] = mapped_column(SmallInteger, default=1)
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]

    practice: Mapped[Practice] = relationship(lazy="raise")
    visit_types: Mapped[list[VisitType]] = relationship(secondary=opening_visit_types, lazy="raise")

    @property
    def ends_next_day(self) -> bool:
        """Whether these hours go on after the midnight that follows their start."""
        return time() < self.ends < self.starts

    __table_args__ = (
        CheckConstraint("(weekday IS NULL) <> (on_date IS NULL)", name="weekly_or_one_date"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("ends <> starts OR ends = '00:00'", name="shorter_than_a_day"),
        CheckConstraint("step BETWEEN 5 AND 480", name="step"),
        CheckConstraint("capacity BETWEEN 1 AND 50", name="capacity"),
        CheckConstraint("valid_until >= valid_from", name="valid"),
    )


class Closure(Base, Changing):
    """Time off: of one practice, of a doctor everywhere, or of a whole clinic."""

    practice_id: Mapped[UUID | None] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"), index=True)
    doctor_id: Mapped[UUID | None] = mapped_column(ForeignKey("doctors.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # leave, holiday, blocked
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(String(200), default="")

    __table_args__ = (
        CheckConstraint("num_nonnulls(practice_id, doctor_id, clinic_id) = 1", name="one_scope"),
        CheckConstraint("kind IN ('leave', 'holiday', 'blocked')", name="kind"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )


class Hold(Base, Identified):
    """A time kept for someone for a few minutes while they sign in and fill in the form.

    Whoever has the token owns it; once signed in, it is bound to that person too.
    """

    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"))
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_types.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))  # kept by the portal
    place: Mapped[str | None] = mapped_column(String(32))  # without an account: a keyed digest of where from

    practice: Mapped[Practice] = relationship(lazy="raise")
    visit_type: Mapped[VisitType] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("num_nonnulls(user_id, patient_id, place) <= 1", name="one_holder"),
        Index("ix_holds_place", "place", postgresql_where=text("place IS NOT NULL")),
        Index("ix_holds_of_strangers", "practice_id", "starts_at", postgresql_where=text("place IS NOT NULL")),
    )

    @property
    def is_over(self) -> bool:
        return self.expires_at <= clock.now()


class Appointment(Timed, Base, Changing):
    """A patient comes to a doctor at a time. Never deleted: it is cancelled, declined or becomes a visit."""

    reference: Mapped[str] = mapped_column(String(12), unique=True)  # what people read out on the phone
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"))
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"))
    doctor_id: Mapped[UUID] = mapped_column(ForeignKey("doctors.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    visit_type_id: Mapped[UUID] = mapped_column(ForeignKey("visit_types.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(12), default=PENDING)
    mode: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    moves: Mapped[int] = mapped_column(SmallInteger, default=0)
    booked_by: Mapped[UUID | None]
    price_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    confirmed_at: Mapped[datetime | None]
    hold_fingerprint: Mapped[str | None] = mapped_column(String(64), unique=True)  # a hold is used once
    ended_by: Mapped[str | None] = mapped_column(String(8))  # patient, doctor, staff, system
    end_code: Mapped[str | None] = mapped_column(String(24))
    end_text: Mapped[str] = mapped_column(String(500), default="")
    ended_at: Mapped[datetime | None]
    series_id: Mapped[UUID | None] = mapped_column(ForeignKey("series.id"), index=True)
    overbooked: Mapped[str | None] = mapped_column(String(200))  # why the clinic booked it over the rules
    is_walk_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    promised_at: Mapped[datetime | None]  # the patient said “I will come”
    checked_in_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    queue_number: Mapped[int | None] = mapped_column(SmallInteger)  # of the clinic's day, shown on its board
    is_urgent: Mapped[bool] = mapped_column(default=False, server_default=false())  # goes first in the queue

    practice: Mapped[Practice] = relationship(lazy="raise")
    clinic: Mapped[Clinic] = relationship(lazy="raise")
    doctor: Mapped[Doctor] = relationship(lazy="raise")
    patient: Mapped[Patient] = relationship(lazy="raise")
    visit_type: Mapped[VisitType] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint(f"status IN {STATES!r}", name="status"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_appointments_patient", "patient_id", "starts_at"),
        Index("ix_appointments_doctor", "doctor_id", "starts_at"),
        Index("ix_appointments_clinic", "clinic_id", "starts_at"),
        Index("ix_appointments_practice", "practice_id", "starts_at"),
        Index("ix_appointments_booker", "booked_by", "starts_at"),
    )

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """The patient's and their carers' (of some, those at one clinic), the doctor's, and those of clinics whose desk
        or admin the actor is."""
        if actor.is_superadmin:
            return true()
        ways: list[ColumnElement[bool]] = []
        if actor.cares_somewhere("view"):
            ways.append(reaches(actor, "view", cls.patient_id, cls.clinic_id))
        if actor.doctor_id:
            ways.append(cls.doctor_id == actor.doctor_id)
        if clinics := actor.clinics_as(STAFF, ADMIN):
            ways.append(cls.clinic_id.in_(clinics))
        return or_(*ways) if ways else false()

    @property
    def audience(self) -> tuple[str, ...]:
        """The channels on which is said that it changed."""
        patient = f"patient:{self.patient_id}"
        return patient, f"{patient}:{self.clinic_id}", f"doctor:{self.doctor_id}", f"clinic:{self.clinic_id}"


class Occupancy(Base, Identified):
    """Time of a resource that is taken. The exclusion constraint is what makes double booking impossible.

    Resources are doctors, patients, rooms and devices. A resource with N places at once has lanes 1…N; lanes from
    OVERBOOKED_FROM on belong to what the clinic books over its own rules.
    """

    resource_id: Mapped[UUID] = mapped_column(info={"may_be": "patients.id"})  # goes along when records are joined
    kind: Mapped[str] = mapped_column(String(8))  # doctor, patient, room, device
    lane: Mapped[int] = mapped_column(SmallInteger, default=1)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    appointment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("appointments.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), index=True
    )  # deferred: one statement writes both, and takes neither when the time is lost
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("holds.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime | None]  # of the hold

    __table_args__ = (
        ExcludeConstraint(
            ("resource_id", "="), ("lane", "="), ("during", "&&"), name="ex_occupancies_no_overlap", using="gist"
        ),
        CheckConstraint("num_nonnulls(appointment_id, hold_id) = 1", name="one_reason"),
        CheckConstraint("kind IN ('doctor', 'patient', 'room', 'device')", name="kind"),
        CheckConstraint("NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)", name="bounded"),
    )

"""Patients, their allergies and the clinics that know them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
    false,
    inspect,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import Base, Changing, Identified
from portal.core.folding import folded
from portal.core.names import only_names
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User

SEXES = ("female", "male", "other", "unknown")  # FHIR administrative-gender
BLOOD_GROUPS = ("A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-")


class Patient(Base, Changing):
    """A person who is cared for; has an account of their own or is looked after by someone who has one."""

    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), unique=True)
    given_name: Mapped[str] = mapped_column(String(80))
    family_name: Mapped[str] = mapped_column(String(80))
    search_name: Mapped[str] = mapped_column(String(200), Computed(folded("given_name", "family_name", most=200)))
    birth_date: Mapped[date | None]
    sex: Mapped[str] = mapped_column(String(8), default="unknown")
    phone: Mapped[str] = mapped_column(String(20), default="")  # E.164
    email: Mapped[str] = mapped_column(String(254), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    city: Mapped[str] = mapped_column(String(80), default="")
    blood_group: Mapped[str | None] = mapped_column(String(3))
    conditions: Mapped[list[str]] = mapped_column(ARRAY(String(120)), default=list, server_default=text("'{}'"))
    no_known_allergies: Mapped[bool] = mapped_column(default=False, server_default=false())  # the patient said so
    emergency_contact: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # name, phone, relation
    preferred_language: Mapped[str] = mapped_column(String(2), default="en")
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id", ondelete="SET NULL"), index=True)
    links_since: Mapped[datetime | None]  # links in messages that were made before are worth nothing
    deceased_at: Mapped[datetime | None]  # when it was written down that they have died
    deceased_on: Mapped[date | None]  # the day, where it is known (FHIR Patient.deceasedDateTime)

    user: Mapped[User | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("sex IN ('female', 'male', 'other', 'unknown')", name="sex"),
        CheckConstraint("preferred_language IN ('en', 'fr', 'ar')", name="preferred_language"),
        CheckConstraint(only_names("given_name", "family_name"), name="names"),
        CheckConstraint("merged_into_id IS NULL OR (user_id IS NULL AND merged_into_id <> id)", name="merged"),
        CheckConstraint("deceased_on IS NULL OR deceased_at IS NOT NULL", name="deceased"),
        Index("ix_patients_search", text("search_name gin_trgm_ops"), postgresql_using="gin"),
        Index("ix_patients_phone", "phone"),
    )

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def age(self) -> int | None:
        """Whole years lived; None when the birth date is not known."""
        born, today = self.birth_date, clock.today(clock.home())
        if born is None:
            return None
        return max(0, today.year - born.year - ((today.month, today.day) < (born.month, born.day)))

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """Oneself and those whose whole record one looks after; for those who work in a clinic, who came to it.

        Whoever looks after somebody at one clinic only sees the visits there, and not the record. A record that became
        part of another one is seen by nobody.
        """
        stands = cls.merged_into_id.is_(None)
        if actor.is_superadmin:
            return stands
        own = cls.id.in_(actor.cares_for("view"))
        clinics = actor.clinics_as(STAFF, ADMIN, DOCTOR)
        known = cls.id.in_(select(Registration.patient_id).where(Registration.clinic_id.in_(clinics)))
        return and_(or_(own, known), stands) if clinics else and_(own, stands)


_REACHED_BY = ("phone", "email", "user_id", "merged_into_id")


@listens_for(Patient, "before_update")
def _end_links(_mapper: Any, _connection: Any, patient: Patient) -> None:
    """Whoever has a message that went to an earlier contact does nothing with its link once the contact is another."""
    if any(inspect(patient).attrs[name].history.has_changes() for name in _REACHED_BY) and _was_reached(patient):
        patient.links_since = clock.now()


def _was_reached(patient: Patient) -> bool:
    """Whether a message can have gone anywhere before this change."""
    before = (inspect(patient).attrs[name].history for name in ("phone", "email", "user_id"))
    return any((one.deleted or one.unchanged or (None,))[0] for one in before)


SCOPES = ("view", "book", "profile")  # see visits; book, move and cancel; change personal data
SCOPES_AT_CLINIC = ("view", "book")  # what a clinic's desk may write down for its own part
RELATIONS = ("child", "parent", "spouse", "ward", "other")  # what the patient is to the delegate


class Delegation(Base, Changing):
    """Somebody with an account looks after a patient: a parent for a child, a daughter for her father.

    `scopes` say what they may do, from `starts_on` to `ends_on` (both included); it can be ended at any time. Without
    `clinic_id` it reaches the whole record: the patient, or a carer who decides for them, has granted it. With one a
    desk of that clinic has written it down, and it reaches what belongs to that clinic: visits, never the profile.
    """

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)
    relation: Mapped[str] = mapped_column(String(8))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(12)))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]  # the earlier of `asked_until` and the eve of being of age: care.until_when
    asked_until: Mapped[date | None]  # as somebody asked, whatever the age is
    granted_by: Mapped[UUID | None]  # the user who allowed it
    ended_at: Mapped[datetime | None]

    patient: Mapped[Patient] = relationship(lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")
    clinic: Mapped[Clinic | None] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint(f"relation IN {RELATIONS!r}", name="relation"),
        CheckConstraint(
            f"scopes <@ ARRAY[{', '.join(map(repr, SCOPES))}]::varchar[] AND 'view' = ANY(scopes)", name="scopes"
        ),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        CheckConstraint("clinic_id IS NULL OR NOT 'profile' = ANY(scopes)", name="clinic_part"),
        Index(
            "uq_delegations_current",
            "patient_id",
            "user_id",
            "clinic_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    def reaches(self, clinic_id: UUID) -> bool:
        """Whether visits of this clinic belong to it."""
        return self.clinic_id in {None, clinic_id}


class Registration(Base, Identified):
    """A clinic knows this patient: they booked there or were entered at its desk."""

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"), index=True)

    patient: Mapped[Patient] = relationship(lazy="raise")
    clinic: Mapped[Clinic] = relationship(lazy="raise")

    __table_args__ = (UniqueConstraint("patient_id", "clinic_id"),)


class Allergy(Base, Identified):
    """A substance a patient reacts to, how, and how badly (FHIR AllergyIntolerance)."""

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    substance: Mapped[str] = mapped_column(String(120))
    reaction: Mapped[str] = mapped_column(String(200), default="")
    severity: Mapped[str] = mapped_column(String(8), default="moderate")

    patient: Mapped[Patient] = relationship(lazy="raise")

    __table_args__ = (CheckConstraint("severity IN ('mild', 'moderate', 'severe')", name="severity"),)

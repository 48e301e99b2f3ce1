"""What a clinic asks about a record that only the patient may allow, and records that were joined."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, and_, exists, or_, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import Base, Identified
from portal.domain.clinics.models import Clinic
from portal.domain.patients.models import SCOPES, Patient

JOIN, CONTACT, CARER, HAND_OVER = "join", "contact", "carer", "hand_over"
KINDS = (JOIN, CONTACT, CARER, HAND_OVER)
OUTCOMES = ("accepted", "refused", "withdrawn", "over")
WAYS = ("account", "link", "paper")  # signed in; by the link in a message; two people of the clinic


class RecordRequest(Base, Identified):
    """A clinic asks to read a record, to change how its patient is reached, or to let somebody else in.

    `patient_id` is the record whose patient is asked. `wanted` is what would be done, by `kind`:
    join       nothing; `entered_id` is the clinic's own record, which would become part of the patient's
    contact    the new values of phone, email, birth_date, those that change
    carer      email, relation, scopes, until (ISO date or null)
    hand_over  email
    `on_paper` says that the clinic holds a signed paper, so a second person of it may confirm.
    """

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))  # to be put back
    entered_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    on_paper: Mapped[bool] = mapped_column(default=False)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(10))
    decided_by: Mapped[UUID | None]  # the account; a link has none
    decided_way: Mapped[str | None] = mapped_column(String(8))
    seen_at: Mapped[datetime | None]  # the patient has read what was done on paper
    disputed_at: Mapped[datetime | None]  # the patient said that it was wrong

    patient: Mapped[Patient] = relationship(foreign_keys=[patient_id], lazy="raise")
    entered: Mapped[Patient | None] = relationship(foreign_keys=[entered_id], lazy="raise")
    clinic: Mapped[Clinic] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS!r}", name="kind"),
        CheckConstraint(f"outcome IN {OUTCOMES!r}", name="outcome"),
        CheckConstraint(f"decided_way IN {WAYS!r}", name="decided_way"),
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(kind = 'join') = (entered_id IS NOT NULL)", name="entered"),
        CheckConstraint("NOT (on_paper AND kind = 'join')", name="join_is_never_on_paper"),
        CheckConstraint("decided_way <> 'paper' OR (on_paper AND decided_by <> asked_by)", name="two_people"),
        Index("ix_record_requests_clinic", "clinic_id", "created_at"),
        Index(
            "uq_record_requests_open",
            "patient_id",
            "clinic_id",
            "kind",
            unique=True,
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    @property
    def is_open(self) -> bool:
        return self.decided_at is None and self.expires_at > clock.now()

    @property
    def ends_on(self) -> date:
        """The last day on which it can be answered, in the clinic's zone."""
        return self.expires_at.astimezone(self.clinic.zone).date()

    @property
    def asked_on(self) -> date:
        return self.created_at.astimezone(self.clinic.zone).date()

    @property
    def decided_on(self) -> date | None:
        return self.decided_at.astimezone(self.clinic.zone).date() if self.decided_at else None

    @property
    def until(self) -> date | None:
        """The last day for which a carer is asked."""
        return _date(self.wanted.get("until"))

    @property
    def contact_changes(self) -> list[tuple[str, Any, Any]]:
        """Each field of a contact that would change, with its value before and after; birth dates are dates."""
        wanted = self.wanted if self.kind == CONTACT else {}
        fields = [name for name in ("phone", "email", "birth_date") if name in wanted]
        as_it_is = {"birth_date": _date}
        read = [(name, as_it_is.get(name, str), self.before.get(name), wanted[name]) for name in fields]
        return [(name, of(was or ""), of(new or "")) for name, of, was, new in read]

    @classmethod
    def visible(cls, actor: Actor) -> ColumnElement[bool]:
        """Those about records the actor decides about; for a clinic's people, what their clinic asked."""
        if actor.is_superadmin:
            return true()
        return or_(cls.answered_by(actor), cls.clinic_id.in_(actor.clinics_as(STAFF, ADMIN, DOCTOR)))

    @classmethod
    def answered_by(cls, actor: Actor) -> ColumnElement[bool]:
        """In SQL: the actor decides about the record: it is their own, or of somebody in their care for everything who
        has no account."""
        in_care = frozenset.intersection(*(actor.cares_for(scope) for scope in SCOPES))
        without_account = exists().where(Patient.id == cls.patient_id, Patient.user_id.is_(None))
        return or_(cls.patient_id == actor.patient_id, and_(cls.patient_id.in_(in_care), without_account))


class RecordJoin(Base, Identified):
    """Two records of one person were joined: `gone_id` became part of `kept_id`.

    `moved` names by table the ids of the rows that changed hands, `filled` what the kept record had before in
    the columns that were filled, `ended` the care that ended with it, so that a mistake can be undone. `clinic_id` is
    the clinic whose desk did it, and none where the patient did.
    """

    kept_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    gone_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("record_requests.id", ondelete="SET NULL"))
    moved: Mapped[dict[str, list[str]]] = mapped_column(JSONB, default=dict)
    filled: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    ended: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    clinic_id: Mapped[UUID | None] = mapped_column(ForeignKey("clinics.id", ondelete="SET NULL"), index=True)
    joined_by: Mapped[UUID | None]  # the account; a link has none
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]

    __table_args__ = (CheckConstraint("kept_id <> gone_id", name="two_records"),)


def _date(kept: str | None) -> date | None:
    return date.fromisoformat(kept) if kept else None

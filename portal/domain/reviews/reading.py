"""Reading reviews: what everybody sees of a doctor's, and what the doctor and the admins see besides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from portal.core.actor import ADMIN, Actor
from portal.core.db import session
from portal.core.errors import NotFound
from portal.core.paging import Page, page
from portal.core.policy import allow, find
from portal.domain.reviews.models import Review
from portal.domain.scheduling.models import Appointment

_WHOLE = (
    joinedload(Review.patient),
    joinedload(Review.doctor),
    joinedload(Review.appointment).joinedload(Appointment.clinic),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A review as it is read: the writer's first name and an initial, the month of the visit, never why they came."""

    id: UUID
    rating: int
    text: str
    by: str
    month: date  # its first day, at the clinic
    answer: str
    answered_at: datetime | None
    written_at: datetime
    doctor: str
    doctor_slug: str
    clinic: str
    hidden_at: datetime | None
    hidden_reason: str


def of_doctor(doctor_id: UUID, *, after: str | None = None, limit: int = 10) -> Page[Shown]:
    """What everybody may read about a doctor, the latest first."""
    return _page([Review.doctor_id == doctor_id, Review.hidden_at.is_(None)], after, limit)


def about_me(actor: Actor, *, unanswered_only: bool = False, after: str | None = None, limit: int = 20) -> Page[Shown]:
    """The reviews of the doctor who asks, hidden ones too."""
    allow(actor.doctor_id is not None)
    which: list[ColumnElement[bool]] = [Review.doctor_id == actor.doctor_id]
    if unanswered_only:
        which += [Review.answer == "", Review.hidden_at.is_(None)]
    return _page(which, after, limit)


def of_clinics(
    actor: Actor, *, hidden: bool | None = None, most: int | None = None, after: str | None = None, limit: int = 20
) -> Page[Shown]:
    """The reviews of visits to the clinics the actor runs; hidden or shown ones only, or of at most `most` stars."""
    allow(actor.is_superadmin or bool(actor.clinics_as(ADMIN)))
    which: list[ColumnElement[bool]] = [] if actor.is_superadmin else [Review.clinic_id.in_(actor.clinics_as(ADMIN))]
    if hidden is not None:
        which.append(Review.hidden_at.is_not(None) if hidden else Review.hidden_at.is_(None))
    if most is not None:
        which.append(Review.rating <= most)
    return _page(which, after, limit)


def one_about_me(actor: Actor, review_id: UUID | str) -> Shown:
    """A review of the doctor who asks; raises NotFound."""
    review = find(actor, Review, review_id, *_WHOLE)
    allow(actor.doctor_id is not None and review.doctor_id == actor.doctor_id, NotFound)
    return _shown(review)


def one_of_clinics(actor: Actor, review_id: UUID | str) -> Shown:
    """A review of a visit to a clinic the actor runs; raises NotFound."""
    review = find(actor, Review, review_id, *_WHOLE)
    allow(actor.administers(review.clinic_id), NotFound)
    return _shown(review)


def of_visit(actor: Actor, appointment_id: UUID) -> Review | None:
    """What was said about this visit, if the actor may see it; None when nothing was."""
    statement = select(Review).where(Review.appointment_id == appointment_id, Review.visible(actor))
    return session().scalars(statement).one_or_none()


def spread(doctor_id: UUID) -> dict[int, int]:
    """How many gave 5, 4, 3, 2 and 1, of the reviews everybody sees."""
    counted = dict.fromkeys(range(5, 0, -1), 0)
    rows = session().execute(
        select(Review.rating, func.count())
        .where(Review.doctor_id == doctor_id, Review.hidden_at.is_(None))
        .group_by(Review.rating)
    )
    return counted | {row[0]: row[1] for row in rows}


def short_name(given_name: str, family_name: str) -> str:
    """What is said of a writer: the first name and the initial of the family name."""
    initial = family_name.strip()[:1]
    return (
        f"{given_name.split()[0] if given_name.split() else given_name} {initial}.".strip() if initial else given_name
    )


def _page(which: list[ColumnElement[bool]], after: str | None, limit: int) -> Page[Shown]:
    statement = select(Review).where(*which).options(*_WHOLE)
    found = page(statement, [Review.created_at, Review.id], after=after, limit=limit, descending=True)
    return Page([_shown(review) for review in found.items], found.next)


def _shown(review: Review) -> Shown:
    visit = review.appointment
    return Shown(
        id=review.id,
        rating=review.rating,
        text=review.text,
        by=short_name(review.patient.given_name, review.patient.family_name),
        month=visit.starts_at.astimezone(visit.clinic.zone).date().replace(day=1),
        answer=review.answer,
        answered_at=review.answered_at,
        written_at=review.created_at,
        doctor=review.doctor.name,
        doctor_slug=review.doctor.slug,
        clinic=visit.clinic.name,
        hidden_at=review.hidden_at,
        hidden_reason=review.hidden_reason,
    )

"""Hiding a review that must not be read by everybody, and showing it again."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.events import record
from portal.core.policy import allow, find
from portal.core.text import lazy as _
from portal.domain.doctors.models import Doctor
from portal.domain.reviews.models import Review
from portal.domain.reviews.writing import add_to_tally, lock_tally


class OwnReview(Conflict):
    """The review is about whoever decides."""

    code = "own_review"
    sentence = _("You cannot decide about a review of yourself. Ask another admin.")


def may_moderate(actor: Actor, review: Review) -> bool:
    return actor.administers(review.clinic_id)


def hide(actor: Actor, review_id: UUID | str, *, reason: str) -> Review:
    """Take a review from view and from the average; its patient is told the reason. By an admin of the visit's clinic.

    Raises NotFound, Forbidden, and Conflict for a review of oneself. Hidden again it stays as it is.
    """
    review = _locked(actor, review_id)
    if review.hidden_at is None:
        review.hidden_at, review.hidden_by, review.hidden_reason = clock.now(), actor.user_id, reason
        add_to_tally(review.doctor_id, -review.rating, -1)
        session().flush()
        record(actor, "review.hidden", review)
    return review


def show(actor: Actor, review_id: UUID | str) -> Review:
    """Let everybody read it again, and count it. Raises as hide does."""
    review = _locked(actor, review_id)
    if review.hidden_at is not None:
        review.hidden_at = review.hidden_by = None
        review.hidden_reason = ""
        add_to_tally(review.doctor_id, review.rating, 1)
        session().flush()
        record(actor, "review.shown", review)
    return review


def wrong_tallies() -> list[UUID]:
    """The doctors whose kept sum and count are not those of their reviews; none when all is well."""
    counted = (
        select(Review.doctor_id, func.sum(Review.rating).label("sum"), func.count().label("count"))
        .where(Review.hidden_at.is_(None))
        .group_by(Review.doctor_id)
        .subquery()
    )
    kept = select(Doctor.id).outerjoin(counted, counted.c.doctor_id == Doctor.id)
    is_wrong = (Doctor.rating_sum != func.coalesce(counted.c.sum, 0)) | (
        Doctor.rating_count != func.coalesce(counted.c.count, 0)
    )
    return list(session().scalars(kept.where(is_wrong).order_by(Doctor.id)))


def _locked(actor: Actor, review_id: UUID | str) -> Review:
    review = find(actor, Review, review_id)
    allow(may_moderate(actor, review))
    if review.doctor_id == actor.doctor_id:
        raise OwnReview
    lock_tally(review.doctor_id)
    return find(actor, Review, review_id, lock=True)

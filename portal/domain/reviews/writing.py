"""Saying how a visit was, and the doctor's answer. A doctor's average is kept in the same transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict
from portal.core.events import record
from portal.core.policy import allow, find
from portal.core.text import lazy as _
from portal.domain.doctors.models import Doctor
from portal.domain.reviews.models import Review
from portal.domain.scheduling import policy
from portal.domain.scheduling.models import COMPLETED, Appointment

CHANGEABLE = timedelta(days=14)


class OwnVisit(Conflict):
    """The patient of the visit is its doctor."""

    code = "own_visit"
    sentence = _("Doctors do not review themselves.")


class NotVisited(Conflict):
    """Only somebody who came can say how it was."""

    code = "not_visited"
    sentence = _("You can write a review once the visit has taken place.")


class TooLateToChange(Conflict):
    code = "too_late"
    sentence = _("A review can be changed for 14 days. Yours stays as it is.")


class HiddenReview(Conflict):
    code = "hidden"
    sentence = _("This review is hidden at the moment.")


def may_write(actor: Actor, appointment: Appointment) -> bool:
    """Whether the actor may say how this visit was: whoever books for its patient, once it is completed."""
    own = actor.doctor_id is not None and actor.doctor_id == appointment.doctor_id
    return appointment.status == COMPLETED and policy.is_own(actor, appointment) and not own


def changeable_until(review: Review) -> datetime:
    return review.created_at + CHANGEABLE


def write(actor: Actor, appointment_id: UUID | str, *, rating: int, text: str = "") -> Review:
    """Say how a completed visit was, once; said again within 14 days it replaces what was said.

    Raises NotFound, Forbidden, NotVisited, TooLateToChange.
    """
    appointment = find(actor, Appointment, appointment_id)
    allow(policy.is_own(actor, appointment))
    allow(appointment.status == COMPLETED, NotVisited)
    if actor.doctor_id == appointment.doctor_id:
        raise OwnVisit
    lock_tally(appointment.doctor_id)
    known = session().scalars(select(Review).where(Review.appointment_id == appointment.id)).one_or_none()
    if known is not None:
        return _change(actor, known, rating, text)
    review = Review(
        appointment_id=appointment.id,
        doctor_id=appointment.doctor_id,
        clinic_id=appointment.clinic_id,
        patient_id=appointment.patient_id,
        rating=rating,
        text=text,
    )
    session().add(review)
    add_to_tally(review.doctor_id, rating, 1)
    session().flush()
    record(actor, "review.written", review)
    return review


def answer(actor: Actor, review_id: UUID | str, *, answer: str) -> Review:
    """The doctor answers once, below the review; the answer can be written anew.

    Raises NotFound, Forbidden, HiddenReview.
    """
    review = find(actor, Review, review_id, lock=True)
    allow(actor.doctor_id is not None and actor.doctor_id == review.doctor_id)
    allow(review.hidden_at is None, HiddenReview)
    if review.answer != answer:
        event = "review.answer_changed" if review.answer else "review.answered"
        review.answer, review.answered_at = answer, clock.now()
        session().flush()
        record(actor, event, review)
    return review


def lock_tally(doctor_id: UUID) -> None:
    """Whatever counts for this doctor's average goes one after the other, until this transaction ends."""
    session().execute(select(Doctor.id).where(Doctor.id == doctor_id).with_for_update())


def add_to_tally(doctor_id: UUID, rating: int, count: int) -> None:
    """Count `rating` and `count` more (or less) for the doctor; the tally must be locked."""
    session().execute(
        update(Doctor)
        .where(Doctor.id == doctor_id)
        .values(rating_sum=Doctor.rating_sum + rating, rating_count=Doctor.rating_count + count)
        .execution_options(synchronize_session="fetch")
    )


def _change(actor: Actor, review: Review, rating: int, text: str) -> Review:
    session().refresh(review)
    if (review.rating, review.text) == (rating, text):
        return review
    allow(clock.now() <= changeable_until(review), TooLateToChange)
    if review.hidden_at is None:
        add_to_tally(review.doctor_id, rating - review.rating, 0)
    review.rating, review.text = rating, text
    session().flush()
    record(actor, "review.changed", review)
    return review

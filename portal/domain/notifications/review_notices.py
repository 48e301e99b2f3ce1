"""Notices of reviews: the question how it was, two hours after a visit, and what became of what was said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import tasks
from portal.core.db import session
from portal.core.events import Event
from portal.core.tasks import task
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.doctors.models import Doctor
from portal.domain.identity.models import User
from portal.domain.notifications import kinds, words
from portal.domain.notifications.delivery import tell, tell_patient
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.reviews.models import Review
from portal.domain.scheduling.models import COMPLETED, Appointment

ASKED_AFTER = timedelta(hours=2)

review = kinds.rows(Review, joinedload(Review.doctor))


@task
def visit_completed(event_id: str, appointment_id: str) -> None:
    """Ask how it was in two hours, when the patient is home."""
    event = session().get(Event, UUID(event_id))
    if event is not None:
        tasks.later(ask, appointment_id, key=f"review:{event_id}", due_at=event.created_at + ASKED_AFTER)


@task
def ask(appointment_id: str) -> None:
    """Ask how the visit was, once; not when it turned out otherwise or was reviewed already."""
    visit = words.appointment(UUID(appointment_id))
    if visit is not None and _can_be_asked({}, visit):
        key = f"review:{appointment_id}"
        tell_patient(visit.patient_id, "review.invited", visit, key, ("email",), clinic_id=visit.clinic_id)


@task
def review_written(event_id: str, review_id: str) -> None:
    """The doctor reads it and may answer."""
    found = review(UUID(review_id))
    if found is not None:
        doctor = select(User).join(Doctor, Doctor.user_id == User.id).where(Doctor.id == found.doctor_id)
        tell(session().scalars(doctor).one_or_none(), "doctor.reviewed", found, event_id)


@task
def review_answered(event_id: str, review_id: str) -> None:
    """The patient reads what the doctor says to it."""
    _tell_writer(event_id, review_id, "review.answered")


@task
def review_hidden(event_id: str, review_id: str) -> None:
    """The patient is told why."""
    _tell_writer(event_id, review_id, "review.hidden")


@task
def review_shown(event_id: str, review_id: str) -> None:
    """The patient knows that it can be read again."""
    _tell_writer(event_id, review_id, "review.shown")


def _tell_writer(event_id: str, review_id: str, kind: str) -> None:
    found = review(UUID(review_id))
    if found is not None:
        tell_patient(found.patient_id, kind, found, event_id, ("email",), clinic_id=found.clinic_id)


def _can_be_asked(facts: Facts, visit: Appointment) -> bool:
    reviewed = session().scalar(select(Review.id).where(Review.appointment_id == visit.id))
    return visit.status == COMPLETED and reviewed is None


def _visit_page(visit: Appointment) -> str:
    return f"/patient/appointments/{visit.id}/review"


def _page(found: Review) -> str:
    return f"/patient/appointments/{found.appointment_id}/review"


def _about(what: str) -> Any:
    def about(facts: Facts, found: Review, locale: str) -> Facts:
        return {
            "what": what,
            "doctor": found.doctor.name,
            "appointment_id": found.appointment_id,
            "reason": found.hidden_reason if what == "hidden" else "",
        }

    return about


def _of_review(name: str, what: str, icon: str, label: Any, sentence: Any, **more: Any) -> Kind:
    return Kind(
        name,
        review,
        letter="review_notice",
        about=_about(what),
        sentence=lambda facts, found: sentence(found.doctor.name if found else ""),
        icon=icon,
        label=label,
        must_reach=False,
        **more,
    )


kinds.add(
    Kind(
        "review.invited",
        words.appointment,
        letter="review_invited",
        about=lambda facts, visit, locale: {"doctor": visit.doctor.name, "appointment_id": visit.id},
        sentence=lambda facts, visit: say(
            "How was your visit to %(doctor)s?", doctor=visit.doctor.name if visit else ""
        ),
        stands=_can_be_asked,
        url=_visit_page,
        icon="star",
        label=_("Reviews"),
        must_reach=False,
    ),
    _of_review(
        "doctor.reviewed",
        "written",
        "star",
        _("Reviews"),
        lambda doctor: say("A patient has written a review."),
        stands=lambda facts, found: found.hidden_at is None,
        url=lambda found: "/doctor/reviews",
    ),
    _of_review(
        "review.answered",
        "answered",
        "message",
        _("Answers to reviews"),
        lambda doctor: say("%(doctor)s has answered your review.", doctor=doctor),
        stands=lambda facts, found: bool(found.answer) and found.hidden_at is None,
        url=_page,
    ),
    _of_review(
        "review.hidden",
        "hidden",
        "eye-off",
        _("Hidden reviews"),
        lambda doctor: say("Your review of %(doctor)s was hidden.", doctor=doctor),
        stands=lambda facts, found: found.hidden_at is not None,
        url=_page,
    ),
    _of_review(
        "review.shown",
        "shown",
        "eye",
        _("Reviews shown again"),
        lambda doctor: say("Your review of %(doctor)s can be read again.", doctor=doctor),
        stands=lambda facts, found: found.hidden_at is None,
        url=_page,
    ),
)

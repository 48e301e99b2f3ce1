"""Visits that took place, for tests of what is said about them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.core.clock import standing_at
from portal.core.db import keep
from portal.domain.reviews import writing
from portal.domain.reviews.models import Review
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import Appointment
from tests.builders import at


def visit_of(person: Any, doctor: Any, place: Any, wall: str = "09:00", ahead: int = 2, **more: Any) -> Appointment:
    """A visit that is completed."""
    when = at(wall, ahead)
    made = booking.book(
        person.actor,
        practice_id=doctor.practice_id,
        visit_type_id=place.consultation_id,
        starts_at=when,
        **more,
    )
    with standing_at(when):
        for step in (visits.check_in, visits.start, visits.complete):
            step(doctor.actor, made.id)
    keep()
    return made


def reviewed(person: Any, visit: Appointment | UUID, rating: int = 4, text: str = "Took her time.") -> Review:
    made = writing.write(person.actor, visit if isinstance(visit, UUID) else visit.id, rating=rating, text=text)
    keep()
    return made

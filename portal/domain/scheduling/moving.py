"""Moving taken time: each row is moved in place, so an overlap of old and new is no obstacle and nothing is lost."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from portal.core.db import session
from portal.domain.scheduling import availability, taking
from portal.domain.scheduling.models import Appointment, Hold, Occupancy
from portal.domain.scheduling.refusals import TimeTaken
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import OVERBOOKED_FROM, Offer


def move(book: Rulebook, kind: TypeRules, appointment: Appointment, offer: Offer, hold: Hold | None = None) -> None:
    """Give the appointment this offer's time, with the doctor of `book`; a `hold` on it is used up.

    Moves within one doctor's time go one after the other; without that, two visits moved into each other's times
    would wait for one another. Raises TimeTaken or NotOffered.
    """
    for doctor_id in sorted({book.doctor_id, appointment.doctor_id}):
        taking.one_at_a_time("doctor", doctor_id)
    for group in sorted(kind.needs or ()):
        taking.one_at_a_time("rooms", UUID(group))
    _within_the_day(book, kind, appointment, offer)
    if hold:
        session().execute(delete(Hold).where(Hold.id == hold.id))
    taking.free_expired(book.doctor_id, taking.during(offer))
    own = Range(moment(offer.starts), moment(offer.ends), bounds="[)")
    for part, resource_id, taken in (
        ("doctor", book.doctor_id, taking.during(offer)),
        ("patient", appointment.patient_id, own),
    ):
        lanes = offer.free_lanes if part == "doctor" else (1,)
        if not any(_moved(appointment.id, part, resource_id, lane, taken) for lane in lanes):
            raise TimeTaken(availability.alternatives(book, kind, moment(offer.starts)))
    if kind.needs:
        _move_rooms(book, kind, appointment, offer)


def _within_the_day(book: Rulebook, kind: TypeRules, appointment: Appointment, offer: Offer) -> None:
    """The limit of a day counts where the visit comes to another day or doctor, and not over the rules."""
    before, after = (at.astimezone(book.zone).date() for at in (appointment.starts_at, moment(offer.starts)))
    stays = before == after and appointment.practice_id == book.practice_id
    if not stays and offer.free_lanes[0] < OVERBOOKED_FROM:
        taking.day_limit(book, kind, {"id": appointment.id, "starts_at": moment(offer.starts)})


def _move_rooms(book: Rulebook, kind: TypeRules, appointment: Appointment, offer: Offer) -> None:
    old = Occupancy.appointment_id == appointment.id, Occupancy.kind.in_(("room", "device"))
    session().execute(delete(Occupancy).where(*old))
    taking.take_rooms(book, kind, offer, appointment_id=appointment.id)


def _moved(appointment_id: UUID, part: str, resource_id: UUID, lane: int, taken: Range[datetime]) -> bool:
    try:
        with session().begin_nested():
            session().execute(
                text(
                    "UPDATE occupancies SET lane = :lane, during = tstzrange(:begins, :until), resource_id = :resource"
                    " WHERE appointment_id = :id AND kind = :part"
                ),
                {
                    "lane": lane,
                    "begins": taken.lower,
                    "until": taken.upper,
                    "id": appointment_id,
                    "part": part,
                    "resource": resource_id,
                },
            )
    except IntegrityError:
        return False
    return True

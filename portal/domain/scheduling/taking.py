"""Taking time: the inserts and updates that the exclusion constraint grants or refuses.

The doctor's time is taken first, then the patient's, always in this order, so two bookings never wait in a circle.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.exc import IntegrityError

from portal.core import clock
from portal.core.db import new_id, session
from portal.domain.scheduling import availability
from portal.domain.scheduling.models import RELEASED, Appointment, Hold, Occupancy
from portal.domain.scheduling.refusals import NotOffered, TimeTaken
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import Offer, Reason


def take(book_: Rulebook, kind: TypeRules, offer: Offer, appointment: dict[str, Any], hold: Hold | None) -> None:
    """Take the doctor's and the patient's time for a new appointment, or turn a hold's into it; raises TimeTaken."""
    day_limit(book_, kind, appointment)
    lanes = list(offer.free_lanes)
    random.shuffle(lanes)  # many clients after few places: not all for the same one
    if hold:
        session().execute(
            text(
                "UPDATE occupancies SET hold_id = NULL, expires_at = NULL, appointment_id = :id WHERE hold_id = :hold"
            ),
            {"id": appointment["id"], "hold": hold.id},
        )
        session().execute(delete(Hold).where(Hold.id == hold.id))
        taken: int | None = 1
    else:
        taken = occupy("doctor", book_.doctor_id, lanes, during(offer), appointment_id=appointment["id"])
    if taken is None:
        raise TimeTaken(availability.alternatives(book_, kind, appointment["starts_at"]))
    own = Range(appointment["starts_at"], appointment["ends_at"], bounds="[)")
    if occupy("patient", appointment["patient_id"], (1,), own, appointment_id=appointment["id"]) is None:
        session().execute(delete(Occupancy).where(Occupancy.appointment_id == appointment["id"]))
        raise NotOffered(Reason.PATIENT_BUSY, availability.alternatives(book_, kind, appointment["starts_at"]))


def move(book_: Rulebook, kind: TypeRules, appointment: Appointment, offer: Offer) -> None:
    """Move both rows in place: each is its own old time, so an overlap of old and new is no obstacle.

    Moves within one doctor's time go one after the other; without that, two visits moved into each other's times
    would wait for one another.
    """
    one_at_a_time("doctor", book_.doctor_id)
    draft = {"id": appointment.id, "starts_at": moment(offer.starts)}
    if moment(offer.starts).astimezone(book_.zone).date() != appointment.starts_at.astimezone(book_.zone).date():
        day_limit(book_, kind, draft)
    free_expired(book_.doctor_id, during(offer))
    own = Range(moment(offer.starts), moment(offer.ends), bounds="[)")
    for part, taken in (("doctor", during(offer)), ("patient", own)):
        lanes = offer.free_lanes if part == "doctor" else (1,)
        if not any(_moved(appointment.id, part, lane, taken) for lane in lanes):
            raise TimeTaken(availability.alternatives(book_, kind, moment(offer.starts)))


def occupy(
    kind: str,
    resource_id: UUID,
    lanes: Sequence[int],
    taken: Range[datetime],
    *,
    hold: Hold | None = None,
    appointment_id: UUID | None = None,
) -> int | None:
    """Take the time in the first of `lanes` that the database grants; None when none is left.

    A lane that only an expired hold blocks is freed on the way.
    """
    for attempt in (1, 2):
        for lane in lanes:
            values = {
                "id": new_id(),
                "created_at": clock.now(),
                "resource_id": resource_id,
                "kind": kind,
                "lane": lane,
                "during": taken,
                "appointment_id": appointment_id,
                "hold_id": hold.id if hold else None,
                "expires_at": hold.expires_at if hold else None,
            }
            statement = insert(Occupancy).values(values).on_conflict_do_nothing().returning(Occupancy.lane)
            won = session().scalar(statement)
            if won is not None:
                return int(won)
        if attempt == 1 and not free_expired(resource_id, taken):
            break
    return None


def free_expired(resource_id: UUID, taken: Range[datetime]) -> int:
    """Remove expired holds that stand in the way; returns how many."""
    result = session().execute(
        text(
            "DELETE FROM holds USING occupancies o WHERE o.hold_id = holds.id AND o.resource_id = :resource"
            " AND o.during && tstzrange(:begins, :until) AND o.expires_at <= :now"
        ),
        {"resource": resource_id, "begins": taken.lower, "until": taken.upper, "now": clock.now()},
    )
    return int(getattr(result, "rowcount", 0))


def during(offer: Offer) -> Range[datetime]:
    """The time an offer takes of the doctor, buffers included."""
    return Range(moment(offer.occupied_from), moment(offer.occupied_until), bounds="[)")


def day_limit(book_: Rulebook, kind: TypeRules, appointment: dict[str, Any]) -> None:
    """Where a day has a limit, its bookings go one after the other and are counted once more."""
    if kind.most_per_day is None:
        return
    day = appointment["starts_at"].astimezone(book_.zone).date()
    one_at_a_time(f"day:{day}", book_.practice_id)
    begins = datetime.combine(day, datetime.min.time(), book_.zone)
    booked = session().scalar(
        select(func.count()).where(
            Appointment.practice_id == book_.practice_id,
            Appointment.starts_at >= begins,
            Appointment.starts_at < begins + timedelta(days=1),
            Appointment.status.not_in(RELEASED),
            Appointment.id != appointment["id"],
        )
    )
    if (booked or 0) >= kind.most_per_day:
        raise NotOffered(Reason.DAY_FULL, availability.alternatives(book_, kind, appointment["starts_at"]))


def one_at_a_time(what: str, which: UUID) -> None:
    """Wait until no other transaction works on the same thing."""
    session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{what}:{which}"})


def _moved(appointment_id: UUID, part: str, lane: int, taken: Range[datetime]) -> bool:
    try:
        with session().begin_nested():
            session().execute(
                text(
                    "UPDATE occupancies SET lane = :lane, during = tstzrange(:begins, :until)"
                    " WHERE appointment_id = :id AND kind = :part"
                ),
                {"lane": lane, "begins": taken.lower, "until": taken.upper, "id": appointment_id, "part": part},
            )
    except IntegrityError:
        return False
    return True

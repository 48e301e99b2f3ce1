"""Taking time: the inserts and updates that the exclusion constraint grants or refuses.

The doctor's time is taken first, then the patient's, then rooms and devices group by group, always in this order, so
two bookings never wait in a circle.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import Range, insert

from portal.core import clock
from portal.core.db import new_id, session
from portal.core.prepared import Call, Prepared
from portal.domain.scheduling import availability, timetable
from portal.domain.scheduling.models import RELEASED, Appointment, Hold, Occupancy
from portal.domain.scheduling.refusals import NotOffered, TimeTaken
from portal.domain.scheduling.rulebook import Rulebook, TypeRules, moment
from portal.domain.scheduling.timetable import OVERBOOKED_FROM, Offer, Reason

# One statement: the doctor's time, then the patient's, then the visit itself, each only if the one before was granted.
_TAKE = Prepared(
    "take_time",
    """
WITH wanted AS (SELECT * FROM jsonb_populate_record(NULL::appointments, CAST(:visit AS jsonb))),
doctor AS (
  INSERT INTO occupancies (id, created_at, resource_id, kind, lane, during, appointment_id)
  SELECT uuidv7(), created_at, doctor_id, 'doctor', CAST(:lane AS smallint), tstzrange(:begins, :until), id
    FROM wanted WHERE NOT CAST(:held AS boolean)
  ON CONFLICT DO NOTHING RETURNING 1),
patient AS (
  INSERT INTO occupancies (id, created_at, resource_id, kind, lane, during, appointment_id)
  SELECT uuidv7(), created_at, patient_id, 'patient', 1, tstzrange(starts_at, ends_at), id
    FROM wanted WHERE :held OR EXISTS (SELECT FROM doctor)
  ON CONFLICT DO NOTHING RETURNING 1),
visit AS (INSERT INTO appointments SELECT * FROM wanted WHERE EXISTS (SELECT FROM patient)),
known AS (
  INSERT INTO registrations (id, created_at, patient_id, clinic_id)
  SELECT uuidv7(), created_at, patient_id, clinic_id FROM wanted WHERE EXISTS (SELECT FROM patient)
  ON CONFLICT DO NOTHING)
SELECT EXISTS (SELECT FROM doctor) OR :held AS doctor, EXISTS (SELECT FROM patient) AS patient
""",
)

_SHARED = Prepared("hours_shared", "SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")
# One after the other in the order given: what takes the locks is computed only once the rows are sorted.
_SHARED_AND_OTHERS = Prepared(
    "hours_shared_and_others",
    "SELECT pg_advisory_xact_lock(hashtextextended(other, 0))"
    " FROM (SELECT other FROM (SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0)) OFFSET 0) AS hours,"
    " unnest(CAST(:others AS text[])) WITH ORDINALITY AS t(other, n) ORDER BY n OFFSET 0) AS others",
)
_ONE_BY_ONE = Prepared(
    "one_by_one",
    "SELECT pg_advisory_xact_lock(hashtextextended(other, 0))"
    " FROM (SELECT other FROM unnest(CAST(:others AS text[])) WITH ORDINALITY AS t(other, n) ORDER BY n OFFSET 0) AS o",
)
MOST_OVERBOOKED = 40  # at the same moment


def take(book_: Rulebook, kind: TypeRules, offer: Offer, appointment: dict[str, Any], hold: Hold | None) -> None:
    """Write a new appointment with the doctor's and the patient's time, or turn a hold's time into it.

    Raises TimeTaken or NotOffered (the patient is elsewhere, no room is left), each with the next free times.
    """
    if not appointment["overbooked"]:
        day_limit(book_, kind, appointment)
    if kind.needs and hold is None:
        with session().begin_nested():  # a room that is lost gives the doctor's time back, too
            _take(book_, kind, offer, appointment, None)
            take_rooms(book_, kind, offer, appointment_id=appointment["id"])
    else:
        _take(book_, kind, offer, appointment, hold)


def _take(book_: Rulebook, kind: TypeRules, offer: Offer, appointment: dict[str, Any], hold: Hold | None) -> None:
    if hold:
        _turn(hold, appointment["id"])
    granted = _try_lanes(book_.doctor_id, offer, appointment, held=hold is not None)
    if granted is None:
        raise TimeTaken(availability.alternatives(book_, kind, appointment["starts_at"]))
    if not granted.patient:
        session().execute(delete(Occupancy).where(Occupancy.appointment_id == appointment["id"]))
        raise NotOffered(Reason.PATIENT_BUSY, availability.alternatives(book_, kind, appointment["starts_at"]))


def _try_lanes(doctor_id: UUID, offer: Offer, appointment: dict[str, Any], *, held: bool) -> Any:
    """What the database granted in the first lane it gave, None when it gave none; expired holds are removed once."""
    lanes = list(offer.free_lanes)
    random.shuffle(lanes)  # many clients after few places: not all for the same one
    taken = during(offer)
    values = {"visit": orjson.dumps(appointment).decode(), "begins": taken.lower, "until": taken.upper, "held": held}
    for attempt in (1, 2):
        for lane in lanes:
            granted = _TAKE.first({**values, "lane": lane})
            if granted.doctor:
                return granted
        if attempt == 1 and not free_expired(doctor_id, taken):
            break
    return None


def _turn(hold: Hold, appointment_id: UUID) -> None:
    session().execute(
        text("UPDATE occupancies SET hold_id = NULL, expires_at = NULL, appointment_id = :id WHERE hold_id = :hold"),
        {"id": appointment_id, "hold": hold.id},
    )
    session().execute(delete(Hold).where(Hold.id == hold.id))


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


def take_rooms(
    book_: Rulebook, kind: TypeRules, offer: Offer, *, hold: Hold | None = None, appointment_id: UUID | None = None
) -> None:
    """One free room or device of each group the visit needs; raises NotOffered when a group has none left.

    What the clinic books over its rules takes a room where one is free and goes without one otherwise.
    """
    for rooms in timetable.free_rooms(book_.timetable, kind.rule, offer):
        candidates = random.sample(rooms, len(rooms))  # many clients after few rooms: not all for the same one
        granted = any(
            occupy("room", UUID(str(room)), (lane,), during(offer), hold=hold, appointment_id=appointment_id)
            for room, lane in candidates
        )
        if not granted and offer.free_lanes[0] < OVERBOOKED_FROM:
            raise NotOffered(Reason.ROOM, availability.alternatives(book_, kind, moment(offer.starts)))


def over_the_rules(kind: TypeRules, starts: int) -> Offer:
    """A time the clinic gives on purpose although the rules do not: in lanes of its own, beside what is there."""
    duration, before, after = kind.rule.seconds
    lanes = tuple(range(OVERBOOKED_FROM, OVERBOOKED_FROM + MOST_OVERBOOKED))
    return Offer(starts, starts + duration, starts - before, starts + duration + after, lanes, None)


def against_closing(practice_id: UUID, booker_id: UUID | None = None, patient_id: UUID | None = None) -> Call:
    """To wait until nobody is closing this practice's time; many bookings pass here at once. See `closing`.

    With an account and a patient, to wait then until this account books nothing else and nobody books for the patient:
    what is counted of theirs afterwards stays true. What is read after it (`rulebook.read`) is read once the waiting is
    over. Everybody waits in this order, for a doctor's or a day's turn after it.
    """
    if patient_id is None:
        return _SHARED({"key": f"hours:{practice_id}"})
    others = [f"booker:{booker_id}"] if booker_id else []
    return _SHARED_AND_OTHERS({"key": f"hours:{practice_id}", "others": [*others, f"patient:{patient_id}"]})


def one_holds(practice_id: UUID, booker_id: UUID | None, place: str | None) -> Call:
    """To wait until this account, or everybody without one at this place and with this practice, holds nothing else."""
    others = [f"hold-place:{place}", f"hold-day:{practice_id}"] if place else [f"booker:{booker_id}"]
    return _ONE_BY_ONE({"others": others})


def closing(practice_ids: Iterable[UUID]) -> None:
    """Let no booking of these practices pass until this transaction ends: hours are about to change."""
    for practice_id in sorted(practice_ids):
        one_at_a_time("hours", practice_id)

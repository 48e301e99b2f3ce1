"""Overbooking on purpose: what a time collides with is named first, and only what was named is booked over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.scheduling import availability, booking, granting, policy, rulebook, timetable
from portal.domain.scheduling.models import Appointment, Occupancy
from portal.domain.scheduling.rulebook import Rulebook, TypeRules
from portal.domain.scheduling.timetable import Reason

ELSEWHERE = _("The doctor has a visit at another clinic at this time.")
HELD = _("Somebody is booking this time at this moment.")


class MoreInTheWay(Conflict):
    """Since the collisions were looked at another has come."""

    code = "more_in_the_way"
    sentence = _("Something else is in the way now. Please look again before you book over it.")


@dataclass(frozen=True, slots=True)
class Collision:
    """One thing in the way: a rule (its code and sentence) or a visit, as far as the actor may see it.

    `is_final` is one that nobody books over: the past, and the patient's own time.
    """

    key: str
    sentence: Any
    visit: Appointment | None = None
    is_final: bool = False


def collisions(
    actor: Actor,
    practice_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    *,
    patient_id: UUID | None = None,
    moving_id: UUID | None = None,
) -> list[Collision]:
    """Everything in the way of this visit by the clinic's own rules; nothing when it can simply be booked.

    `moving_id` is an appointment whose own time counts as free. Raises NotFound, and Forbidden to who does not arrange
    visits there.
    """
    begins, until = starts_at - availability.MARGIN, starts_at + availability.MARGIN
    options = {"visit_type_id": visit_type_id, "patient_id": patient_id, "moving_id": moving_id}
    book = rulebook.read_one(practice_id, begins, until, also_unverified=True, **options) or refuse(NotFound)
    kind = book.type(visit_type_id) or refuse(NotFound)
    allow(policy.works_on(actor, book.clinic_id))
    starts, now = int(starts_at.timestamp()), int(clock.now().timestamp())
    reason = timetable.explain(book.timetable, kind.rule, starts, now, kind.policy(for_desk=True))
    if reason is Reason.OFFERED:
        return []
    found = [] if reason in {Reason.TAKEN, Reason.BUFFER, Reason.PATIENT_BUSY} else [_rule(reason)]
    found += _visits(actor, book, kind, starts_at, moving_id)
    if _patient_is_elsewhere(book, kind, starts):
        found.append(_rule(Reason.PATIENT_BUSY))
    return found or [_rule(reason)]


def book(
    actor: Actor,
    *,
    practice_id: UUID,
    visit_type_id: UUID,
    starts_at: datetime,
    patient_id: UUID,
    reason: str = "",
    overbook: str = "",
    seen: Iterable[str] = (),
) -> Appointment:
    """Book for somebody; over what is in the way if all of it was seen and `overbook` says why.

    Raises what booking.book raises, MoreInTheWay, and Invalid when something is in the way and no reason is given.
    """
    found = collisions(actor, practice_id, visit_type_id, starts_at, patient_id=patient_id)
    _may_go_on(found, overbook, seen)
    wanted = {"practice_id": practice_id, "visit_type_id": visit_type_id, "patient_id": patient_id, "reason": reason}
    return booking.book(actor, starts_at=starts_at, overbook=overbook if found else "", **wanted)  # type: ignore[arg-type]


def reschedule(
    actor: Actor,
    appointment_id: UUID,
    *,
    starts_at: datetime,
    practice_id: UUID | None = None,
    version: int | None = None,
    overbook: str = "",
    seen: Iterable[str] = (),
) -> Appointment:
    """Move somebody's visit, over what is in the way as `book` does. Raises also what booking.reschedule raises."""
    visit = authority.find(actor, Appointment, appointment_id)
    options = {"patient_id": visit.patient_id, "moving_id": visit.id}
    with booking.says_why(visit, practice_id):
        found = collisions(actor, practice_id or visit.practice_id, visit.visit_type_id, starts_at, **options)
    _may_go_on(found, overbook, seen)
    over = overbook if found else ""
    return booking.reschedule(
        actor, visit.id, starts_at=starts_at, version=version, practice_id=practice_id, overbook=over
    )


def agreed(found: Iterable[Collision], seen: Iterable[str]) -> None:
    """Go on if each of these was shown before; raises MoreInTheWay."""
    allow({one.key for one in found} <= set(seen), MoreInTheWay)


def _may_go_on(found: list[Collision], overbook: str, seen: Iterable[str]) -> None:
    if not found or any(one.is_final for one in found):
        return  # nothing to agree to, or nothing that could be: booking says so, with other times
    agreed(found, seen)
    if not overbook.strip():
        raise Invalid(fields={"overbook": _("Please say why this visit is booked over what is there.")})


def _rule(reason: Reason) -> Collision:
    return Collision(reason.value, availability.sentence_for(reason), is_final=reason in granting.NOT_OVERBOOKED)


def _visits(
    actor: Actor, book: Rulebook, kind: TypeRules, starts_at: datetime, moving_id: UUID | None
) -> list[Collision]:
    """The doctor's visits and holds that overlap this one with its buffers, soonest first."""
    begins = starts_at - timedelta(minutes=kind.buffer_before)
    until = starts_at + timedelta(minutes=kind.duration + kind.buffer_after)
    taken = (
        Occupancy.resource_id == book.doctor_id,
        Occupancy.during.op("&&")(Range(begins, until, bounds="[)")),
    )
    statement = (
        select(Appointment)
        .join(Occupancy, Occupancy.appointment_id == Appointment.id)
        .where(*taken, Appointment.id.is_distinct_from(moving_id))
        .options(joinedload(Appointment.patient), joinedload(Appointment.visit_type), joinedload(Appointment.clinic))
        .order_by(Appointment.starts_at, Appointment.id)
    )
    found = [_visit(actor, visit) for visit in session().scalars(statement)]
    held = select(Occupancy.hold_id).where(*taken, Occupancy.hold_id.is_not(None), Occupancy.expires_at > clock.now())
    return found + [Collision(f"hold:{hold_id}", HELD) for hold_id in session().scalars(held)]


def _visit(actor: Actor, visit: Appointment) -> Collision:
    may_see = policy.works_on(actor, visit.clinic_id)
    sentence = availability.sentence_for(Reason.TAKEN) if may_see else ELSEWHERE
    return Collision(f"visit:{visit.id}", sentence, visit if may_see else None)


def _patient_is_elsewhere(book: Rulebook, kind: TypeRules, starts: int) -> bool:
    ends = starts + kind.duration * 60
    return any(begins < ends and until > starts for begins, until, _lane in book.timetable.patient_busy)

"""Openings of a practice: when it receives, every week or on one date; set by its doctor and the clinic's people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id, find
from portal.core.text import format_time
from portal.core.text import lazy as _
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import impact
from portal.domain.scheduling.models import Opening, VisitType
from portal.domain.scheduling.shapes import OpeningShape


class OpeningOverlaps(Conflict):
    """Another opening of the same practice holds on the same day at the same time; `opening_id` is that one."""

    code = "opening_overlaps"


def may_set_hours(actor: Actor, practice: Practice) -> bool:
    """The practice's doctor and those who work for its clinic."""
    return actor.works_at(practice.clinic_id) or (actor.doctor_id is not None and actor.doctor_id == practice.doctor_id)


def practice_for(actor: Actor, practice_id: UUID | str, *, lock: bool = False) -> Practice:
    """The practice with doctor and clinic, if the actor sets its hours; raises NotFound or Forbidden."""
    practice = find(actor, Practice, practice_id, joinedload(Practice.doctor), joinedload(Practice.clinic), lock=lock)
    allow(may_set_hours(actor, practice))
    return practice


def of_practice(actor: Actor, practice_id: UUID | str) -> list[Opening]:
    """The openings with their visit types: weekly ones by day and time, then single dates."""
    practice_for(actor, practice_id)
    return of_practices([as_id(practice_id)])


def of_practices(practice_ids: Sequence[UUID]) -> list[Opening]:
    """The openings of these practices, whoever asks; for verbs that know the asker."""
    statement = (
        select(Opening)
        .where(Opening.practice_id.in_(practice_ids))
        .options(selectinload(Opening.visit_types))
        .order_by(Opening.weekday.nulls_last(), Opening.on_date, Opening.starts)
    )
    return list(session().scalars(statement))


def get(actor: Actor, opening_id: UUID | str) -> Opening:
    """One opening with its practice, clinic and visit types; raises NotFound or Forbidden."""
    statement = (
        select(Opening)
        .where(Opening.id == as_id(opening_id))
        .options(
            joinedload(Opening.practice).joinedload(Practice.doctor),
            joinedload(Opening.practice).joinedload(Practice.clinic),
            selectinload(Opening.visit_types),
        )
    )
    opening = session().scalars(statement).one_or_none() or refuse(NotFound)
    practice_for(actor, opening.practice_id)
    return opening


def add(actor: Actor, practice_id: UUID | str, **about: Any) -> Opening:
    """A new opening; `about` is an OpeningShape's values.

    Raises Invalid for hours that make no sense or another clinic's visit type, OpeningOverlaps when the practice
    already receives then.
    """
    wanted = OpeningShape.parse(about)
    practice = practice_for(actor, practice_id, lock=True)
    kinds = _kinds(practice, wanted.visit_type_ids)
    _no_overlap(wanted, of_practices([practice.id]), wanted.starts)
    opening = Opening(practice_id=practice.id, visit_types=kinds, **_columns(wanted))
    session().add(opening)
    session().flush()
    record(actor, "opening.added", opening, clinic_id=practice.clinic_id, practice_id=practice.id)
    return opening


def change(actor: Actor, opening_id: UUID | str, *, keep_visits: bool = False, **about: Any) -> Opening:
    """Change an opening; raises as `add` does, and VisitsAffected when booked visits would lie outside it."""
    wanted = OpeningShape.parse(about)
    opening = get(actor, opening_id)
    practice = practice_for(actor, opening.practice_id, lock=True)
    kinds = _kinds(practice, wanted.visit_type_ids)
    before = of_practices([practice.id])
    others = [other for other in before if other.id != opening.id]
    _no_overlap(wanted, others, wanted.starts)
    after = [*others, Opening(id=opening.id, visit_types=kinds, **_columns(wanted))]
    impact.unless_kept(impact.left_outside(practice.id, practice.clinic.zone, before, after), keep_visits)
    for name, value in _columns(wanted).items():
        setattr(opening, name, value)
    opening.visit_types = kinds
    record(actor, "opening.changed", opening, clinic_id=practice.clinic_id, practice_id=practice.id)
    session().flush()
    return opening


def remove(actor: Actor, opening_id: UUID | str, *, keep_visits: bool = False) -> None:
    """Take an opening away. Raises VisitsAffected when booked visits stand in it, unless they are to be kept."""
    opening = get(actor, opening_id)
    practice = practice_for(actor, opening.practice_id, lock=True)
    before = of_practices([practice.id])
    after = [other for other in before if other.id != opening.id]
    impact.unless_kept(impact.left_outside(practice.id, practice.clinic.zone, before, after), keep_visits)
    record(actor, "opening.removed", opening, clinic_id=practice.clinic_id, practice_id=practice.id)
    session().delete(opening)
    session().flush()


def _kinds(practice: Practice, wanted: Iterable[UUID]) -> list[VisitType]:
    ids = set(wanted)
    statement = select(VisitType).where(VisitType.clinic_id == practice.clinic_id, VisitType.id.in_(ids))
    found = list(session().scalars(statement)) if ids else []
    if len(found) != len(ids):
        raise Invalid(fields={"visit_type_ids": _("Please choose among the visit types of this clinic.")})
    return found


def _columns(wanted: OpeningShape) -> dict[str, Any]:
    values = wanted.values()
    del values["visit_type_ids"]
    if wanted.on_date:
        values["valid_from"] = values["valid_until"] = None
    return values


def _no_overlap(wanted: OpeningShape, others: Iterable[Opening], starts: time) -> None:
    for other in others:
        if _same_day(wanted, other) and starts < _end(other.ends) and other.starts < _end(wanted.ends):
            sentence = _(
                "This overlaps with the opening from %(starts)s to %(ends)s. Change that one, or choose another time.",
                starts=format_time(other.starts),
                ends=format_time(other.ends),
            )
            raise OpeningOverlaps(sentence, opening_id=other.id)


def _same_day(one: OpeningShape, other: Opening) -> bool:
    """Whether there is a date on which both hold."""
    if one.on_date or other.on_date:
        day: date = one.on_date or other.on_date  # type: ignore[assignment]
        return _holds(one, day) and _holds(other, day)
    first = max(one.valid_from or date.min, other.valid_from or date.min)
    last = min(one.valid_until or date.max, other.valid_until or date.max)
    return one.weekday == other.weekday and first <= last


def _holds(opening: OpeningShape | Opening, day: date) -> bool:
    if opening.on_date:
        return opening.on_date == day
    return opening.weekday == day.weekday() and (opening.valid_from or day) <= day <= (opening.valid_until or day)


def _end(ends: time) -> time:
    """00:00 is the end of the day."""
    return ends if ends != time() else time.max

"""Openings of a practice: when it receives, every week or on one date; set by its doctor and the clinic's people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.names import as_listed
from portal.core.policy import allow, as_id, find
from portal.core.text import format_time
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.scheduling import closing, impact
from portal.domain.scheduling.models import Opening, VisitType
from portal.domain.scheduling.shapes import BreakShape, OpeningShape


class OpeningOverlaps(Conflict):
    """Another opening of the same practice holds on the same day at the same time; `opening_id` is that one."""

    code = "opening_overlaps"


def may_set_hours(actor: Actor, practice: Practice) -> bool:
    """The practice's doctor and those who work for its clinic."""
    return actor.works_at(practice.clinic_id) or (actor.doctor_id is not None and actor.doctor_id == practice.doctor_id)


def practice_for(actor: Actor, practice_id: UUID | str, *, lock: bool = False) -> Practice:
    """The practice with doctor and clinic, if the actor sets its hours; raises NotFound.

    With `lock` nobody books there until this transaction ends, and nobody else changes its hours.
    """
    whole = joinedload(Practice.doctor), joinedload(Practice.clinic)
    practice = find(actor, Practice, practice_id, *whole)
    allow(may_set_hours(actor, practice), NotFound)
    if lock:
        closing.practice(practice.id)
        practice = find(actor, Practice, practice_id, *whole, lock=True)
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


def practices_of(actor: Actor) -> list[Practice]:
    """The active practices of the clinics the actor works at, by clinic and doctor."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .join(Practice.clinic)
        .where(Practice.clinic_id.in_(actor.clinics_as(STAFF, ADMIN)), Practice.is_active)
        .options(contains_eager(Practice.doctor).selectinload(Doctor.specialties), contains_eager(Practice.clinic))
        .order_by(*as_listed(Clinic.name, Doctor.family_name, Doctor.given_name))
    )
    return list(session().scalars(statement))


def targets(actor: Actor, practice: Practice) -> list[Practice]:
    """Where this practice's hours can be copied to: its doctor's and its clinic's others whose hours the actor sets."""
    statement = (
        select(Practice)
        .join(Practice.doctor)
        .where(
            or_(Practice.doctor_id == practice.doctor_id, Practice.clinic_id == practice.clinic_id),
            Practice.id != practice.id,
            Practice.is_active,
            Practice.visible(actor),
        )
        .options(contains_eager(Practice.doctor), joinedload(Practice.clinic))
        .order_by(*as_listed(Doctor.family_name, Doctor.given_name))
    )
    return [one for one in session().scalars(statement) if may_set_hours(actor, one)]


def get(actor: Actor, opening_id: UUID | str) -> Opening:
    """One opening with its practice, clinic and visit types; raises NotFound."""
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
    opening = draft(practice.id, _kinds(practice, wanted.visit_type_ids), **_columns(wanted))
    before = of_practices([practice.id])
    settle(actor, practice, before, [*before, opening])
    return opening


def change(actor: Actor, opening_id: UUID | str, *, keep_visits: bool = False, **about: Any) -> Opening:
    """Change an opening; raises as `add` does, and VisitsAffected when booked visits would lie outside it."""
    wanted = OpeningShape.parse(about)
    opening = get(actor, opening_id)
    practice = practice_for(actor, opening.practice_id, lock=True)
    changed = draft(practice.id, _kinds(practice, wanted.visit_type_ids), id=opening.id, **_columns(wanted))
    _instead(actor, practice, opening, [changed], keep_visits)
    return opening


def stretch(
    actor: Actor,
    opening_id: UUID | str,
    *,
    starts: time,
    ends: time,
    day: date | None = None,
    keep_visits: bool = False,
) -> Opening:
    """The same opening at another time and, with `day`, on that date or its weekday; raises as `change` does."""
    opening = get(actor, opening_id)
    about = {**columns_of(opening), "starts": starts, "ends": ends}
    if day:
        about |= {"on_date": day} if opening.on_date else {"weekday": day.weekday()}
    kinds = [kind.id for kind in opening.visit_types]
    return change(actor, opening.id, keep_visits=keep_visits, visit_type_ids=kinds, **about)


def take_break(actor: Actor, opening_id: UUID | str, *, keep_visits: bool = False, **about: Any) -> None:
    """A break splits an opening in two; at its edge it makes it shorter. `about` is a BreakShape's values.

    Raises Invalid for a break that is not inside the opening or is all of it, VisitsAffected as `change` does.
    """
    wanted = BreakShape.parse(about)
    opening = get(actor, opening_id)
    practice = practice_for(actor, opening.practice_id, lock=True)
    if wanted.starts < opening.starts or _end(wanted.ends) > _end(opening.ends):
        raise Invalid(fields={"starts": _("The break must lie inside these hours.")})
    pieces = [(opening.starts, wanted.starts), (wanted.ends, opening.ends)]
    pieces = [(starts, ends) for starts, ends in pieces if starts != ends]
    if not pieces:
        raise Invalid(fields={"ends": _("This break is all of these hours. Remove them instead.")})
    parts = [copy_of(opening, starts=starts, ends=ends) for starts, ends in pieces]
    parts[0].id = opening.id
    _instead(actor, practice, opening, parts, keep_visits)


def remove(actor: Actor, opening_id: UUID | str, *, keep_visits: bool = False) -> None:
    """Take an opening away. Raises VisitsAffected when booked visits stand in it, unless they are to be kept."""
    opening = get(actor, opening_id)
    practice = practice_for(actor, opening.practice_id, lock=True)
    _instead(actor, practice, opening, [], keep_visits)


def settle(
    actor: Actor, practice: Practice, before: Sequence[Opening], after: Sequence[Opening], keep_visits: bool = False
) -> None:
    """The practice's openings are `after` from now on instead of `before`; its row must be locked.

    An opening of `before` that is not in `after` is removed; a draft in `after` with the id of one of `before` says
    how that one changes; any other draft is new. Raises OpeningOverlaps and VisitsAffected before anything changes.
    """
    known = {opening.id: opening for opening in before}
    drafts = [one for one in after if one is not known.get(one.id)]
    for one in drafts:
        _no_overlap(one, [other for other in after if other is not one])
    impact.unless_kept(impact.left_outside(practice.id, practice.clinic.zone, before, after), keep_visits)
    kept = {one.id for one in after}
    changes = [("changed", one) if one.id in known else ("added", one) for one in drafts]
    changes += [("removed", one) for one in before if one.id not in kept]
    for what, one in changes:
        if what == "added":
            session().add(one)
        elif what == "changed":
            _become(known[one.id], one)
        record(actor, f"opening.{what}", one, clinic_id=practice.clinic_id, practice_id=practice.id)
        if what == "removed":
            session().delete(one)
    session().flush()


def draft(practice_id: UUID, kinds: Iterable[VisitType], **columns: Any) -> Opening:
    """An opening that is in no session yet, with an id of its own unless one is given."""
    return Opening(practice_id=practice_id, visit_types=list(kinds), **{"id": new_id(), **columns})


def copy_of(opening: Opening, **columns: Any) -> Opening:
    """A draft like this opening but for `columns`; its visit types must be loaded."""
    return draft(opening.practice_id, opening.visit_types, **{**columns_of(opening), **columns})


def columns_of(opening: Opening) -> dict[str, Any]:
    """What an OpeningShape says of an opening, but for its visit types."""
    return {name: getattr(opening, name) for name in OpeningShape.model_fields if name != "visit_type_ids"}


def holds(opening: OpeningShape | Opening, day: date) -> bool:
    """Whether these hours are given on this date."""
    if opening.on_date:
        return opening.on_date == day
    return opening.weekday == day.weekday() and (opening.valid_from or day) <= day <= (opening.valid_until or day)


def _instead(actor: Actor, practice: Practice, opening: Opening, drafts: Sequence[Opening], keep_visits: bool) -> None:
    before = of_practices([practice.id])
    after = [one for one in before if one.id != opening.id]
    settle(actor, practice, before, [*after, *drafts], keep_visits)


def _become(opening: Opening, wanted: Opening) -> None:
    for name, value in columns_of(wanted).items():
        setattr(opening, name, value)
    if opening.visit_types != wanted.visit_types:
        opening.visit_types = list(wanted.visit_types)


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


def _no_overlap(wanted: Opening, others: Iterable[Opening]) -> None:
    for other in others:
        if _same_day(wanted, other) and wanted.starts < _end(other.ends) and other.starts < _end(wanted.ends):
            sentence = _(
                "This overlaps with the opening from %(starts)s to %(ends)s. Change that one, or choose another time.",
                starts=format_time(other.starts),
                ends=format_time(other.ends),
            )
            raise OpeningOverlaps(sentence, opening_id=other.id)


def _same_day(one: Opening, other: Opening) -> bool:
    """Whether there is a date on which both hold."""
    if one.on_date or other.on_date:
        day: date = one.on_date or other.on_date  # type: ignore[assignment]
        return holds(one, day) and holds(other, day)
    first = max(one.valid_from or date.min, other.valid_from or date.min)
    last = min(one.valid_until or date.max, other.valid_until or date.max)
    return one.weekday == other.weekday and first <= last


def _end(ends: time) -> time:
    """00:00 is the end of the day."""
    return ends if ends != time() else time.max

"""Openings of a practice: when it receives, every week or on one date; set by its doctor and the clinic's people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.days import FIRST, LAST
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

A_DAY = 24 * 60  # minutes
_NO_COLUMNS = {"visit_type_ids", "ends_next_day"}  # of an OpeningShape


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
    about = {**columns_of(opening), "starts": starts, "ends": ends, "ends_next_day": False}
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
    begins, until = _minutes(opening.starts, opening.ends)
    breaks = _minutes(wanted.starts, wanted.ends)
    if opening.ends_next_day and wanted.starts < opening.starts:  # after midnight
        breaks = breaks[0] + A_DAY, breaks[1] + A_DAY
    if breaks[0] < begins or breaks[1] > until:
        raise Invalid(fields={"starts": _("The break must lie inside these hours.")})
    pieces = [(starts, ends) for starts, ends in ((begins, breaks[0]), (breaks[1], until)) if starts != ends]
    if not pieces:
        raise Invalid(fields={"ends": _("This break is all of these hours. Remove them instead.")})
    parts = [_piece(opening, starts, ends) for starts, ends in pieces]
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
    """What an OpeningShape says of an opening in columns: not its visit types, nor what follows from its times."""
    return {name: getattr(opening, name) for name in OpeningShape.model_fields if name not in _NO_COLUMNS}


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
    values = {name: value for name, value in wanted.values().items() if name not in _NO_COLUMNS}
    if wanted.on_date:
        values["valid_from"] = values["valid_until"] = None
    return values


def _no_overlap(wanted: Opening, others: Iterable[Opening]) -> None:
    begins, until = _minutes(wanted.starts, wanted.ends)
    for other in others:
        starts, ends = _minutes(other.starts, other.ends)
        meet = (ahead for ahead in (-1, 0, 1) if begins < ends + ahead * A_DAY and starts + ahead * A_DAY < until)
        if any(_both_hold(wanted, other, ahead) for ahead in meet):
            sentence = _(
                "This overlaps with the opening from %(starts)s to %(ends)s. Change that one, or choose another time.",
                starts=format_time(other.starts),
                ends=format_time(other.ends),
            )
            raise OpeningOverlaps(sentence, opening_id=other.id)


def _both_hold(one: Opening, other: Opening, ahead: int) -> bool:
    """Whether there is a date on which `one` holds while `other` holds so many days later."""
    later = timedelta(days=ahead)
    if one.on_date:
        return holds(other, one.on_date + later)
    if other.on_date:
        return holds(one, other.on_date - later)
    if (one.weekday + ahead) % 7 != other.weekday:  # type: ignore[operator]
        return False
    first = max(FIRST, one.valid_from or FIRST, (other.valid_from or FIRST + later) - later)
    last = min(LAST, one.valid_until or LAST, (other.valid_until or LAST + later) - later)
    return first + timedelta(days=(one.weekday - first.weekday()) % 7) <= last  # type: ignore[operator]


def _minutes(starts: time, ends: time) -> tuple[int, int]:
    """From when until when, in minutes since the midnight before the start."""
    begins, until = starts.hour * 60 + starts.minute, ends.hour * 60 + ends.minute
    return begins, until if until > begins else until + A_DAY


def _piece(opening: Opening, starts: int, ends: int) -> Opening:
    """A draft of this part of an opening, in minutes since the midnight before it; after the next it is of that day."""
    after, begins = divmod(starts, A_DAY)
    about: dict[str, Any] = {"starts": _wall(begins), "ends": _wall(ends % A_DAY)}
    if after:
        for name in ("on_date", "valid_from", "valid_until"):
            day = getattr(opening, name)
            about[name] = day and day + timedelta(days=1)
        about["weekday"] = None if opening.weekday is None else (opening.weekday + 1) % 7
    return copy_of(opening, **about)


def _wall(minutes: int) -> time:
    return time(*divmod(minutes, 60))

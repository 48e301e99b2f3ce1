"""Hours copied: a day to other days, a week to a range of dates, to another practice too; visits are kept in sight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Invalid
from portal.core.names import fold
from portal.core.text import lazy as _
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import hours
from portal.domain.scheduling.models import Opening, VisitType
from portal.domain.scheduling.shapes import CopyDay, CopyWeek

A_DAY = timedelta(days=1)
WEEK = 7


def copy_day(actor: Actor, practice_id: UUID | str, **about: Any) -> int:
    """The weekly hours of a weekday are given on other weekdays too; answers how many openings were added.

    `about` is a CopyDay's values; with `replace` the weekly hours of those days go. What is there already is left as
    it is. Raises Invalid for a day without hours, OpeningOverlaps and VisitsAffected as hours.change does.
    """
    wanted = CopyDay.parse(about)
    practice = hours.practice_for(actor, practice_id, lock=True)
    before = hours.of_practices([practice.id])
    source = [one for one in before if one.weekday == wanted.weekday]
    if not source:
        raise Invalid(fields={"weekday": _("There are no weekly hours on this day to copy.")})
    days = sorted(set(wanted.to) - {wanted.weekday})
    kept = [one for one in before if not (wanted.replace and one.weekday in days)]
    copies = [hours.copy_of(one, weekday=day) for day in days for one in source]
    return _add(actor, practice, before, kept, copies, wanted.keep_visits)


def copy_week(actor: Actor, practice_id: UUID | str, **about: Any) -> int:
    """What a week gives is given in every week of a range of dates; answers how many openings were added.

    `about` is a CopyWeek's values: without `last` there is no end, without `to_practice_id` it is the same practice. A
    range within seven days becomes openings of single dates, a longer one weekly openings with valid dates. With
    `replace` the hours in that range give way and stand before and after it. Raises as copy_day does.
    """
    wanted = CopyWeek.parse(about)
    practice = hours.practice_for(actor, wanted.to_practice_id or practice_id, lock=True)
    source = hours.of_practices([hours.practice_for(actor, practice_id).id])
    if wanted.first < clock.today(practice.clinic.zone):
        raise Invalid(fields={"first": _("Please begin today or later.")})
    week = [wanted.week + A_DAY * ahead for ahead in range(WEEK)]
    given = [(day.weekday(), one) for day in week for one in source if hours.holds(one, day)]
    if not given:
        raise Invalid(fields={"week": _("This week has no hours to copy.")})
    before = hours.of_practices([practice.id])
    kept = list(_outside(before, wanted.first, wanted.last)) if wanted.replace else before
    kinds = _kinds_at(practice, [one for _weekday, one in given])
    copies = [
        hours.draft(practice.id, kinds[one.id], **hours.columns_of(one) | dates)
        for weekday, one in given
        for dates in _dates(weekday, wanted.first, wanted.last)
    ]
    return _add(actor, practice, before, kept, copies, wanted.keep_visits)


def _add(
    actor: Actor,
    practice: Practice,
    before: Sequence[Opening],
    kept: Sequence[Opening],
    copies: Iterable[Opening],
    keep_visits: bool,
) -> int:
    """Settle on what is kept and those copies that are not among it already."""
    known = {_face(one) for one in kept}
    new = [one for one in copies if _face(one) not in known]
    hours.settle(actor, practice, before, [*kept, *new], keep_visits)
    return len(new)


def _face(opening: Opening) -> tuple[Any, ...]:
    kinds = frozenset(kind.id for kind in opening.visit_types)
    return (*hours.columns_of(opening).values(), kinds)


def _dates(weekday: int, first: date, last: date | None) -> Iterator[dict[str, Any]]:
    """The columns that put hours of a weekday into a range: one date in a range within a week, else valid dates."""
    if last is None or (last - first).days >= WEEK:
        yield {"weekday": weekday, "on_date": None, "valid_from": first, "valid_until": last}
        return
    on = first + A_DAY * ((weekday - first.weekday()) % WEEK)
    if on <= last:
        yield {"weekday": None, "on_date": on, "valid_from": None, "valid_until": None}


def _outside(openings: Sequence[Opening], first: date, last: date | None) -> Iterator[Opening]:
    """The same openings without the dates first to last; a weekly one may stand before and after them."""
    for one in openings:
        if one.on_date:
            if not first <= one.on_date <= (last or date.max):
                yield one
            continue
        if (one.valid_until or date.max) < first or (last and (one.valid_from or date.min) > last):
            yield one
            continue
        earlier = one.valid_from is None or one.valid_from < first
        if earlier:
            yield hours.copy_of(one, id=one.id, valid_until=first - A_DAY)
        if last and (one.valid_until is None or one.valid_until > last):
            same = {} if earlier else {"id": one.id}
            yield hours.copy_of(one, **same, valid_from=last + A_DAY)


def _kinds_at(practice: Practice, openings: Sequence[Opening]) -> dict[UUID, list[VisitType]]:
    """For each opening its visit types; at another clinic those of the same names. Raises Invalid for one without."""
    kinds = {kind for one in openings for kind in one.visit_types}
    if all(kind.clinic_id == practice.clinic_id for kind in kinds):
        return {one.id: list(one.visit_types) for one in openings}
    theirs = session().scalars(select(VisitType).where(VisitType.clinic_id == practice.clinic_id, VisitType.is_active))
    by_name = {fold(kind.name): kind for kind in theirs}
    missing = sorted(kind.name for kind in kinds if fold(kind.name) not in by_name)
    if missing:
        sentence = _("%(clinic)s has no visit type called %(name)s.", clinic=practice.clinic.name, name=missing[0])
        raise Invalid(fields={"to_practice_id": sentence})
    return {one.id: [by_name[fold(kind.name)] for kind in one.visit_types] for one in openings}

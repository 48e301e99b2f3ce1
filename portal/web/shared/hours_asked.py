"""What the address and the forms of the availability editor say, and whose hours it shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import request, url_for

from portal.core import clock
from portal.core.errors import NotFound, Refused
from portal.core.text import gettext as say
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import hours_preview
from portal.domain.scheduling.hours_preview import Preview
from portal.domain.scheduling.models import Opening, VisitType
from portal.domain.scheduling.shapes import OpeningShape
from portal.web import asked
from portal.web.gate import actor
from portal.web.shared.hours_forms import ONCE, OpeningForm, StretchForm

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Shown:
    """The practice whose hours are shown (None for a doctor without any), its tabs, and the way back."""

    practice: Practice | None
    tabs: Sequence[Practice] = ()
    back: tuple[str, str] | None = None  # address, words

    @property
    def one(self) -> Practice:
        if self.practice is None:
            raise NotFound(say("You have no practice yet. Ask your clinic to add you."))
        return self.practice


Choose = Callable[[UUID | str | None], Shown]


def back(practice: Practice, day: date | None = None) -> str:
    """The address of the week in which what was done can be seen."""
    is_later = day is not None and day > clock.today(practice.clinic.zone)
    return url_for(".openings", practice=practice.id, week=day if is_later else None)


def tried(practice: Practice, kind: VisitType | None, form: OpeningForm, opening: Opening | None) -> Preview | None:
    """What patients would see of what the form says; None while it makes no sense."""
    said = wanted(form)
    if kind is None or said is None:
        return None
    opening_id = opening.id if opening else None
    return hours_preview.offers(actor(), practice.id, kind.id, wanted=said, opening_id=opening_id)


def wanted(form: OpeningForm) -> OpeningShape | None:
    """What the form says now, if it makes sense."""
    if hasattr(form, "clean"):
        return form.clean
    said = {name: form[name].data for name in OpeningShape.model_fields}
    said |= {"on_date": None} if form.repeats.data != ONCE else {"weekday": None}
    try:
        return OpeningShape.parse({name: value for name, value in said.items() if value not in (None, "")})
    except Refused:
        return None


def status(form: OpeningForm) -> int:
    """How a form that is shown again answers: by whether it was accepted."""
    return 200 if hasattr(form, "clean") else 422


def drawn_to(opening: Opening, drawn: StretchForm) -> dict[str, Any]:
    """What the form of an opening says after it was drawn elsewhere on the week."""
    about: dict[str, Any] = {"starts": drawn.clean.starts, "ends": drawn.clean.ends}
    if on := drawn.clean.day:
        about |= {"on_date": on} if opening.on_date else {"weekday": str(on.weekday())}
    return about


def said() -> dict[str, Any]:
    """What the address knows of new hours: ?date= or ?weekday=, ?starts=, ?ends=."""
    known: dict[str, Any] = {name: asked.wall_time(name) for name in ("starts", "ends") if asked.wall_time(name)}
    if on := asked.day("date"):
        known |= {"weekday": str(on.weekday()), "on_date": on}
    elif request.args.get("weekday", "x") in "0123456":
        known["weekday"] = request.args["weekday"]
    return known


def kind(kinds: Sequence[VisitType], given: Collection[UUID] = ()) -> VisitType | None:
    """The visit type asked for, else the first of those that are `given` (empty: all), patients' own before others."""
    wished = request.values.get("kind")
    best = sorted(kinds, key=lambda one: (bool(given) and one.id not in given, one.bookable_by != "anyone"))
    return next((one for one in kinds if str(one.id) == wished), next(iter(best), None))


def given(openings: Iterable[Opening]) -> set[UUID]:
    """The visit types these openings take; empty when one of them takes all."""
    taken = [{kind.id for kind in one.visit_types} for one in openings]
    return set().union(*taken) if all(taken) else set()

"""The question "why not?" as a page: which visit, with whom, when; the same for the desk and for doctors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from flask import Response, request, url_for

from portal.core import clock
from portal.core.errors import Invalid, Refused
from portal.core.text import beside
from portal.core.text import gettext as say
from portal.domain.doctors.models import Practice
from portal.domain.scheduling import calendar_view, visit_types, why_not
from portal.domain.scheduling.calendar_shapes import WhyNotQuestion
from portal.domain.scheduling.models import VisitType
from portal.web import htmx, terms, times
from portal.web.gate import actor

FRAGMENT = "calendar/_why_not.html"
NAMES = ("practice_id", "visit_type_id", "day", "at", "patient_id")


def page(template: str, practices: Sequence[Practice], here: str, *, by_clinic: bool) -> Response:
    """The question with its answer when a time is named; `by_clinic` says the clinic's name beside the doctor's."""
    asked = {name: request.args[name] for name in NAMES if request.args.get(name)}
    practice = next((one for one in practices if str(one.id) == asked.get("practice_id")), None)
    shown = practice or (practices[0] if practices else None)
    kinds = visit_types.active_at([shown.clinic_id]) if shown else []
    context: dict[str, Any] = {
        "here": here,
        "practices": [(str(one.id), _name(one, by_clinic=by_clinic)) for one in practices],
        "kinds": kinds,
        "asked": _filled(asked, shown, kinds),
        "zone_note": times.zone_note(shown.clinic.zone) if shown else "",
        "terms": terms,
        "answer": None,
        "no": None,
    }
    if {"day", "at"} <= asked.keys() and shown:
        try:
            context |= _answer(shown, context["asked"])
        except Refused as no:
            context["no"] = no
            return htmx.page(template, fragment=FRAGMENT, status=no.status, **context)
    return htmx.page(template, fragment=FRAGMENT, **context)


def _answer(practice: Practice, asked: dict[str, str]) -> dict[str, Any]:
    question = WhyNotQuestion.parse({name: value for name, value in asked.items() if value})
    zone = practice.clinic.zone
    starts_at = calendar_view.instant_of(zone, datetime.combine(question.day, _minute(question.at)))
    answer = why_not.ask(
        actor(),
        practice_id=question.practice_id,
        visit_type_id=question.visit_type_id,
        starts_at=starts_at,
        patient_id=question.patient_id,
    )
    return {
        "answer": answer,
        "zone": zone,
        "book_url": _book_url(answer) if answer.is_free or answer.can_be_overbooked else None,
        "others": [(times.choice(at, zone, with_day=True), _again(asked, at)) for at in answer.next_free],
    }


def _minute(at: time) -> time:
    if at.second or at.microsecond or at.tzinfo:
        raise Invalid(fields={"at": say("Visits begin at a full minute.")})
    return at


def _filled(asked: dict[str, str], practice: Practice | None, kinds: Sequence[VisitType]) -> dict[str, str]:
    """What was asked, with what was left open filled in: the first doctor, the shortest visit, the next full hour."""
    if practice is None:
        return asked
    soon = clock.now().astimezone(practice.clinic.zone) + timedelta(hours=1)
    known = [str(kind.id) for kind in sorted(kinds, key=lambda kind: kind.duration)]
    kind = asked.get("visit_type_id", "")
    return {
        "day": soon.date().isoformat(),
        "at": f"{soon.hour:02d}:00",
        **asked,
        "practice_id": str(practice.id),
        "visit_type_id": kind if kind in known else next(iter(known), ""),
    }


def _again(asked: dict[str, str], at: datetime) -> dict[str, str]:
    """The same question about another time."""
    return {**asked, "day": at.date().isoformat(), "at": f"{at:%H:%M}"}


def _name(practice: Practice, *, by_clinic: bool) -> str:
    return beside(practice.doctor.name, practice.clinic.name if by_clinic else "")


def _book_url(answer: why_not.Answer) -> str:
    """Where this time is booked for somebody."""
    about: dict[str, Any] = {
        "practice_id": answer.practice.id,
        "visit_type_id": answer.kind.id,
        "starts_at": answer.starts_at.astimezone(answer.practice.clinic.zone).isoformat(),
    }
    if answer.patient:
        about["patient_id"] = answer.patient.id
    return url_for(f"{request.blueprint}.book", **about)

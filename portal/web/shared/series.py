"""A series for somebody: how often, then every date with its time, then all of them booked or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Invalid, NotFound, Refused, refuse
from portal.core.text import ngettext
from portal.domain.patients import desk as patients
from portal.domain.scheduling import desk, series
from portal.domain.scheduling.desk_shapes import SeriesQuestion
from portal.domain.scheduling.series import Plan
from portal.web import asked, htmx, terms, times
from portal.web.gate import actor
from portal.web.shared.arranging import Arranging
from portal.web.shared.arranging_forms import BookSeriesForm, SeriesForm

PAGE = ("series/plan.html", "series/_plan.html")


def mount(bp: Blueprint) -> None:
    """Give a blueprint the pages; its name, desk or doctor, says whose practices they are about."""
    pages = SeriesPages(Arranging(bp.name))
    bp.add_url_rule("/series", "series", pages.plan)
    bp.add_url_rule("/series", "book_series", pages.book, methods=["POST"])


@dataclass(frozen=True)
class SeriesPages:
    """The pages under one blueprint."""

    arranging: Arranging

    @property
    def door(self) -> str:
        return self.arranging.door

    def plan(self) -> Response:
        """The dates with their times; how often is in the address. Nothing is held."""
        form = SeriesForm(formdata=request.args)
        try:
            asked = SeriesQuestion.parse(
                {name: value for name in SeriesQuestion.model_fields if (value := request.args.get(name))}
            )
        except Invalid as no:
            if {"patient_id", "practice_id", "visit_type_id", "starts_at"} & set(no.fields):
                raise NotFound from None
            form.refuse(no)
            asked = SeriesQuestion.parse({name: request.args.get(name) for name in _FIRST})
            return self._page(asked, form, None, no)
        return self._page(asked, form, self._planned(asked))

    def book(self) -> AnyResponse:
        """Book the chosen times; when one was lost, the plan again with the others as they were chosen."""
        form = BookSeriesForm()
        chosen = {**request.form.to_dict(), "times": [one for one in request.form.getlist("times") if one]}
        known = {name: value for name, value in chosen.items() if name in form.shape.model_fields and value}
        try:
            wanted = form.shape.parse(known)
            self._may(wanted.practice_id)  # type: ignore[attr-defined]
            _made, visits = series.book(actor(), **wanted.values())
        except NotFound:
            raise
        except Refused as no:
            return self._again(no)
        sentence = ngettext("%(n)s visit is booked.", "%(n)s visits are booked.", len(visits))
        return htmx.done(url_for(f"{self.door}.appointment", key=visits[0].id), sentence)

    def _again(self, no: Refused) -> Response:
        """The plan once more after a refusal, for the same question."""
        asked = {name: request.form.get(name) for name in SeriesQuestion.model_fields if request.form.get(name)}
        try:
            question = SeriesQuestion.parse(asked)
        except Invalid:
            raise NotFound from None
        form = SeriesForm(formdata=request.form)
        return self._page(question, form, self._planned(question), no)

    def _may(self, practice_id: UUID) -> None:
        if all(one.id != practice_id for one in self.arranging.practices()):
            raise NotFound

    def _planned(self, asked: SeriesQuestion) -> Plan:
        self._may(asked.practice_id)
        step = {"every_weeks": asked.every} if asked.unit == "weeks" else {"every_days": asked.every}
        return series.plan(
            actor(),
            practice_id=asked.practice_id,
            visit_type_id=asked.visit_type_id,
            patient_id=asked.patient_id,
            starts_at=asked.starts_at,
            count=asked.count,
            **step,
        )

    def _page(self, asked: SeriesQuestion, form: SeriesForm, plan: Plan | None, no: Refused | None = None) -> Response:
        practice = next((one for one in self.arranging.practices() if one.id == asked.practice_id), None)
        practice = practice or refuse(NotFound)
        kind = next((one for one in desk.kinds(practice) if one.id == asked.visit_type_id), None) or refuse(NotFound)
        about: dict[str, Any] = {name: getattr(asked, name) for name in _FIRST if name != "starts_at"}
        context: dict[str, Any] = {
            "door": self.door,
            "form": form,
            "asked": asked,
            "plan": plan,
            "patient": patients.get(actor(), asked.patient_id),
            "practice": practice,
            "kind": kind,
            "zone": practice.clinic.zone,
            "refusal": no,
            "chosen": _chosen(no),
            "back_url": url_for(f"{self.door}.book", starts_at=asked.starts_at.isoformat(), **about),
            "terms": terms,
            "times": times,
        }
        return htmx.page(PAGE[0], fragment=PAGE[1], status=no.status if no else 200, **context)


_FIRST = ("patient_id", "practice_id", "visit_type_id", "starts_at")


def _chosen(no: Refused | None) -> set[datetime]:
    """The times that were chosen before a refusal, the one that was lost left out."""
    lost = no.facts.get("starts_at") if no else None
    found = set()
    for written in request.form.getlist("times"):
        if at := asked.moment(written):
            found.add(at)
    return found - {lost}

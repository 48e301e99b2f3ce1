"""Booking for somebody in three screens: who, when with whom, confirm. The desk and doctors have the same pages.

What was chosen so far lives in the address, so every screen can be linked to: from a patient's card, from the
calendar, from “why not?”. Nothing is changed before the last screen's form is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Invalid, NotFound, Refused, refuse
from portal.core.policy import as_id
from portal.core.text import gettext as say
from portal.domain.doctors.models import Practice
from portal.domain.patients import desk as patients
from portal.domain.patients.models import Patient
from portal.domain.scheduling import desk, finding, groups, overbooking, policy
from portal.domain.scheduling.models import VisitType
from portal.web import asked, htmx, searching, terms, times
from portal.web.gate import actor
from portal.web.shared import arranging_any
from portal.web.shared.arranging_asked import arrows, other_time
from portal.web.shared.arranging_forms import BookForForm

WHO = ("desk/book/who.html", "desk/book/_found.html")
TIMES = ("desk/book/times.html", "desk/book/_times.html")
CONFIRM = ("desk/book/confirm.html", "desk/book/_confirm.html")
KEPT = ("patient_id", "practice_id", "visit_type_id", "starts_at", "from")


def mount(bp: Blueprint) -> None:
    """Give a blueprint the pages; its name, desk or doctor, says whose practices they are about."""
    pages = Arranging(bp.name)
    bp.add_url_rule("/book", "book", pages.book)
    bp.add_url_rule("/book", "book_for", pages.book_for, methods=["POST"])
    searching.mount(bp, "/book/search", "book", endpoint="search_book", kept=KEPT)


@dataclass(frozen=True)
class Arranging:
    """The pages under one blueprint."""

    door: str

    def book(self) -> AnyResponse:
        """The screen that what is in the address asks for next."""
        patient = self._patient()
        if patient is None:
            return self._who()
        if arranging_any.is_asked():
            return arranging_any.page(self.door, patient, self.practices())
        practice = self._practice()
        kinds = desk.kinds(practice) if practice else []
        kind = _chosen(kinds)
        if practice and kind and (at := self._asked_time(practice)):
            return self._confirm_page(patient, practice, kind, at, BookForForm(formdata=None))
        return self._times_page(patient, practice, kinds, kind)

    def book_for(self) -> AnyResponse:
        """Book it; refused, the last screen again with what is in the way."""
        form = BookForForm()
        if not form.accepted():
            return self._again(form, Invalid())
        wanted = form.clean
        self._one(wanted.practice_id)
        seen = wanted.seen.split(",") if wanted.seen else ()
        try:
            made = overbooking.book(actor(), **{**wanted.values(), "seen": seen})
        except NotFound:
            raise
        except Refused as no:
            form.refuse(no)
            return self._again(form, no)
        sentence = say("Booked. The patient gets a message.")
        return htmx.done(url_for(f"{self.door}.appointment", key=made.id), sentence)

    def practices(self) -> list[Practice]:
        """Whom this door books with: the desk every doctor of its clinics, a doctor themselves; read once a request."""
        if "bookable" not in g:
            g.bookable = desk.practices(actor())
        found: list[Practice] = g.bookable
        return [one for one in found if one.doctor_id == actor().doctor_id] if self.door == "doctor" else found

    def _one(self, practice_id: UUID) -> Practice:
        return next((one for one in self.practices() if one.id == practice_id), None) or refuse(NotFound)

    def _patient(self) -> Patient | None:
        wanted = request.values.get("patient_id")
        return patients.get(actor(), wanted) if wanted else None

    def _practice(self) -> Practice | None:
        """The practice asked for, the first there is without asking; None when there is none."""
        if wanted := request.values.get("practice_id"):
            return self._one(as_id(wanted))
        return next(iter(self.practices()), None)

    def _asked_time(self, practice: Practice) -> datetime | None:
        """The time in the address: one that was typed, or one that was offered; None for what is no time."""
        return other_time(practice.clinic.zone) or asked.moment(request.args.get("starts_at"))

    def _who(self) -> Response:
        typed = searching.typed()
        kept: dict[str, Any] = {key: value for key in KEPT if (value := request.args.get(key))}
        context: dict[str, Any] = {
            "door": self.door,
            "q": typed,
            "found": desk.search(actor(), typed) if typed else [],
            "person_url": partial(url_for, f"{self.door}.book", **kept),
            "new_url": url_for("desk.new_patient", then="book", search=searching.kept(), **kept)
            if self.door == "desk"
            else None,
            "kept": kept,
        }
        return htmx.page(WHO[0], fragment=WHO[1], terms=terms, times=times, **context)

    def _times_page(
        self, patient: Patient, practice: Practice | None, kinds: list[VisitType], kind: VisitType | None
    ) -> Response:
        practices = self.practices()
        context: dict[str, Any] = {
            "door": self.door,
            "patient": patient,
            "practices": practices,
            "groups": arranging_any.groups(practices) if self.door == "desk" else [],
            "practice": practice,
            "any_of": None,
            "kinds": kinds,
            "kind": kind,
            "typed": {key: request.args.get(key, "") for key in ("day", "wall")},
            "week": None,
        }
        if practice and kind:
            context |= self._week(patient, practice, kind)
        return htmx.page(TIMES[0], fragment=TIMES[1], terms=terms, times=times, **context)

    def _week(self, patient: Patient, practice: Practice, kind: VisitType) -> dict[str, Any]:
        zone = practice.clinic.zone
        found = finding.week(actor(), practice.id, kind, zone, asked.day("from"), patient_id=patient.id)
        week = times.week_view(found, places=groups.places_of([practice.id]))
        about: dict[str, Any] = {"patient_id": patient.id, "practice_id": practice.id, "visit_type_id": kind.id}
        return {"week": week, **arrows(week, partial(url_for, f"{self.door}.book", **about))}

    def _confirm_page(
        self,
        patient: Patient,
        practice: Practice,
        kind: VisitType,
        at: datetime,
        form: BookForForm,
        no: Refused | None = None,
    ) -> Response:
        found = overbooking.collisions(actor(), practice.id, kind.id, at, patient_id=patient.id)
        about: dict[str, Any] = {"patient_id": patient.id, "practice_id": practice.id, "visit_type_id": kind.id}
        for name, value in {**about, "starts_at": at.isoformat()}.items():
            form[name].data = value
        form.seen.data = ",".join(one.key for one in found)
        zone = practice.clinic.zone
        here = partial(url_for, f"{self.door}.book", **about)
        day: dict[str, Any] = {"from": at.astimezone(zone).date()}
        context: dict[str, Any] = {
            "door": self.door,
            "form": form,
            "refusal": no,
            "patient": patient,
            "practice": practice,
            "kind": kind,
            "starts_at": at,
            "zone": zone,
            "collisions": found,
            "can_be_booked": not any(one.is_final for one in found),
            "price": policy.price_of(kind, practice),
            "times_url": here(**day),
            "series_url": None if found else url_for(f"{self.door}.series", starts_at=at.isoformat(), **about),
            "others": times.others(no.facts.get("alternatives", ()), zone) if no else [],
            "choose_url": here,
            "terms": terms,
            "times": times,
        }
        return htmx.page(CONFIRM[0], fragment=CONFIRM[1], status=no.status if no else 200, **context)

    def _again(self, form: BookForForm, no: Refused) -> Response:
        patient = self._patient() or refuse(NotFound)
        practice = self._practice() or refuse(NotFound)
        kind = _chosen(desk.kinds(practice)) or refuse(NotFound)
        at = asked.moment(request.form.get("starts_at")) or refuse(NotFound)
        return self._confirm_page(patient, practice, kind, at, form, no)


def _chosen(kinds: list[VisitType]) -> VisitType | None:
    """The type asked for, the first of the doctor's when it is not one of this clinic."""
    wanted = request.values.get("visit_type_id")
    return next((kind for kind in kinds if str(kind.id) == wanted), kinds[0] if kinds else None)

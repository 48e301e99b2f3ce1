"""Any doctor, at the desk: the free times of all doctors of one field at a clinic; whose turn it is, is chosen."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.errors import NotFound, Refused, refuse
from portal.core.text import gettext as say
from portal.domain.doctors.models import Practice, Specialty
from portal.domain.patients.models import Patient
from portal.domain.scheduling import anyone, visit_types
from portal.domain.scheduling.anyone import Choice
from portal.web import asked, htmx, terms, times
from portal.web.gate import actor
from portal.web.shared.arranging_asked import arrows

ANY = "any:"  # in the place of a practice's id: any:<clinic>:<code of the field>
TIMES = ("desk/book/times.html", "desk/book/_times.html")


def is_asked() -> bool:
    """Whether the address asks for any doctor instead of one."""
    return request.args.get("practice_id", "").startswith(ANY)


def groups(practices: list[Practice]) -> list[tuple[str, str]]:
    """The fields of medicine that at least two doctors of one clinic share: values and words of a select."""
    found = _by_field(practices)
    language, several = text.language(), len({one.clinic_id for one in practices}) > 1
    chosen = []
    for (clinic_id, code), (field, own) in found.items():
        if len(own) > 1:
            words = say("Any doctor: %(specialty)s", specialty=field.name_in(language))
            chosen.append((f"{ANY}{clinic_id}:{code}", text.beside(words, own[0].clinic.name if several else "")))
    return text.in_order(chosen, name=lambda one: one[1])


def page(door: str, patient: Patient, practices: list[Practice]) -> AnyResponse:
    """The free times of all of them; a time that is chosen leads on with the doctor whose turn it is."""
    value = request.args["practice_id"]
    own = _asked(value, practices)
    kinds = visit_types.active_at([own[0].clinic_id])
    wanted = request.args.get("visit_type_id")
    kind = next((one for one in kinds if str(one.id) == wanted), kinds[0] if kinds else None)
    of = Choice(None, kind or refuse(NotFound), tuple(own))
    no: Refused | None = None
    if at := asked.moment(request.args.get("starts_at")):
        try:
            practice_id = anyone.choose(
                actor(), own[0].clinic_id, of.kind.id, at, among=of.practice_ids, patient_id=patient.id
            )
            about: dict[str, Any] = {
                "practice_id": practice_id,
                "visit_type_id": of.kind.id,
                "starts_at": at.isoformat(),
            }
            return htmx.see_other(url_for(f"{door}.book", patient_id=patient.id, **about))
        except Refused as refused:
            no = refused
    zone = own[0].clinic.zone
    week = times.week_view(anyone.week(actor(), of, zone, asked.day("from"), patient_id=patient.id))
    link = partial(url_for, f"{door}.book", patient_id=patient.id, practice_id=value, visit_type_id=of.kind.id)
    context: dict[str, Any] = {
        "door": door,
        "patient": patient,
        "practices": practices,
        "groups": groups(practices),
        "practice": None,
        "any_of": value,
        "kinds": kinds,
        "kind": of.kind,
        "typed": {},
        "week": week,
        "others": times.others(no.facts.get("alternatives", ()), zone) if no else [],
        "terms": terms,
        "times": times,
        **arrows(week, link),
    }
    if no:
        return htmx.refused(no, TIMES[0], fragment=TIMES[1], **context)
    return htmx.page(TIMES[0], fragment=TIMES[1], **context)


def _asked(value: str, practices: list[Practice]) -> list[Practice]:
    clinic, _colon, code = value.removeprefix(ANY).partition(":")
    found = {f"{clinic_id}:{key}": own for (clinic_id, key), (_field, own) in _by_field(practices).items()}
    return found.get(f"{clinic}:{code}") or refuse(NotFound)


def _by_field(practices: list[Practice]) -> dict[tuple[UUID, str], tuple[Specialty, list[Practice]]]:
    found: dict[tuple[UUID, str], tuple[Specialty, list[Practice]]] = {}
    for practice in practices:
        for field in practice.doctor.specialties:
            found.setdefault((practice.clinic_id, field.code), (field, []))[1].append(practice)
    return found

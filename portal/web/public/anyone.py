"""Any doctor of a clinic: what, when, and then the usual screens, which name the doctor whose turn it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.errors import Invalid, Refused
from portal.core.text import gettext as say
from portal.domain.clinics import queries
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import anyone, policy
from portal.domain.scheduling.anyone import Choice
from portal.web import asked, framing, held, htmx, times
from portal.web.gate import actor
from portal.web.public import bp
from portal.web.public.doctors import arrows

TIMES = ("public/anyone/times.html", "public/anyone/_times.html")


@bp.get("/clinics/<slug>/book")
@framing.by_clinics
def book_any(slug: str) -> Response:
    """Screen 1: which field and what kind of visit, with how many doctors give it."""
    clinic = framing.about(queries.by_slug(actor(), slug))
    fields: dict[str, list[Choice]] = {}
    for choice in anyone.choices(clinic.id):
        fields.setdefault(choice.code, []).append(choice)
    return htmx.page(
        "public/anyone/types.html", clinic=clinic, fields=list(fields.values()), policy=policy.in_words, times=times
    )


@bp.get("/clinics/<slug>/book/<uuid:visit_type_id>")
@framing.by_clinics
def any_times(slug: str, visit_type_id: UUID) -> Response:
    """Screen 2: when; a time is free when at least one of the doctors is. ?specialty= is the field."""
    clinic, of = _choice(slug, visit_type_id)
    return _times_page(clinic, of)


@bp.post("/clinics/<slug>/book/<uuid:visit_type_id>")
def hold_any(slug: str, visit_type_id: UUID) -> AnyResponse:
    """Keep the chosen time with the doctor whose turn it is."""
    clinic, of = _choice(slug, visit_type_id)
    at = asked.moment(request.form.get("starts_at"))
    if at is None:
        return _times_page(clinic, of, Invalid(say("Please choose one of the times.")))
    try:
        kept, token = anyone.hold(actor(), of, at, held.token())
    except Refused as no:
        return _times_page(clinic, of, no, at)
    held.keep(kept, token, {"slug": slug, "visit_type_id": str(visit_type_id), "specialty": of.code})
    return htmx.see_other(url_for("public.book_details"))


def _choice(slug: str, visit_type_id: UUID) -> tuple[Clinic, Choice]:
    clinic = framing.about(queries.by_slug(actor(), slug))
    return clinic, anyone.choice(clinic.id, visit_type_id, request.args.get("specialty", "")[:40])


def _times_page(clinic: Clinic, of: Choice, no: Refused | None = None, near: datetime | None = None) -> Response:
    day = asked.day("from") or (near.astimezone(clinic.zone).date() if near else None)
    week = times.week_view(anyone.week(actor(), of, clinic.zone, day))
    about: dict[str, Any] = {"slug": clinic.slug, "visit_type_id": of.kind.id, "specialty": of.code}
    context: dict[str, Any] = {
        "clinic": clinic,
        "of": of,
        "kind_name": of.kind.name_in(text.language()),
        "week": week,
        "policy": policy.in_words(of.kind),
        "here": url_for("public.hold_any", **about),
        "sign_in_url": held.sign_in_for(no, url_for("public.any_times", **about)),
        "others": times.others(no.facts.get("alternatives", ()), clinic.zone) if no else [],
        **arrows(week, "public.any_times", **about),
    }
    if no:
        return htmx.refused(no, TIMES[0], fragment=TIMES[1], **context)
    return htmx.page(TIMES[0], fragment=TIMES[1], refusal=None, **context)

"""A doctor's page: who they are and when they are free, week by week, at each practice."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from markupsafe import Markup

from portal.core.errors import NotFound, refuse
from portal.core.text import beside
from portal.domain.doctors import directory, favourites
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.reviews import reading
from portal.domain.scheduling import availability, finding, policy
from portal.domain.scheduling.models import VisitType
from portal.web import asked, htmx, times
from portal.web.gate import actor
from portal.web.patient.favourites import heart
from portal.web.public import bp

FIRST = 3  # reviews on the doctor's page itself


@bp.get("/doctors/<slug>")
def doctor(slug: str) -> Response:
    """The profile with one week of free times; the practice, the visit type and the week are in the address."""
    found = directory.profile(actor(), slug)
    practice = _chosen_practice(found)
    context: dict[str, Any] = {"doctor": found, "practice": practice, "times": times, "kinds": [], "kind": None}
    if practice:
        context["kinds"] = kinds = availability.bookable_types(practice.id)
        context["kind"] = kind = chosen_kind(kinds, request.args.get("visit_type"))
        if kind:
            context |= week_of(practice, kind, "public.doctor", slug=slug, practice=practice.id, visit_type=kind.id)
            context |= {"policy": policy.in_words(kind), "price": policy.price_of(kind, practice)}
    if not htmx.wants_fragment():
        context |= {"reviews": reading.of_doctor(found.id, limit=FIRST), "heart": _heart(found)}
    return htmx.page("public/doctors/show.html", fragment="public/doctors/_times.html", **context)


@bp.get("/doctors/<slug>/reviews")
def doctor_reviews(slug: str) -> Response:
    """What patients say about a doctor, page by page."""
    found = directory.profile(actor(), slug)
    reviews = reading.of_doctor(found.id, after=request.args.get("after") or None)
    following = url_for("public.doctor_reviews", slug=slug, after=reviews.next) if reviews.next else None
    spread = reading.spread(found.id)
    return htmx.page("public/doctors/reviews.html", doctor=found, reviews=reviews, spread=spread, next_url=following)


def _heart(found: Doctor) -> Markup | None:
    """The heart beside the doctor's name; none for those who are no patients."""
    who = actor()
    if who.is_signed_in and who.patient_id is None:
        return None
    is_kept = found.id in favourites.kept(who) if who.is_signed_in else None
    return heart(found.id, found.slug, found.name, is_kept=is_kept, back=url_for("public.doctor", slug=found.slug))


def week_of(practice: Practice, kind: VisitType, endpoint: str, /, **address: Any) -> dict[str, Any]:
    """The week asked for in the address, as the picker takes it, and where its arrows lead."""
    week = times.week_view(finding.week(actor(), practice.id, kind, practice.clinic.zone, asked.day("from")))
    return {"week": week, **arrows(week, endpoint, **address)}


def arrows(week: times.WeekView, endpoint: str, /, **address: Any) -> dict[str, Any]:
    """The addresses of the week before, the week after and the next free time."""

    def at(day: date) -> str:
        return url_for(endpoint, **(address | {"from": day}))

    near, zone = week.next_free, week.zone.key
    if near:
        label = beside(times.short_day(near.starts_at, zone), times.short_time(near.starts_at, zone))
        soonest = {"label": label, "url": at(near.starts_at.astimezone(week.zone).date())}
    return {
        "previous_url": at(week.previous) if week.previous else None,
        "next_url": at(week.next) if week.next else None,
        "next_free": soonest if near else None,
    }


def chosen_kind(kinds: list[VisitType], wanted: str | UUID | None) -> VisitType | None:
    """The visit type asked for, else the first; raises NotFound for one that cannot be booked here."""
    if not wanted:
        return kinds[0] if kinds else None
    return next((kind for kind in kinds if str(kind.id) == str(wanted)), None) or refuse(NotFound)


def _chosen_practice(found: Doctor) -> Practice | None:
    open_ones = [practice for practice in found.practices if practice.clinic.is_active]
    wanted = request.args.get("practice")
    if not wanted:
        return open_ones[0] if open_ones else None
    return next((practice for practice in open_ones if str(practice.id) == wanted), None) or refuse(NotFound)

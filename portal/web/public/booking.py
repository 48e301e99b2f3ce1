"""Booking in four screens: visit type, time, who and why, confirmed. The time is held from the second on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.errors import Invalid, NotFound, Refused, refuse
from portal.core.text import gettext as say
from portal.domain.doctors import directory
from portal.domain.doctors.models import Practice
from portal.domain.patients import family
from portal.domain.scheduling import appointments, availability, booking, finding, groups, holds, invitations, policy
from portal.domain.scheduling.models import Hold, VisitType
from portal.domain.scheduling.refusals import HoldExpired
from portal.domain.scheduling.shapes import PlaceHold
from portal.web import asked, framing, gate, held, htmx, times
from portal.web.gate import actor
from portal.web.public import bp
from portal.web.public.doctors import arrows, chosen_kind
from portal.web.public.forms import DetailsForm, TimeForm

OTHERS = 6  # free times offered after a refusal


@bp.get("/book/<uuid:practice_id>")
@framing.by_clinics
def book(practice_id: UUID) -> Response:
    """Screen 1: what kind of visit, with its policy in plain words."""
    practice = directory.practice(actor(), practice_id)
    framing.about(practice.clinic)
    found = _bookable(practice)
    kinds = [(kind, policy.price_of(kind, practice), policy.in_words(kind)) for kind in found]
    return htmx.page("public/booking/types.html", practice=practice, kinds=kinds)


@bp.get("/book/<uuid:practice_id>/<uuid:visit_type_id>")
@framing.by_clinics
def book_times(practice_id: UUID, visit_type_id: UUID) -> AnyResponse:
    """Screen 2: when. A time in the address, from a card, is shown first; only a POST takes it."""
    practice, kind = _choice(practice_id, visit_type_id)
    if kind.bookable_by != "anyone" and not actor().is_signed_in:
        return gate.ask_to_sign_in()  # to see whether they are invited
    return _times_page(practice, kind, wanted=asked.moment(request.args.get("at")))


@bp.post("/book/<uuid:practice_id>/<uuid:visit_type_id>")
def hold(practice_id: UUID, visit_type_id: UUID) -> AnyResponse:
    """Keep the chosen time while the rest is filled in."""
    practice, kind = _choice(practice_id, visit_type_id)
    form = TimeForm(fixed={"practice_id": str(practice_id), "visit_type_id": str(visit_type_id)})
    if not form.accepted():
        return _times_page(practice, kind, no=Invalid(fields={"starts_at": say("Please choose one of the times.")}))
    try:
        _keep(form.clean)
    except Refused as no:
        return _times_page(practice, kind, no=no, wanted=form.clean.starts_at)
    return htmx.see_other(url_for("public.book_details"))


@bp.get("/book/details")
def book_details() -> AnyResponse:
    """Screen 3: who comes and why; signing in or registering happens on the way and the hold keeps its clock."""
    mine = held.now()
    if not mine:
        return htmx.see_other(url_for("public.directory"))
    form = DetailsForm(data={**mine, "hold_token": mine["token"]})
    try:
        kept = holds.look(mine["token"])
    except HoldExpired as no:
        return _lost(no, mine, form)
    return _details_page(kept, form)


@bp.post("/book/details")
def book_appointment() -> AnyResponse:
    """Book what is held; sent twice it leads to the same appointment."""
    form = DetailsForm()
    if not actor().is_signed_in:
        return htmx.see_other(url_for("public.book_details"))
    if not form.accepted():
        return _again(form, Invalid())
    if other := request.form.get("other"):
        return _hold_another(form, other)
    try:
        made = booking.book(actor(), **form.clean.given())
    except Refused as no:
        return _again(form, no)
    session.pop("hold", None)
    return htmx.see_other(url_for("public.booked", key=made.id))


@bp.get("/book/done/<uuid:key>")
def booked(key: UUID) -> AnyResponse:
    """Screen 4: what was booked and what happens next."""
    if not actor().is_signed_in:
        return gate.ask_to_sign_in()
    found = appointments.find(actor(), key)
    last = text.format_datetime(policy.changes_until(found, found.visit_type), found.clinic.zone)
    can: dict[str, Any] = {"can_cancel": policy.can_cancel(actor(), found), "can_move": policy.can_move(actor(), found)}
    return htmx.page("public/booking/done.html", appointment=found, until=last, times=times, **can)


def _keep(wanted: PlaceHold) -> Hold:
    """Hold a time instead of whatever this browser held before."""
    kept, token = holds.place(actor(), **wanted.values(), token=held.token())
    held.keep(kept, token)
    return kept


def _hold_another(form: DetailsForm, other: str) -> Response:
    """One of the other times offered after a refusal: hold it and ask once more, with what was typed."""
    about = {"practice_id": form.clean.practice_id, "visit_type_id": form.clean.visit_type_id}
    try:
        _keep(PlaceHold.parse({**about, "starts_at": other}))
        mine = held.now() or {}
        kept = holds.look(mine["token"])
    except Refused as no:
        return _again(form, no)
    form.starts_at.data, form.hold_token.data = mine["starts_at"], mine["token"]
    return _details_page(kept, form)


def _choice(practice_id: UUID, visit_type_id: UUID) -> tuple[Practice, VisitType]:
    practice = directory.practice(actor(), practice_id)
    framing.about(practice.clinic)
    kinds = _bookable(practice) if actor().is_signed_in else _bookable(practice, also=(visit_type_id,))
    return practice, chosen_kind(kinds, visit_type_id) or refuse(NotFound)


def _bookable(practice: Practice, also: Collection[UUID] = ()) -> list[VisitType]:
    """What anybody can book here, and what whoever looks was invited to book."""
    return availability.bookable_types(practice.id, also=also or invitations.types_for(actor(), practice.id))


def _times_page(
    practice: Practice, kind: VisitType, *, wanted: datetime | None = None, no: Refused | None = None
) -> Response:
    day = asked.day("from") or (wanted.astimezone(practice.clinic.zone).date() if wanted else None)
    found = finding.week(actor(), practice.id, kind, practice.clinic.zone, day)
    week = times.week_view(found, places=groups.places_of([practice.id]))
    is_free = wanted and any(slot.starts_at == wanted for _day, slots in found.days for slot in slots)
    context: dict[str, Any] = {
        "practice": practice,
        "kind": kind,
        "kind_name": kind.name_in(text.language()),
        "week": week,
        "wanted": times.choice(wanted, week.zone, with_day=True) if wanted else None,
        "is_free": is_free,
        "policy": policy.in_words(kind),
        "others": times.others(no.facts.get("alternatives", ()), week.zone) if no else [],
        "sign_in_url": held.sign_in_for(no, _back_to(practice, kind, wanted)),
        **arrows(week, "public.book_times", practice_id=practice.id, visit_type_id=kind.id),
    }
    pages = ("public/booking/times.html", "public/booking/_times.html")
    if no:
        return htmx.refused(no, pages[0], fragment=pages[1], **context)
    return htmx.page(pages[0], fragment=pages[1], refusal=None, **context)


def _back_to(practice: Practice, kind: VisitType, wanted: datetime | None) -> str:
    at = wanted.isoformat() if wanted else None
    return url_for("public.book_times", practice_id=practice.id, visit_type_id=kind.id, at=at)


def _people(practice: Practice) -> list[tuple[str, str]]:
    """For whom the reader may book there: themselves and those they look after; ids and names."""
    who = actor()
    own = [(str(who.patient_id), say("%(name)s (yourself)", name=who.name))] if who.patient_id else []
    return own + [(str(one.id), one.name) for one in family.looked_after(who, "book", at=practice.clinic_id)]


def _ask_whom(form: DetailsForm, practice: Practice) -> DetailsForm:
    """The form with the people to choose from; whoever stands first is meant until somebody else is chosen."""
    form.patient_id.choices = people = _people(practice)
    if people and form.patient_id.data not in dict(people):
        form.patient_id.data = people[0][0]
    return form


def _details_page(kept: Hold, form: DetailsForm, no: Refused | None = None) -> Response:
    _ask_whom(form, kept.practice)
    context: dict[str, Any] = {
        "practice": kept.practice,
        "kind": kept.visit_type,
        "kind_name": kept.visit_type.name_in(text.language()),
        "starts_at": kept.starts_at,
        "expires_at": kept.expires_at,
        "policy": policy.in_words(kept.visit_type),
        "price": policy.price_of(kept.visit_type, kept.practice),
        "others": [],
        "times": times,
        "times_url": held.times_url(kept.practice, kept.visit_type),
        "any_doctor": held.asked_any() is not None,
    }
    if no:
        return htmx.refused(no, "public/booking/details.html", form=form, **context)
    return htmx.page("public/booking/details.html", form=form, refusal=None, **context)


def _again(form: DetailsForm, no: Refused) -> Response:
    """The details once more with what is wrong: on a living hold beside the fields, else with other times."""
    mine = held.now() or {}
    token = request.form.get("hold_token") or mine.get("token")
    try:
        kept = holds.look(token)
    except HoldExpired:
        return _lost(no, {key: request.form.get(key) or mine.get(key, "") for key in HELD}, form)
    return _details_page(kept, form, no)


HELD = ("practice_id", "visit_type_id", "starts_at")


def _lost(no: Refused, wanted: dict[str, str], form: DetailsForm) -> Response:
    """The time is not held any more: say so, offer others, keep what was typed."""
    try:
        asked = PlaceHold.parse({key: wanted.get(key) for key in HELD})
    except Invalid:
        raise NotFound from None
    practice, kind = _choice(asked.practice_id, asked.visit_type_id)
    zone = practice.clinic.zone
    found = finding.week(actor(), practice.id, kind, practice.clinic.zone, asked.starts_at.astimezone(zone).date())
    near = no.facts.get("alternatives") or [slot.starts_at for _day, slots in found.days for slot in slots]
    near = near or ([found.next_free.starts_at] if found.next_free else [])
    return htmx.refused(
        no,
        "public/booking/details.html",
        form=_ask_whom(form, practice),
        times_url=held.times_url(practice, kind),
        any_doctor=held.asked_any() is not None,
        practice=practice,
        kind=kind,
        kind_name=kind.name_in(text.language()),
        starts_at=asked.starts_at,
        expires_at=None,
        policy=policy.in_words(kind),
        price=policy.price_of(kind, practice),
        others=times.others(_around(near, asked.starts_at), zone),
        times=times,
    )


def _around(moments: list[datetime], wanted: datetime) -> list[datetime]:
    """The free times nearest to the one that was wanted, in order."""
    return sorted(sorted(moments, key=lambda moment: abs(moment - wanted))[:OTHERS])

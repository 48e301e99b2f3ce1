"""A patient waits for an earlier time: their places on the waitlist, and the offers that come of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import text
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound, Refused, refuse
from portal.core.policy import as_id
from portal.core.text import gettext as say
from portal.domain.access.acting import Claim
from portal.domain.doctors import directory
from portal.domain.patients import family
from portal.domain.scheduling import appointments, availability, invitations
from portal.domain.waitlist import answering, entries, joining
from portal.domain.waitlist.models import WaitlistOffer
from portal.domain.waitlist.wishes import AlreadyWaiting
from portal.web import htmx, links, times, waiting
from portal.web.gate import actor
from portal.web.patient import bp

CHANGE = "patient/waitlist/change.html"
LIST = ("patient/waitlist/index.html", "patient/waitlist/_entries.html")
OFFER = ("patient/waitlist/offer.html", "patient/waitlist/_offer.html")
BY_LINK = ("patient/waitlist/offer_by_link.html", "patient/waitlist/_offer.html")


@bp.get("/waitlist", endpoint="waitlist")
def index() -> Response:
    """Every place on a waitlist, with its position and what is offered to it now."""
    return htmx.page(LIST[0], fragment=LIST[1], **_places())


@bp.get("/waitlist/join")
def waitlist_join() -> AnyResponse:
    """The days and hours that suit; ?visit= waits for an earlier time of that visit, else ?practice= and ?type=."""
    about = _asked()
    if about["entry"] is not None:
        return htmx.see_other(url_for("patient.waitlist_entry", key=about["entry"].id))
    form = waiting.JoinForm.fresh(by_clinic=False, **_hidden(about))
    return htmx.page("patient/waitlist/join.html", form=_for_whom(form, about), refusal=None, **about)


@bp.post("/waitlist/join")
def join_waitlist() -> AnyResponse:
    about = _asked()
    form = _for_whom(waiting.JoinForm.fresh(by_clinic=False, **_hidden(about)), about)
    if not form.accepted():
        return htmx.refused(Invalid(), "patient/waitlist/join.html", form=form, **about)
    try:
        made = joining.join(actor(), **form.clean.given())
    except AlreadyWaiting as no:
        return htmx.done(url_for("patient.waitlist_entry", key=no.facts["entry_id"]), str(no))
    except Refused as no:
        return htmx.refused(no, "patient/waitlist/join.html", form=form, **about)
    place = entries.find(actor(), made.id)
    said = say("You are on the waitlist. We write to you as soon as a time comes free.")
    return htmx.done(url_for("patient.waitlist"), f"{said} {waiting.before(place)}")


@bp.get("/waitlist/<uuid:key>")
def waitlist_entry(key: UUID) -> Response:
    """The days and hours of one place, to be changed."""
    about = _place(key)
    return htmx.page(CHANGE, form=_change_form(about), **about)


@bp.post("/waitlist/<uuid:key>")
def change_waitlist(key: UUID) -> AnyResponse:
    about = _place(key)
    form = _change_form(about)
    if not form.accepted():
        return htmx.refused(Invalid(), CHANGE, form=form, **about)
    try:
        joining.change(actor(), key, **form.said())
    except Refused as no:
        return htmx.refused(no, CHANGE, form=form, **_place(key))
    return htmx.done(url_for("patient.waitlist"), say("Your days and times are changed."))


@bp.post("/waitlist/<uuid:key>/leave")
def leave_waitlist(key: UUID) -> AnyResponse:
    try:
        joining.leave(actor(), key)
    except Refused as no:
        return htmx.refused(no, LIST[0], fragment=LIST[1], **_places())
    said = say("You have left the waitlist.")
    return htmx.done(url_for("patient.waitlist"), said)


@bp.get("/waitlist/offers/<uuid:key>")
def waitlist_offer(key: UUID) -> Response:
    """A time that is kept for a while: take it, or let it go."""
    url = url_for("patient.answer_offer", key=key)
    return htmx.page(OFFER[0], fragment=OFFER[1], refusal=None, **_offered(actor(), key, url))


@bp.post("/waitlist/offers/<uuid:key>")
def answer_offer(key: UUID) -> AnyResponse:
    """Take the time or let it go: `answer` is yes or no."""
    try:
        taken = _answer(actor(), key)
    except Refused as no:
        url = url_for("patient.answer_offer", key=key)
        return htmx.refused(no, OFFER[0], fragment=OFFER[1], **_offered(actor(), key, url))
    if taken:
        return htmx.done(url_for("patient.appointment", key=taken), say("The time is yours."))
    return htmx.done(url_for("patient.waitlist"), say("Thank you for telling us. The next person gets this time."))


def show_by_link(who: Actor, claim: Claim) -> AnyResponse:
    """The offer for whoever has the message; GET changes nothing."""
    return htmx.page(BY_LINK[0], fragment=BY_LINK[1], refusal=None, **_offered(who, claim.subject_id, claim.path))


def act_by_link(who: Actor, claim: Claim) -> AnyResponse:
    """Take the time or let it go, without signing in; pressed twice it is done once."""
    try:
        _answer(who, claim.subject_id)
    except Refused as no:
        return htmx.refused(no, BY_LINK[0], fragment=BY_LINK[1], **_offered(who, claim.subject_id, claim.path))
    return htmx.see_other(claim.path)


links.register("waitlist", show=show_by_link, act=act_by_link)


def _answer(who: Actor, key: UUID) -> UUID | None:
    """The visit that was won; None when the time was let go."""
    answer = request.form.get("answer")
    if answer == "yes":
        return answering.accept(who, key).id
    if answer == "no":
        answering.decline(who, key)
        return None
    raise Invalid


def _offered(who: Actor, key: UUID, url: str) -> dict[str, Any]:
    offer: WaitlistOffer = entries.find_offer(who, key)
    return {
        "offer": offer,
        "entry": offer.entry,
        "zone": offer.practice.clinic.zone,
        "over": answering.is_over(offer),
        "url": url,
        "is_signed_in": offer.entry.patient_id in actor().cares_for("view", at=offer.entry.clinic_id),
        "times": times,
    }


def _places() -> dict[str, Any]:
    return {"places": entries.mine(actor()), "waiting": waiting, "times": times}


def _place(key: UUID) -> dict[str, Any]:
    return {"place": entries.find(actor(), key), "waiting": waiting, "times": times}


def _change_form(about: dict[str, Any]) -> waiting.ChangeForm:
    form: waiting.ChangeForm = waiting.ChangeForm.fresh(by_clinic=False, entry=about["place"].entry)
    return form


def _asked() -> dict[str, Any]:
    """What is waited for, from the address: a visit, or a practice and a type."""
    about: dict[str, Any] = {"visit": None, "entry": None, "waiting": waiting, "times": times}
    if visit_id := request.args.get("visit"):
        visit = appointments.find(actor(), as_id(visit_id))
        about |= {"visit": visit, "practice": visit.practice, "clinic": visit.clinic, "doctor": visit.doctor}
        about |= {"kind_name": visit.visit_type.name_in(text.language()), "kind": visit.visit_type}
        return about | {"entry": entries.for_visit(actor(), visit.id)}
    practice = directory.practice(actor(), as_id(request.args.get("practice")))
    wanted = as_id(request.args.get("type"))
    kinds = availability.bookable_types(practice.id, also=invitations.types_for(actor(), practice.id))
    kind = next((one for one in kinds if one.id == wanted), None) or refuse(NotFound)
    about |= {"practice": practice, "clinic": practice.clinic, "doctor": practice.doctor}
    return about | {"kind": kind, "kind_name": kind.name_in(text.language())}


def _hidden(about: dict[str, Any]) -> dict[str, Any]:
    visit = about["visit"]
    if visit:
        return {"moves_id": visit.id}
    return {"practice_id": about["practice"].id, "visit_type_id": about["kind"].id}


def _for_whom(form: waiting.JoinForm, about: dict[str, Any]) -> waiting.JoinForm:
    """Whom the actor may join for; asked only where there is a choice."""
    cared_for = family.looked_after(actor(), "book", at=about["clinic"].id)
    if about["visit"] or not cared_for:
        del form.patient_id
        return form
    own = [(str(actor().patient_id), say("%(name)s (me)", name=actor().name))] if actor().patient_id else []
    form.patient_id.choices = own + [(str(one.id), one.name) for one in cared_for]
    return form

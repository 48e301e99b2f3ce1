"""The desk's waitlist: who waits at its clinics, for what, and offering a free time by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Invalid, NotFound, Refused, refuse
from portal.core.policy import as_id
from portal.core.text import format_datetime
from portal.core.text import gettext as say
from portal.domain.patients import desk as patients
from portal.domain.scheduling import desk
from portal.domain.waitlist import answering, entries, joining, offering
from portal.domain.waitlist.wishes import AlreadyWaiting
from portal.web import htmx, searching, times, waiting
from portal.web.admin import lists
from portal.web.desk import bp
from portal.web.gate import actor

LIST = ("desk/waitlist/index.html", "desk/waitlist/_entries.html")
ENTRY = ("desk/waitlist/show.html", "desk/waitlist/_entry.html")
NEW = "desk/waitlist/new.html"


@bp.get("/waitlist", endpoint="waitlist")
def index() -> Response:
    """Everybody who waits, in the order in which offers go out."""
    clinics = entries.clinics_of(actor())
    ids = [clinic.id for clinic in clinics]
    wanted = lists.asked_id("clinic")
    found = entries.of_clinics(
        actor(),
        [wanted] if wanted in ids else ids,
        practice_id=lists.asked_id("practice"),
        urgency=lists.asked("urgency") or None,
        text=searching.typed(),
        ended=lists.asked("state") == "ended",
        after=lists.asked("after") or None,
    )
    context: dict[str, Any] = {
        "found": found,
        "clinics": clinics,
        "practices": entries.practices_of(ids),
        "asked": lists.asked,
        "q": searching.typed(),
    }
    return htmx.page(LIST[0], fragment=LIST[1], waiting=waiting, **context, **lists.pages(found))


FILTERS = ("clinic", "practice", "urgency", "state")
searching.mount(bp, "/waitlist/search", "waitlist", endpoint="search_waitlist", kept=FILTERS)
searching.mount(bp, "/waitlist/new/search", "new_waiting", endpoint="search_new_waiting")


@bp.get("/waitlist/new")
def new_waiting() -> Response:
    """Find the patient, then the doctor and what is waited for."""
    return htmx.page(NEW, refusal=None, **_new())


@bp.post("/waitlist/new")
def add_waiting() -> AnyResponse:
    """Put a patient on the list."""
    about = _new()
    form = about.pop("form") or refuse(NotFound)
    if not form.accepted():
        return htmx.refused(Invalid(), NEW, form=form, **about)
    try:
        made = joining.join(actor(), **form.clean.given())
    except AlreadyWaiting as no:
        return htmx.done(url_for("desk.waiting", key=no.facts["entry_id"]), str(no))
    except Refused as no:
        return htmx.refused(no, NEW, form=form, **about)
    return htmx.done(url_for("desk.waiting", key=made.id), say("On the waitlist."))


@bp.get("/waitlist/<uuid:key>", endpoint="waiting")
def show(key: UUID) -> Response:
    """One place: the wish, what was offered, and the free times that suit now."""
    return htmx.page(ENTRY[0], fragment=ENTRY[1], refusal=None, **_entry(key))


@bp.post("/waitlist/<uuid:key>")
def change_waiting(key: UUID) -> AnyResponse:
    """Other days, hours or urgency."""
    about = _entry(key)
    form = about.pop("form")
    if not form.accepted():
        return htmx.refused(Invalid(), ENTRY[0], fragment=ENTRY[1], form=form, **about)
    try:
        joining.change(actor(), key, **form.said())
    except Refused as no:
        return htmx.refused(no, ENTRY[0], fragment=ENTRY[1], **{**_entry(key), "form": form})
    return _done(key, say("Changed."))


@bp.post("/waitlist/<uuid:key>/end")
def end_waiting(key: UUID) -> AnyResponse:
    """Take somebody off the list; they find it in their notifications."""
    try:
        joining.leave(actor(), key)
    except Refused as no:
        return htmx.refused(no, ENTRY[0], fragment=ENTRY[1], **_entry(key))
    return htmx.done(url_for("desk.waitlist"), say("Taken off the waitlist."))


@bp.post("/waitlist/<uuid:key>/offer")
def offer_now(key: UUID) -> AnyResponse:
    """Hold a free time for them and tell them now."""
    form = waiting.HandForm()
    if not form.accepted():
        no = Invalid(say("Please choose one of the times."))
        return htmx.refused(no, ENTRY[0], fragment=ENTRY[1], **_entry(key))
    try:
        offer = offering.by_hand(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, ENTRY[0], fragment=ENTRY[1], **_entry(key))
    zone = entries.find(actor(), key).entry.clinic.zone
    until = format_datetime(offer.expires_at, zone)
    return _done(key, say("Offered and held until %(time)s. The patient gets a message.", time=until))


@bp.post("/waitlist/offers/<uuid:key>")
def answer_for(key: UUID) -> AnyResponse:
    """The patient said yes or no on the phone."""
    offer = entries.find_offer(actor(), key)
    try:
        if request.form.get("answer") == "yes":
            answering.accept(actor(), key)
            return _done(offer.entry_id, say("Booked. The patient gets a message."))
        answering.decline(actor(), key)
    except Refused as no:
        return htmx.refused(no, ENTRY[0], fragment=ENTRY[1], **_entry(offer.entry_id))
    return _done(offer.entry_id, say("Let go. The next person gets this time."))


def _entry(key: UUID) -> dict[str, Any]:
    place = entries.find(actor(), key)
    doctors = {one.id: one.doctor.name for one in entries.practices_of([place.entry.clinic_id])}
    return {
        "place": place,
        "entry": place.entry,
        "zone": place.entry.clinic.zone,
        "form": waiting.ChangeForm.fresh(by_clinic=True, entry=place.entry),
        "offers": entries.offers_of(place.entry),
        "free": entries.free_for(place.entry),
        "doctors": doctors,
        "waiting": waiting,
        "times": times,
    }


def _new() -> dict[str, Any]:
    """The patient, the doctor and the type chosen so far, from the address; the form once all are there."""
    asked = {name: request.args.get(name, "").strip()[:200] for name in ("patient", "practice", "type")}
    typed = searching.typed()
    patient = patients.get(actor(), as_id(asked["patient"])) if asked["patient"] else None
    practices = desk.practices(actor()) if patient else []
    practice = desk.practice(actor(), as_id(asked["practice"])) if patient and asked["practice"] else None
    kinds = desk.kinds(practice) if practice else []
    kind = next((one for one in kinds if str(one.id) == asked["type"]), None)
    form = None
    if patient and practice and kind:
        hidden: dict[str, Any] = {"patient_id": str(patient.id), "practice_id": practice.id, "visit_type_id": kind.id}
        form = waiting.JoinForm.fresh(by_clinic=True, **hidden)
        form.patient_id.choices = [(str(patient.id), patient.name)]
    return {
        "sealed": searching.kept(),
        "asked": asked,
        "q": typed,
        "found": desk.search(actor(), typed) if typed and not patient else [],
        "patient": patient,
        "practices": practices,
        "practice": practice,
        "kinds": kinds,
        "kind": kind,
        "form": form,
        "waiting": waiting,
    }


def _done(key: UUID, sentence: str) -> AnyResponse:
    url = url_for("desk.waiting", key=key)
    if not htmx.wants_fragment():
        return htmx.done(url, sentence)
    return htmx.done(url, sentence, fragment=ENTRY[1], refusal=None, **_entry(key))

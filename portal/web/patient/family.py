"""A family: those one looks after, those who look after one, and the invitations between them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.errors import Gone, NotFound, Refused, refuse
from portal.core.policy import allow, as_id
from portal.core.text import gettext as say
from portal.domain.identity import sessions
from portal.domain.patients import accepting, care, family, inviting, profiles
from portal.domain.patients.models import Patient
from portal.domain.scheduling import glance
from portal.web import gate, htmx, times
from portal.web.account.forms import DetailsForm
from portal.web.account.profile import known
from portal.web.gate import actor
from portal.web.patient import bp
from portal.web.patient.family_forms import (
    RELATIONS,
    SCOPES,
    AcceptForm,
    CareForm,
    ChangeForm,
    DependantForm,
    HandOverForm,
    NameForm,
)

INDEX, NEW, INVITE = "patient/family/index.html", "patient/family/new.html", "patient/family/invite.html"
SHOW, PROFILE = "patient/family/show.html", "patient/family/profile.html"
CHANGE, HAND_OVER = "patient/family/change.html", "patient/family/hand_over.html"
SOON = 5  # visits shown on somebody's page

# Whoever is invited may have no patient's pages yet.
invitations = Blueprint("family", __name__, url_prefix="/family")
gate.signed_in_only(invitations)


@bp.get("/family", endpoint="family")
def index() -> Response:
    """Those one looks after, and those who look after one."""
    own = profiles.mine(actor())
    return htmx.page(
        INDEX,
        mine=family.mine(actor()),
        carers=family.carers(actor(), own.id) if own else [],
        waiting=inviting.waiting(actor(), own) if own else [],
        **_words(),
    )


@bp.get("/family/new")
def new_dependant() -> Response:
    """A form for a child or somebody in one's care."""
    return htmx.page(NEW, form=DependantForm())


@bp.post("/family/new")
def add_dependant() -> AnyResponse:
    form = DependantForm()
    if not form.accepted():
        return htmx.page(NEW, status=422, form=form)
    try:
        held = family.add_dependant(actor(), **form.clean.values())
    except Refused as no:
        return htmx.refused(no, NEW, form=form)
    said = say("%(name)s is in your family now. You can book visits for them.", name=held.patient.given_name)
    return htmx.done(url_for("patient.dependant", key=held.patient_id), said)


@bp.get("/family/invite")
def invite_carer() -> Response:
    """A form to ask somebody to act for oneself, or (?for=) for somebody one looks after."""
    return htmx.page(INVITE, form=CareForm(), patient=_asked_for())


@bp.post("/family/invite")
def send_invitation() -> AnyResponse:
    form, patient = CareForm(), _asked_for()
    if not form.accepted():
        return htmx.page(INVITE, status=422, form=form, patient=patient)
    try:
        inviting.grant(actor(), patient_id=patient.id, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, INVITE, form=form, patient=patient)
    said = say("We have written to %(email)s. It counts once they accept; the link works for 7 days.",
               email=form.clean.email)  # fmt: skip
    return htmx.done(_page_of(patient.id), said)


@bp.post("/family/invitations/<uuid:key>/withdraw")
def withdraw_invitation(key: UUID) -> AnyResponse:
    """The link of an invitation stops working."""
    patient_id = inviting.withdraw(actor(), key)
    return htmx.done(_page_of(patient_id), say("Withdrawn. The link does not work any more."))


@bp.get("/family/<uuid:key>")
def dependant(key: UUID) -> Response:
    """Somebody one looks after: their visits, what one may do for them and where, and who else does."""
    all_held = family.of(actor(), key)
    held = all_held[0]
    may_govern = care.may_govern(actor(), held.patient)
    return htmx.page(
        SHOW,
        held=held,
        all_held=all_held,
        patient=held.patient,
        ahead=glance.mine(actor(), limit=SOON, patient_id=key).items,
        carers=[one for one in family.carers(actor(), key) if one.user_id != actor().user_id] if may_govern else [],
        waiting=inviting.waiting(actor(), held.patient) if may_govern else [],
        may_govern=may_govern,
        **_words(),
    )


@bp.get("/family/<uuid:key>/profile")
def dependant_profile(key: UUID) -> Response:
    """What a clinic should know of somebody one looks after."""
    return htmx.page(PROFILE, **_profile(key))


@bp.post("/family/<uuid:key>/name")
def rename_dependant(key: UUID) -> AnyResponse:
    """Change how they are called and in which language they are written to."""
    form = NameForm()
    if not form.accepted():
        return htmx.page(PROFILE, status=422, **_profile(key, about=form))
    profiles.rename(actor(), key, **form.clean.values())
    return htmx.done(url_for("patient.dependant_profile", key=key), say("Saved."))


@bp.post("/family/<uuid:key>/profile")
def change_dependant(key: UUID) -> AnyResponse:
    """Change what a clinic should know of them."""
    form = DetailsForm()
    if not form.accepted():
        return htmx.page(PROFILE, status=422, **_profile(key, details=form))
    try:
        profiles.change(actor(), key, **form.clean.values())
    except Refused as no:
        form.refuse(no)
        return htmx.page(PROFILE, status=no.status, **_profile(key, details=form))
    return htmx.done(url_for("patient.dependant_profile", key=key, _anchor="details"), say("Saved."))


@bp.get("/family/<uuid:key>/hand-over")
def hand_over(key: UUID) -> Response:
    """A form to let somebody take their record into their own hands."""
    held = family.get(actor(), key)
    allow(inviting.may_hand_over(actor(), held.patient))
    return htmx.page(HAND_OVER, form=HandOverForm(), patient=held.patient)


@bp.post("/family/<uuid:key>/hand-over")
def send_hand_over(key: UUID) -> AnyResponse:
    form, held = HandOverForm(), family.get(actor(), key)
    if not form.accepted():
        return htmx.page(HAND_OVER, status=422, form=form, patient=held.patient)
    try:
        inviting.hand_over(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, HAND_OVER, form=form, patient=held.patient)
    said = say("We have written to %(email)s. The record is theirs once they accept.", email=form.clean.email)
    return htmx.done(_page_of(key), said)


@bp.get("/family/care/<uuid:key>")
def care_of(key: UUID) -> Response:
    """A form for what somebody may do, and until when."""
    held = family.one(actor(), key)
    return htmx.page(CHANGE, form=ChangeForm.of(held), held=held)


@bp.post("/family/care/<uuid:key>")
def change_care(key: UUID) -> AnyResponse:
    held = family.one(actor(), key)
    form = ChangeForm.of(held)
    if not form.accepted():
        return htmx.page(CHANGE, status=422, form=form, held=held)
    try:
        family.change(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, CHANGE, form=form, held=held)
    return htmx.done(_page_of(held.patient_id), say("Changed. It counts from now on."))


@bp.post("/family/care/<uuid:key>/end")
def end_care(key: UUID) -> AnyResponse:
    """Stop it at once."""
    held = family.end(actor(), key)
    mine = held.user_id == actor().user_id
    return htmx.done(
        url_for("patient.family") if mine else _page_of(held.patient_id), say("Ended, from this moment on.")
    )


@invitations.get("/invitation/<token>")
def invitation(token: str) -> Response:
    """What one is asked; opening the link does nothing yet."""
    return _invitation(token, AcceptForm())


@invitations.post("/invitation/<token>")
def accept_invitation(token: str) -> AnyResponse:
    """Accept it."""
    form = AcceptForm()
    if not form.accepted():
        return _invitation(token, form, status=422)
    try:
        asked = accepting.accept(actor(), token, **form.clean.values())
    except Gone as no:
        return htmx.refused(no, "patient/family/over.html")
    except Refused as no:
        form.refuse(no)
        return _invitation(token, form, status=no.status)
    gate.go_on_as(sessions.renew(actor()))  # the account reaches further now
    if asked.kind == inviting.RECORD:
        return htmx.done(url_for("patient.home"), say("This is your own record now."))
    said = say("Thank you. You can act for %(name)s now.", name=asked.patient.name if asked.patient else "")
    return htmx.done(url_for("patient.dependant", key=asked.patient_id), said)


def _invitation(token: str, form: AcceptForm, status: int = 200) -> Response:
    try:
        asked = accepting.look(actor(), token)
    except Refused as no:
        return htmx.refused(no, "patient/family/over.html")
    return htmx.page("patient/family/invitation.html", status=status, asked=asked, form=form, token=token, **_words())


def _asked_for() -> Patient:
    """Whom an invitation is about: ?for= somebody one looks after, else oneself."""
    wanted = request.args.get("for")
    if wanted:
        patient = family.get(actor(), as_id(wanted)).patient
        allow(care.may_govern(actor(), patient))
        return patient
    return profiles.mine(actor()) or refuse(NotFound)


def _profile(key: UUID, **forms: Any) -> dict[str, Any]:
    held = family.get(actor(), key)
    allow(profiles.may_change(actor(), held.patient))
    return {
        "patient": held.patient,
        "about": forms.get("about") or NameForm.of(held.patient),
        "details": forms.get("details") or DetailsForm(formdata=None, data=known(held.patient)),
    }


def _page_of(patient_id: UUID) -> str:
    own = patient_id == actor().patient_id or patient_id not in actor().cares_somewhere("view")
    return url_for("patient.family") if own else url_for("patient.dependant", key=patient_id)


def _words() -> dict[str, Any]:
    return {"scopes": SCOPES, "relations": RELATIONS, "times": times}

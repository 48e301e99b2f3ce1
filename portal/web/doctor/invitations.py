"""A doctor asks a patient to book a visit: from the page of a visit, also as its follow-up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectField, TextAreaField

from portal.core import clock
from portal.core.errors import Invalid, NotFound, Refused
from portal.core.policy import allow
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.scheduling import appointments, availability, invitations
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.shapes import InviteToBook
from portal.web import htmx
from portal.web.doctor import bp
from portal.web.forms import DateField, ShapeForm
from portal.web.gate import actor
from portal.web.terms import kind_words

PAGE = "doctor/invitations/new.html"
AFTER = {
    "1w": _("In a week"),
    "2w": _("In two weeks"),
    "1m": _("In a month"),
    "3m": _("In 3 months"),
    "6m": _("In 6 months"),
    "1y": _("In a year"),
}


class InviteForm(ShapeForm[InviteToBook]):
    """What the patient is asked to book, and when."""

    shape = InviteToBook

    visit_type_id = SelectField(_("Visit type"))
    first = DateField(_("Not before"))
    last = DateField(_("Not after"))
    note = TextAreaField(_("A few words to the patient"), render_kw={"rows": 3})


@bp.get("/appointments/<uuid:key>/invite")
def invite(key: UUID) -> Response:
    """Propose dates; ?after=3m puts them around three months from today."""
    visit = appointments.find(actor(), key)
    span = request.args.get("after", "1m")
    allow(span in invitations.SPANS, NotFound)
    first, last = invitations.proposed(span, clock.today(visit.clinic.zone))
    form = _form(visit, first=first, last=last, visit_type_id=str(visit.visit_type_id))
    return htmx.page(PAGE, form=form, visit=visit, span=span, spans=AFTER)


@bp.post("/appointments/<uuid:key>/invite")
def send_invitation(key: UUID) -> AnyResponse:
    """The patient gets a message that leads to the free times."""
    visit = appointments.find(actor(), key)
    form = _form(visit)
    context: dict[str, Any] = {"visit": visit, "span": None, "spans": AFTER}
    if not form.accepted():
        return htmx.refused(Invalid(), PAGE, form=form, **context)
    try:
        invitations.invite(actor(), **form.clean.values())
    except Refused as no:
        return htmx.refused(no, PAGE, form=form, **context)
    return htmx.done(url_for("doctor.appointment", key=key), say("Invited. The patient gets a message."))


@bp.post("/invitations/<uuid:key>/withdraw")
def withdraw_invitation(key: UUID) -> AnyResponse:
    """Take an invitation back; `visit` is the page it was seen on."""
    visit = request.form.get("visit", type=UUID)
    back = url_for("doctor.appointment", key=visit) if visit else url_for("doctor.today")
    try:
        invitations.withdraw(actor(), key)
    except invitations.InvitationOver as no:
        return htmx.done(back, str(no))  # it is over either way
    return htmx.done(back, say("The invitation is withdrawn."))


def _form(visit: Appointment, **data: Any) -> InviteForm:
    fixed = {"practice_id": str(visit.practice_id), "patient_id": str(visit.patient_id), "follow_up_of": str(visit.id)}
    form = InviteForm(data=data, fixed=fixed)
    kinds = availability.bookable_types(visit.practice_id, for_desk=True)
    form.visit_type_id.choices = [(str(kind.id), kind_words(kind)) for kind in kinds]
    return form

"""How was it? What a patient says about a visit that took place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice

from portal.core import clock
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.reviews import reading, writing
from portal.domain.reviews.shapes import ReviewShape
from portal.domain.scheduling import appointments
from portal.web import htmx, times
from portal.web.forms import ShapeForm
from portal.web.gate import actor
from portal.web.patient import bp

PAGE = ("patient/reviews/show.html", "patient/reviews/_review.html")
STARS = {
    "5": _("5 – very good"),
    "4": _("4 – good"),
    "3": _("3 – fair"),
    "2": _("2 – poor"),
    "1": _("1 – bad"),
}


class ReviewForm(ShapeForm[ReviewShape]):
    """One to five, and a few words."""

    shape = ReviewShape

    rating = RadioField(_("How was it?"), choices=[SelectChoice(value, word) for value, word in STARS.items()])
    text = TextAreaField(_("A few words"), render_kw={"rows": 5, "dir": "auto"})


@bp.get("/appointments/<uuid:key>/review")
def review(key: UUID) -> Response:
    """What was said about this visit, and the form to say or change it."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **_about(key))


@bp.post("/appointments/<uuid:key>/review")
def write_review(key: UUID) -> AnyResponse:
    form = ReviewForm()
    if not form.accepted():
        return htmx.page(PAGE[0], fragment=PAGE[1], status=422, **_about(key, form))
    try:
        writing.write(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_about(key, form))
    said = say("Thank you. Your review can be read now; you can change it for 14 days.")
    return htmx.done(url_for("patient.review", key=key), said)


def _about(key: UUID, form: ReviewForm | None = None) -> dict[str, Any]:
    visit = appointments.find(actor(), key)
    said = reading.of_visit(actor(), visit.id)
    may_write = writing.may_write(actor(), visit)
    until = writing.changeable_until(said) if said else None
    if said and form is None:
        form = ReviewForm(data={"rating": str(said.rating), "text": said.text})
    return {
        "appointment": visit,
        "zone": visit.clinic.zone,
        "said": said,
        "form": form or ReviewForm(),
        "may_write": may_write and (until is None or clock.now() <= until),
        "until": until,
        "short_name": reading.short_name(visit.patient.given_name, visit.patient.family_name),
        "times": times,
    }

"""What patients say about the doctor who is signed in, and the doctor's answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import TextAreaField

from portal.core.errors import NotFound, Refused, refuse
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.doctors import profiles
from portal.domain.reviews import reading, writing
from portal.domain.reviews.shapes import AnswerShape
from portal.web import htmx
from portal.web.doctor import bp
from portal.web.forms import ShapeForm
from portal.web.gate import actor

PAGE, ANSWER = "doctor/reviews/index.html", "doctor/reviews/answer.html"


class AnswerForm(ShapeForm[AnswerShape]):
    """What the doctor says to a review, for everybody to read."""

    shape = AnswerShape

    answer = TextAreaField(_("Your answer"), render_kw={"rows": 5, "dir": "auto"})


@bp.get("/reviews")
def reviews() -> Response:
    """The reviews of the doctor, the latest first; ?show=open only those without an answer."""
    unanswered = request.args.get("show") == "open"
    found = reading.about_me(actor(), unanswered_only=unanswered, after=request.args.get("after") or None)
    here: dict[str, Any] = {"show": "open"} if unanswered else {}
    return htmx.page(
        PAGE,
        found=found,
        unanswered=unanswered,
        doctor=profiles.get(actor(), actor().doctor_id or refuse(NotFound)),
        next_url=url_for("doctor.reviews", **here, after=found.next) if found.next else None,
    )


@bp.get("/reviews/<uuid:key>/answer")
def answer_form(key: UUID) -> Response:
    """A form for the answer to one review."""
    review = reading.one_about_me(actor(), key)
    return htmx.page(ANSWER, form=AnswerForm(data={"answer": review.answer}), review=review)


@bp.post("/reviews/<uuid:key>/answer")
def answer_review(key: UUID) -> AnyResponse:
    form, review = AnswerForm(), reading.one_about_me(actor(), key)
    if not form.accepted():
        return htmx.page(ANSWER, status=422, form=form, review=review)
    try:
        writing.answer(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, ANSWER, form=form, review=review)
    return htmx.done(
        url_for("doctor.reviews", _anchor=f"review-{key}"), say("Your answer stands below the review now.")
    )

"""Reviews of visits to the clinics an admin runs: hidden with a reason, or shown again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField

from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.reviews import moderating, reading
from portal.domain.reviews.shapes import HideShape
from portal.web import htmx
from portal.web.admin import bp, lists
from portal.web.forms import ShapeForm
from portal.web.gate import actor

PAGE = ("admin/reviews/index.html", "admin/reviews/_reviews.html")
HIDE = "admin/reviews/hide.html"
STARS = {"1", "2", "3", "4"}


class HideForm(ShapeForm[HideShape]):
    """Why a review is hidden."""

    shape = HideShape

    reason = StringField(_("Why is it hidden?"), render_kw={"autocomplete": "off", "dir": "auto"})


@bp.get("/reviews")
def reviews() -> Response:
    """The latest first; filtered by what is hidden and by stars."""
    return htmx.page(PAGE[0], fragment=PAGE[1], **_found())


@bp.get("/reviews/<uuid:key>/hide")
def hide_form(key: UUID) -> Response:
    """A form for the reason."""
    return htmx.page(HIDE, form=HideForm(), review=reading.one_of_clinics(actor(), key))


@bp.post("/reviews/<uuid:key>/hide")
def hide_review(key: UUID) -> AnyResponse:
    """Nobody but its patient and the clinic reads it from now on; the patient is told why."""
    form, review = HideForm(), reading.one_of_clinics(actor(), key)
    if not form.accepted():
        return htmx.page(HIDE, status=422, form=form, review=review)
    try:
        moderating.hide(actor(), key, **form.clean.values())
    except Refused as no:
        return htmx.refused(no, HIDE, form=form, review=review)
    return htmx.done(url_for("admin.reviews"), say("Hidden. The patient is told the reason."))


@bp.post("/reviews/<uuid:key>/show")
def show_review(key: UUID) -> AnyResponse:
    """Everybody can read it again."""
    try:
        moderating.show(actor(), key)
    except Refused as no:
        return htmx.refused(no, PAGE[0], fragment=PAGE[1], **_found())
    return htmx.done(url_for("admin.reviews"), say("Everybody can read it again, and it counts."))


def _found() -> dict[str, Any]:
    shown, most = lists.asked("show"), lists.asked("most")
    found = reading.of_clinics(
        actor(),
        hidden={"hidden": True, "shown": False}.get(shown),
        most=int(most) if most in STARS else None,
        after=lists.asked("after") or None,
    )
    return {"found": found, "asked": lists.asked, **lists.pages(found)}

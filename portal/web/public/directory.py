"""The directory: filters in the address, the next free times on each card."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from portal.core.errors import Invalid
from portal.domain.doctors import cards
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling import finding
from portal.web import htmx, times
from portal.web.gate import actor
from portal.web.public import bp
from portal.web.public.forms import SearchForm

FRAGMENT = "public/doctors/_results.html"
MORE = ("clinic", "language", "gender", "mode", "sort", "before")


@bp.get("/doctors")
def directory() -> Response:
    form = SearchForm.over(cards.facets(actor()))
    asked = form.asked
    more_is_open = any(asked.get(key) for key in MORE)
    context: dict[str, Any] = {"form": form, "times": times, "more_is_open": more_is_open, "is_narrowed": bool(asked)}
    try:
        query = DirectoryQuery.parse(asked)
        answer = finding.search(actor(), query)
    except Invalid as no:
        page = "public/doctors/index.html"
        return htmx.refused(no, page, fragment=FRAGMENT, answer=None, next_url=None, query=None, **context)
    onward: dict[str, Any] = asked | {"after": answer.next}
    following = url_for("public.directory", **onward) if answer.next else None
    return htmx.page(
        "public/doctors/index.html", fragment=FRAGMENT, answer=answer, query=query, next_url=following, **context
    )

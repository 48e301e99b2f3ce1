"""The directory: filters in the address, the next free times on each card."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, url_for
from markupsafe import Markup

from portal.core import text
from portal.core.errors import Invalid
from portal.core.recent import Recent
from portal.domain.doctors import cards
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling import finding
from portal.domain.scheduling.finding import Answer
from portal.web import htmx, times
from portal.web.gate import actor
from portal.web.patient.favourites import hearts_for
from portal.web.public import bp
from portal.web.public.forms import SearchForm, asked_for

PAGE, FRAGMENT = "public/doctors/index.html", "public/doctors/_results.html"
MORE = ("within_km", "clinic", "language", "gender", "mode", "sort", "before", "rating")
Written = Recent[tuple[Any, ...], Markup]

# Writing the filters and a page of cards costs more than finding the doctors, and both are the same for everybody who
# asks this in this language.
_filters: Written = Recent(finding.SECONDS, most=256)
_cards: Written = Recent(finding.SECONDS, most=256)


@bp.get("/doctors")
def directory() -> Response:
    asked = asked_for()
    try:
        query = DirectoryQuery.parse(asked)
        answer = finding.search(actor(), query)
    except Invalid as no:
        form = SearchForm.over(cards.facets(actor()))
        form.refuse(no)
        return htmx.refused(no, PAGE, fragment=FRAGMENT, wrong=form, filters=_write_filters(form, asked), answer=None)
    onward: dict[str, Any] = asked | {"after": answer.next}
    return htmx.page(
        PAGE,
        fragment=FRAGMENT,
        filters=_filters.one(
            (query, text.language()), lambda: _write_filters(SearchForm.over(cards.facets(actor())), asked)
        ),
        answer=answer,
        by_rating=query.order == "rating",
        doctors=_with_hearts(query, answer),
        next_url=url_for("public.directory", **onward) if answer.next else None,
    )


def _with_hearts(query: DirectoryQuery, answer: Answer) -> Markup:
    """The cards as this reader sees them; for strangers they are the same with the heart put in."""
    cards_ = _cards.one((query, text.language()), lambda: _write_cards(answer))
    if actor().is_signed_in:
        return hearts_for(actor())(cards_)
    return _cards.one((query, text.language(), "stranger"), lambda: hearts_for(actor())(cards_))


def _write_filters(form: SearchForm, asked: dict[str, str]) -> Markup:
    more_is_open = any(asked.get(key) for key in MORE)
    page = render_template(
        "public/doctors/_filters.html", form=form, more_is_open=more_is_open, is_narrowed=bool(asked)
    )
    return Markup(page)  # noqa: S704 - our own template, escaped


def _write_cards(answer: Answer) -> Markup:
    page = render_template("public/doctors/_cards.html", found=answer.items, times=times)
    return Markup(page)  # noqa: S704 - our own template, escaped

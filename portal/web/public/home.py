"""The front page and how data is used."""

from __future__ import annotations

from flask import Response

from portal.domain.doctors import cards
from portal.web import htmx
from portal.web.gate import actor
from portal.web.public import bp
from portal.web.public.forms import SearchForm


@bp.get("/")
def home() -> Response:
    facets = cards.facets(actor())
    return htmx.page("public/home.html", form=SearchForm.over(facets), facets=facets)


@bp.get("/privacy")
def privacy() -> Response:
    return htmx.page("public/privacy.html")

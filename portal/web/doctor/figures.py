"""The doctor's own figures: use of time, missed visits, waits, and how soon the next patient could come."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from portal.domain.insights import figures as insights
from portal.web import figures_page, htmx
from portal.web.doctor import bp
from portal.web.gate import actor


@bp.get("/figures")
def figures() -> Response:
    """The last 4, 12 or 52 weeks; ?weeks= says how many."""
    report = insights.of_doctor(actor(), figures_page.asked_weeks())

    def link(**more: Any) -> str:
        return url_for("doctor.figures", **more)

    csv_url = url_for("doctor.figures_csv", weeks=report.period.weeks)
    context = figures_page.context(report, link, csv_url, lambda practice: practice.clinic.name)
    return htmx.page("doctor/figures/index.html", fragment="figures/_report.html", of_one=True, **context)


@bp.get("/figures.csv")
def figures_csv() -> Response:
    """The same as a file."""
    report = insights.of_doctor(actor(), figures_page.asked_weeks())
    return figures_page.as_csv(report, lambda practice: practice.clinic.name, "figures")

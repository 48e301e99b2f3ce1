"""A clinic's figures, and those of each of its doctors."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from portal.core.errors import NotFound, refuse
from portal.domain.clinics import managing
from portal.domain.insights import figures as insights
from portal.web import figures_page, htmx
from portal.web.admin import bp, lists
from portal.web.gate import actor

PAGE = ("admin/figures/index.html", "figures/_report.html")


@bp.get("/figures")
def figures() -> Response:
    """The last 4, 12 or 52 weeks of a clinic; ?clinic= and ?weeks= say of which and how many."""
    clinics = managing.choices(actor())
    if not clinics:
        return htmx.page(PAGE[0], clinics=[], clinic=None)
    clinic = _chosen(clinics)
    report = insights.of_clinic(actor(), clinic.id, figures_page.asked_weeks())

    def link(**more: Any) -> str:
        return url_for("admin.figures", clinic=clinic.slug, **more)

    csv_url = url_for("admin.figures_csv", clinic=clinic.slug, weeks=report.period.weeks)
    context = figures_page.context(report, link, csv_url, lambda practice: practice.doctor.name)
    return htmx.page(PAGE[0], fragment=PAGE[1], clinics=clinics, clinic=clinic, of_one=False, **context)


@bp.get("/figures.csv")
def figures_csv() -> Response:
    """The same as a file."""
    clinic = _chosen(managing.choices(actor()))
    report = insights.of_clinic(actor(), clinic.id, figures_page.asked_weeks())
    return figures_page.as_csv(report, lambda practice: practice.doctor.name, f"figures-{clinic.slug}")


def _chosen(clinics: list[Any]) -> Any:
    """The clinic the address names, else the first; raises NotFound for one the actor does not run."""
    wanted = lists.asked("clinic")
    if not wanted and clinics:
        return clinics[0]
    return next((clinic for clinic in clinics if clinic.slug == wanted), None) or refuse(NotFound)

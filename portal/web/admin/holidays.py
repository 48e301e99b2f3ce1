"""When a whole clinic is closed: the public holidays of its country, other days, and hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core import clock, text
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import closures, public_holidays
from portal.domain.scheduling.models import Closure
from portal.web import changes, htmx, times
from portal.web.admin import bp
from portal.web.admin.clinic_forms import ClosureForm, HolidayForm, TakeHolidaysForm, country_name
from portal.web.gate import actor

PAGE = "admin/holidays/index.html"


@bp.get("/clinics/<slug>/closures")
def clinic_closures(slug: str) -> Response:
    """When a clinic is closed; ?year= and ?language= choose the public holidays that are offered."""
    return htmx.page(PAGE, **_about(slug))


@bp.post("/clinics/<slug>/holidays")
def add_holiday(slug: str) -> AnyResponse:
    """Close a clinic for a day; visits booked then are decided first."""
    context = _about(slug)
    return _save(context, context["holiday_form"], "holiday", say("The holiday was added."))


@bp.post("/clinics/<slug>/holidays/import")
def take_holidays(slug: str) -> AnyResponse:
    """Close a clinic on the public holidays that were ticked."""
    context = _about(slug)
    return _save(context, context["take_form"], "holidays", say("The clinic is closed on these days."))


@bp.post("/clinics/<slug>/closures")
def close_clinic(slug: str) -> AnyResponse:
    """Close a clinic for some hours or days; visits booked then are decided first."""
    context = _about(slug)
    return _save(context, context["closure_form"], "close_clinic", say("Nobody can book this time any more."))


@bp.post("/holidays/<uuid:key>/remove")
def remove_holiday(key: UUID) -> AnyResponse:
    """Work on a day after all."""
    removed = closures.remove_holiday(actor(), key)
    slug = managing.get(actor(), removed.clinic_id).slug
    return htmx.done(url_for("admin.clinic_closures", slug=slug), say("The holiday was removed."))


@bp.post("/clinics/<slug>/closures/<uuid:key>/remove")
def reopen_clinic(slug: str, key: UUID) -> AnyResponse:
    """Receive in this time after all."""
    clinic = managing.get(actor(), slug)
    closures.reopen(actor(), key)
    return htmx.done(
        url_for("admin.clinic_closures", slug=clinic.slug), say("Removed. Patients can book this time again.")
    )


def _save(context: dict[str, Any], form: Any, kind: str, said: str) -> AnyResponse:
    clinic: Clinic = context["clinic"]
    if not form.accepted():
        return htmx.page(PAGE, status=422, **context)
    values = form.clean.values()
    if kind == "close_clinic":
        values["kind"] = "holiday"
    try:
        url = url_for("admin.clinic_closures", slug=clinic.slug)
        return changes.save_or_plan(kind, clinic.id, values, url=url, said=said)
    except Refused as no:
        return htmx.refused(no, PAGE, form=form, **context)


def _about(slug: str) -> dict[str, Any]:
    clinic = managing.get(actor(), slug)
    today = clock.today(clinic.zone)
    spoken = public_holidays.languages(clinic.country)
    year, language = _asked_year(clinic), request.values.get("language", text.language())
    language = language if language in text.LANGUAGES else text.language()
    return {
        "clinic": clinic,
        "country": country_name(clinic.country),
        "years": public_holidays.years(clinic),
        "year": year,
        "languages_known": [(code, name) for code, name in text.LANGUAGES.items() if code in spoken],
        "language": language,
        "offered": public_holidays.of_year(actor(), clinic.id, year, language),
        "holidays": [one for one in managing.holidays(actor(), clinic.id) if one.day >= today],
        "closed": [(one, _words(one, clinic)) for one in public_holidays.closed_for(actor(), clinic.id)],
        "holiday_form": HolidayForm(),
        "closure_form": ClosureForm(),
        "take_form": TakeHolidaysForm(),
        "zone_note": times.zone_note(clinic.zone),
    }


def _asked_year(clinic: Clinic) -> int:
    """The year asked for, else this one, from November on the next: that is when people plan it."""
    years, today = public_holidays.years(clinic), clock.today(clinic.zone)
    asked = request.values.get("year", "")
    if asked.isascii() and asked.isdigit() and int(asked[:4]) in years:
        return int(asked[:4])
    return today.year + (today.month > 10)


def _words(closure: Closure, clinic: Clinic) -> str:
    """From when to when, without times for whole days."""
    starts, ends = (one.astimezone(clinic.zone) for one in (closure.starts_at, closure.ends_at))
    if (starts.hour, starts.minute, ends.hour, ends.minute) != (0, 0, 0, 0):
        return f"{text.format_datetime(starts)} – {text.format_datetime(ends)}"
    first, last = starts.date(), ends.date() - timedelta(days=1)
    return text.format_date(first, "full") if first == last else times.range_label(first, last)

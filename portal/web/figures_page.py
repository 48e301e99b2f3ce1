"""Figures as pages and as CSV: words and numbers for people, the same for a doctor and for a clinic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Response, request

from portal.core import clock, text
from portal.core.csv_out import csv_lines
from portal.core.text import gettext as say
from portal.core.text import ngettext, pgettext
from portal.domain.insights.figures import WEEKS, Access, Figures, Report
from portal.web import times

NOTHING = "–"


def asked_weeks() -> int:
    """Over how many weeks; the shortest unless the address says another that is offered."""
    said = request.args.get("weeks", "")
    return next((weeks for weeks in WEEKS if str(weeks) == said), WEEKS[0])


def context(report: Report, link: Callable[..., str], csv_url: str, names: Callable[[Any], str]) -> dict[str, Any]:
    """What the page of a report shows; `link` makes the address for ?weeks=, `names` names a practice."""
    period = report.period
    return {
        "report": report,
        "label": _dates(period.first, period.last),
        "before_label": _dates(period.first_before, period.first - timedelta(days=1)),
        "tabs": [
            {
                "label": ngettext("%(n)s week", "%(n)s weeks", weeks),
                "url": link(weeks=weeks),
                "current": weeks == period.weeks,
            }
            for weeks in WEEKS
        ],
        "csv_url": csv_url,
        "cards": _cards(report.total, report.before),
        "weeks": [(_week(first), _cells(figures)) for first, figures in report.weeks],
        "rows": [(names(row.practice), _cells(row.figures)) for row in report.rows],
        "access": [_soon(one, report) for one in report.access],
    }


def as_csv(report: Report, names: Callable[[Any], str], name: str) -> Response:
    """The report as a file: in all, the period before, each doctor, each week; spans in minutes, lead time in days."""
    period = report.period
    last_before = period.first - timedelta(days=1)
    rows = [_line(say("In all"), period.first, period.last, report.total)]
    rows.append(_line(say("The period before"), period.first_before, last_before, report.before))
    rows += [_line(names(row.practice), period.first, period.last, row.figures) for row in report.rows]
    rows += [_line(say("Week"), first, first + timedelta(days=6), figures) for first, figures in report.weeks]
    headings = [
        say("Of"), say("From"), say("Until"), say("Open minutes"), say("Booked minutes"), say("Use of open time"),
        say("Booked visits"), say("Came"), pgettext("figures", "Did not come"), say("Share that did not come"),
        say("Cancelled late"), say("Share cancelled late"), say("Not recorded"), say("Booked ahead, days, middle"),
        say("Booked ahead, days, nine in ten"), say("Wait, minutes, middle"), say("Wait, minutes, nine in ten"),
        say("Visit, minutes, middle"), say("Visit as planned, minutes, middle"),
    ]  # fmt: skip
    answer = Response("\ufeff" + "".join(csv_lines(headings, rows)), mimetype="text/csv")
    filename = f"{name}-{clock.today(report.zone).isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


def percent(share: float | None) -> str:
    return NOTHING if share is None else text.format_percent(share)


def minutes(value: float | None) -> str:
    return NOTHING if value is None else say("%(n)s min", n=text.format_number(round(value)))


def days(value: float | None) -> str:
    return NOTHING if value is None else ngettext("%(n)s day", "%(n)s days", round(value))


def hours(value: float) -> str:
    return say("%(n)s h", n=text.format_number(round(value / 60, 1)))


def _soon(one: Access, report: Report) -> dict[str, Any]:
    """How soon one type of visit can be had, in words."""
    return {
        "name": one.name_in(text.language()),
        "soonest": text.format_datetime(one.soonest, report.zone) if one.soonest else None,
        "third": text.format_datetime(one.third_next, report.zone) if one.third_next else None,
        "days": days(one.days),
        "without": one.doctors_without,
    }


def _cards(now: Figures, before: Figures) -> list[dict[str, Any]]:
    """The six figures on top, each with what it was in the period before."""
    parts: tuple[tuple[str, str, float | None, float | None, Callable[[Any], str], str], ...] = (
        (say("Use of open time"), "chart-bar", now.utilisation, before.utilisation, percent, ""),
        (pgettext("figures", "Did not come"), "user-off", now.no_show_rate, before.no_show_rate, percent, ""),
        (say("Cancelled late"), "calendar-x", now.late_cancel_rate, before.late_cancel_rate, percent, ""),
        (say("Booked ahead"), "calendar-time", now.lead_days, before.lead_days, days, days(now.lead_days_most)),
        (say("Wait after check-in"), "clock", now.wait, before.wait, minutes, minutes(now.wait_most)),
        (say("Length of a visit"), "stethoscope", now.length, before.length, minutes, ""),
    )
    return [
        {
            "label": label,
            "icon": icon,
            "value": shown(value),
            "note": _note(value, was, shown, most),
            "trend": None if value is None or was is None or shown(value) == shown(was) else _trend(value, was),
        }
        for label, icon, value, was, shown, most in parts
    ]


def _note(value: float | None, was: float | None, shown: Callable[[Any], str], most: str) -> str:
    parts = [say("nine in ten: at most %(most)s", most=most)] if most and value is not None else []
    return " · ".join([*parts, say("before: %(value)s", value=shown(was))])


def _trend(value: float, was: float) -> str:
    return "up" if value > was else "down"


def _dates(first: date, last: date) -> str:
    """From when to when, with the years: a long period begins in another."""
    return f"{text.format_date(first, 'medium')} – {text.format_date(last, 'medium')}"


def _week(first: date) -> str:
    return times.range_label(first, first + timedelta(days=6))


def _cells(of: Figures) -> dict[str, tuple[str, float | None]]:
    """Each figure in words and as the number a plot draws."""
    return {
        "open": (hours(of.open_minutes), round(of.open_minutes / 60, 2)),
        "booked": (hours(of.booked_minutes), round(of.booked_minutes / 60, 2)),
        "use": (percent(of.utilisation), _hundred(of.utilisation)),
        "visits": (text.format_number(of.booked), of.booked),
        "missed": (percent(of.no_show_rate), _hundred(of.no_show_rate)),
        "late": (percent(of.late_cancel_rate), _hundred(of.late_cancel_rate)),
        "lead": (days(of.lead_days), _round(of.lead_days)),
        "wait": (minutes(of.wait), _round(of.wait)),
        "length": (minutes(of.length), _round(of.length)),
    }


def _line(name: str, first: date, last: date, of: Figures) -> list[Any]:
    return [
        name, first.isoformat(), last.isoformat(), round(of.open_minutes), round(of.booked_minutes),
        _share(of.utilisation), of.booked, of.attended, of.no_shows, _share(of.no_show_rate), of.late_cancels,
        _share(of.late_cancel_rate), of.unrecorded, _round(of.lead_days), _round(of.lead_days_most), _round(of.wait),
        _round(of.wait_most), _round(of.length), _round(of.planned_length),
    ]  # fmt: skip


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)

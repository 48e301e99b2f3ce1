"""The audit: what happened, found and exported, and whether its chain is closed."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from portal.core import clock
from portal.domain import audit as events
from portal.domain.audit import EventQuery
from portal.web import htmx
from portal.web.admin import bp, lists
from portal.web.gate import actor

PAGE = ("admin/audit/index.html", "admin/audit/_events.html")


@bp.get("/audit")
def audit() -> Response:
    """Events by name, person, subject and dates, the latest first."""
    query = EventQuery.parse({key: lists.asked(key) for key in EventQuery.model_fields})
    found = events.events(actor(), query, zone=lists.zone(), after=lists.asked("after") or None)
    context: dict[str, Any] = {
        "found": found,
        "names": events.names_used(actor()),
        "chain": events.chain(actor()) if actor().is_superadmin else None,
        "asked": lists.asked,
        "zone": lists.zone(),
        "local": lists.local,
    }
    return htmx.page(PAGE[0], fragment=PAGE[1], **context, **lists.pages(found))


@bp.post("/audit/export")
def export_audit() -> Response:
    """The events that match as CSV. A POST, because the export itself is recorded."""
    query = EventQuery.parse({key: request.form.get(key, "") for key in EventQuery.model_fields})
    lines = events.export(actor(), query, zone=lists.zone())
    answer = Response(lines, mimetype="text/csv")
    name = f"audit-{clock.today(lists.zone()).isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer

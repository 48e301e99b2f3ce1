"""Background tasks: how many stand where, what went wrong, and trying again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.core.text import gettext as say
from portal.domain import audit
from portal.domain.audit import TaskQuery
from portal.web import htmx
from portal.web.admin import bp, lists
from portal.web.gate import actor

PAGE = ("admin/tasks/index.html", "admin/tasks/_tasks.html")


@bp.get("/tasks")
def tasks() -> Response:
    """Tasks by state and name, the latest first."""
    asked = {key: lists.asked(key) for key in TaskQuery.model_fields}
    found = audit.background(actor(), TaskQuery.parse(asked), after=lists.asked("after") or None)
    context: dict[str, Any] = {
        "found": found,
        "counts": audit.task_counts(actor()),
        "asked": lists.asked,
        "zone": lists.zone(),
    }
    return htmx.page(PAGE[0], fragment=PAGE[1], **context, **lists.pages(found))


@bp.post("/tasks/<uuid:key>/retry")
def retry_task(key: UUID) -> AnyResponse:
    """Give a failed task a fresh start."""
    audit.retry(actor(), key)
    return htmx.done(url_for("admin.tasks", state=request.form.get("state")), say("It is tried again now."))

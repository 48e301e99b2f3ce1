"""What every list of the back office needs: its filter from the address, its next page, the installation's zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app, request

from portal.config import Settings
from portal.core.paging import Page
from portal.core.policy import as_id


def asked(name: str) -> str:
    """A filter from the address, trimmed; empty when there is none."""
    return request.args.get(name, "").strip()[:200].replace("\x00", "")


def asked_id(name: str) -> UUID | None:
    """An id from the address; raises NotFound for what is none."""
    return as_id(asked(name)) if asked(name) else None


def pages(found: Page[Any]) -> dict[str, Any]:
    """The addresses of the next page of this list and, unless this is it, of its first."""
    kept = {key: value for key, value in request.args.items() if key != "after" and value}
    return {
        "next_url": f"{request.path}?{urlencode({**kept, 'after': found.next})}" if found.next else None,
        "first_url": f"{request.path}?{urlencode(kept)}" if request.args.get("after") else None,
    }


def zone() -> str:
    """The zone in which the back office reads its clock."""
    settings: Settings = current_app.extensions["portal.settings"]
    return settings.default_time_zone


def local(moment: datetime) -> datetime:
    """A moment on that clock."""
    return moment.astimezone(ZoneInfo(zone()))

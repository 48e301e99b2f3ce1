"""What the page of a visit shows beside the visit: its series, its group, its rooms; and calling several off."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.core.text import ngettext
from portal.domain.scheduling import groups, rooms, series
from portal.domain.scheduling.desk_shapes import CancelVisits
from portal.domain.scheduling.models import Appointment
from portal.web.gate import actor


def of(visit: Appointment) -> dict[str, Any]:
    """The series (`run`) and the group a visit belongs to, if any, and the rooms it takes."""
    return {
        "run": series.of(actor(), visit),
        "group": groups.of_visit(actor(), visit),
        "rooms": rooms.of_appointments([visit.id]).get(visit.id, []),
    }


def call_off(key: UUID, wanted: CancelVisits) -> str:
    """Cancel the visit, with those that follow in its series when asked; what was done in a sentence."""
    ended = series.cancel(actor(), key, **wanted.values())
    return ngettext(
        "Cancelled. The patient gets a message, and the time is free again.",
        "%(n)s visits are cancelled. The patient gets a message, and the times are free again.",
        len(ended),
    )

"""The doctor's own hours: the availability editor for each of their practices."""

from __future__ import annotations

from uuid import UUID

from portal.core.errors import NotFound
from portal.domain.scheduling import days
from portal.web.doctor import bp
from portal.web.gate import actor
from portal.web.shared import hours
from portal.web.shared.hours_asked import Shown


def own(wanted: UUID | str | None) -> Shown:
    """The practice asked for if it is the doctor's own, else the first; none for a doctor without any."""
    practices = days.frame(actor()).practices
    if wanted and str(wanted) not in {str(practice.id) for practice in practices}:
        raise NotFound
    chosen = next((one for one in practices if str(one.id) == str(wanted)), practices[0] if practices else None)
    return Shown(chosen, tabs=practices)


hours.mount(bp, "/openings", "/openings/<uuid:key>", own)

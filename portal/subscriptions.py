"""Everything that happens *because*: event name -> the tasks it causes, each called with (event_id, subject_id)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.domain.notifications import notices

SUBSCRIPTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "appointment.booked": (notices.appointment_booked,),
    "appointment.confirmed": (notices.appointment_confirmed,),
    "appointment.declined": (notices.appointment_declined,),
    "appointment.moved": (notices.appointment_moved,),
    "appointment.cancelled": (notices.appointment_cancelled,),
}

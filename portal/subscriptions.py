"""Everything that happens *because*: event name -> the tasks it causes, each called with (event_id, subject_id)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.domain.notifications import notices
from portal.domain.waitlist import ending, offering, releasing

SUBSCRIPTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "appointment.booked": (notices.appointment_booked, ending.after_booking),
    "appointment.confirmed": (notices.appointment_confirmed,),
    "appointment.declined": (notices.appointment_declined, releasing.after_visit, ending.after_end_of_visit),
    "appointment.moved": (notices.appointment_moved, releasing.after_visit),
    "appointment.cancelled": (notices.appointment_cancelled, releasing.after_visit, ending.after_end_of_visit),
    "opening.added": (releasing.after_opening,),
    "opening.changed": (releasing.after_opening,),
    "closure.removed": (releasing.after_closure,),
    "holiday.removed": (releasing.after_closure,),
    "waitlist.declined": (offering.pass_on,),
    "waitlist.expired": (offering.pass_on,),
    "waitlist.withdrawn": (offering.pass_on,),
}

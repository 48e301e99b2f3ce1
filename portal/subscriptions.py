"""Everything that happens *because*: event name -> the tasks it causes, each called with (event_id, subject_id)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.domain.notifications import family_notices, notices, review_notices
from portal.domain.scheduling import first_free
from portal.domain.waitlist import ending, offering, releasing

SUBSCRIPTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "appointment.booked": (notices.appointment_booked, ending.after_booking),
    "appointment.confirmed": (notices.appointment_confirmed,),
    "appointment.declined": (notices.appointment_declined, releasing.after_visit, ending.after_end_of_visit),
    "appointment.moved": (notices.appointment_moved, releasing.after_visit),
    "appointment.cancelled": (notices.appointment_cancelled, releasing.after_visit, ending.after_end_of_visit),
    "opening.added": (releasing.after_opening, first_free.reconsider),
    "opening.changed": (releasing.after_opening, first_free.reconsider),
    "closure.removed": (releasing.after_closure, first_free.reconsider),
    "holiday.removed": (releasing.after_closure, first_free.reconsider),
    "waitlist.declined": (offering.pass_on,),
    "waitlist.expired": (offering.pass_on,),
    "waitlist.withdrawn": (offering.pass_on,),
    "appointment.completed": (review_notices.visit_completed,),
    "review.written": (review_notices.review_written,),
    "review.answered": (review_notices.review_answered,),
    "review.hidden": (review_notices.review_hidden,),
    "review.shown": (review_notices.review_shown,),
    "delegation.begun": (family_notices.care_begun,),
    "delegation.changed": (family_notices.care_changed,),
    "delegation.ended": (family_notices.care_ended,),
    "opening.removed": (first_free.reconsider,),
    "visit_type.added": (first_free.reconsider,),
    "visit_type.changed": (first_free.reconsider,),
    "practice.started": (first_free.reconsider,),
    "doctor.licence_verified": (first_free.reconsider,),
}

"""Everything that happens *because*: event name -> the tasks it causes, each called with (event_id, subject_id)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.domain.changes import answering
from portal.domain.doctors import joining_letters
from portal.domain.notifications import (
    change_notices,
    family_notices,
    notices,
    request_notices,
    review_notices,
    series_notices,
    waitlist_notices,
)
from portal.domain.reminders import sending, settings
from portal.domain.scheduling import calls, first_free, invitations, withdrawing
from portal.domain.waitlist import ending, offering, releasing
from portal.domain.webhooks import fanning, topics

SUBSCRIPTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "appointment.booked": (notices.appointment_booked, ending.after_booking),
    "appointment.confirmed": (notices.appointment_confirmed,),
    "appointment.declined": (
        notices.appointment_declined,
        sending.void_old,
        releasing.after_visit,
        ending.after_end_of_visit,
        invitations.after_visit_is_off,
        answering.settle,
    ),
    "appointment.moved": (notices.appointment_moved, sending.void_old, releasing.after_visit, answering.settle),
    "appointment.cancelled": (
        notices.appointment_cancelled,
        sending.void_old,
        releasing.after_visit,
        ending.after_end_of_visit,
        invitations.after_visit_is_off,
        answering.settle,
    ),
    "patient.died": (calls.after_death, invitations.after_death, ending.after_death),
    "patient.death_undone": (calls.after_death_undone,),
    "clinic_invitation.sent": (joining_letters.sent,),
    "clinic.created": (settings.set_up,),
    "clinic.changed": (settings.plan_anew,),
    "opening.added": (releasing.after_opening, first_free.reconsider),
    "opening.changed": (releasing.after_opening, first_free.reconsider),
    "closure.removed": (releasing.after_closure, first_free.reconsider),
    "holiday.removed": (releasing.after_closure, first_free.reconsider),
    "appointment.checked_in": (answering.settle,),
    "waitlist.declined": (offering.pass_on,),
    "waitlist.expired": (offering.pass_on, waitlist_notices.expired),
    "waitlist.withdrawn": (offering.pass_on,),
    "waitlist.offered": (waitlist_notices.offered,),
    "waitlist.over": (waitlist_notices.over,),
    "waitlist.left": (waitlist_notices.left,),
    "booking_invitation.sent": (waitlist_notices.invited,),
    "booking_invitation.withdrawn": (waitlist_notices.withdrawn,),
    "booking_invitation.declined": (waitlist_notices.declined,),
    "appointment.completed": (review_notices.visit_completed, answering.settle),
    "review.written": (review_notices.review_written,),
    "review.answered": (review_notices.review_answered,),
    "review.hidden": (review_notices.review_hidden,),
    "review.shown": (review_notices.review_shown,),
    "delegation.begun": (family_notices.care_begun,),
    "delegation.changed": (family_notices.care_changed,),
    "delegation.ended": (family_notices.care_ended,),
    "record_request.sent": (request_notices.asked,),
    "record_request.accepted": (request_notices.answered,),
    "record_request.refused": (request_notices.answered,),
    "record_request.disputed": (request_notices.disputed,),
    "opening.removed": (first_free.reconsider,),
    "visit_type.added": (first_free.reconsider,),
    "visit_type.changed": (first_free.reconsider,),
    "practice.started": (first_free.reconsider,),
    "doctor.licence_verified": (first_free.reconsider,),
    "doctor.licence_withdrawn": (first_free.reconsider, withdrawing.licence_lapsed),
    "doctor.activated": (first_free.reconsider,),
    "doctor.deactivated": (first_free.reconsider,),
    "practice.ended": (first_free.reconsider,),
    "clinic.deactivated": (first_free.reconsider,),
    "clinic.reactivated": (first_free.reconsider,),
    "series.booked": (series_notices.series_booked,),
    "series.cancelled": (series_notices.series_cancelled,),
    "change.applied": (change_notices.change_applied,),
}

for _name in topics.TOPICS:  # programs are told of each of these
    SUBSCRIPTIONS[_name] = (*SUBSCRIPTIONS.get(_name, ()), fanning.fan_out)

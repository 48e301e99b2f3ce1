"""The ways a booking is refused; each carries what the person can do instead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from portal.core.errors import Conflict, Forbidden, Gone
from portal.core.text import lazy as _
from portal.domain.identity.acts_for import EmailNotVerified as EmailNotVerified
from portal.domain.scheduling.availability import sentence_for
from portal.domain.scheduling.timetable import Reason


class NotOffered(Conflict):
    """This time cannot be booked by the rules; `alternatives` are the next that can, in the clinic's time."""

    code = "not_offered"

    def __init__(self, reason: Reason, alternatives: Sequence[datetime] = (), **facts: Any) -> None:
        super().__init__(sentence_for(reason), code=reason.value, alternatives=list(alternatives), **facts)


class TimeTaken(NotOffered):
    """Somebody else was faster; `alternatives` are the next free times, in the clinic's time."""

    def __init__(self, alternatives: Sequence[datetime] = (), **facts: Any) -> None:
        super().__init__(Reason.TAKEN, alternatives, **facts)


class HoldExpired(Gone):
    code = "hold_expired"
    sentence = _("The time was kept for you for a few minutes and is free again. Please choose a time once more.")


class NoPatientProfile(Forbidden):
    code = "no_patient_profile"
    sentence = _("This account has no patient profile, so it cannot book for itself.")


class NotSelfBookable(Forbidden):
    code = "not_self_bookable"
    sentence = _("This type of visit is booked by the clinic. Please call its front desk.")


class TooManyUpcoming(Conflict):
    code = "too_many_upcoming"
    sentence = _("You already have as many upcoming visits of this type as the clinic allows. Please cancel one first.")


class TooLate(Conflict):
    code = "cutoff"
    sentence = _("It is too late to change this online. Please call the clinic.")


class TooManyMoves(Conflict):
    code = "too_many_moves"
    sentence = _("This appointment was moved as often as the clinic allows. Please call the clinic.")


class NotGiven(Conflict):
    """The visit stands, but nobody can be booked like this any more, so there is no other time for it."""

    code = "not_given"
    sentence = _("This visit cannot be moved: its doctor, its visit type or its clinic takes no bookings any more.")


class StaleVersion(Conflict):
    code = "stale_version"
    sentence = _("This appointment was changed in the meantime. Please look at it again.")


class NotInThisState(Conflict):
    code = "wrong_state"
    sentence = _("This cannot be done with the appointment as it is now.")

"""Whether a time suits somebody who waits, and the refusals of the waitlist."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from portal.core.actor import Actor
from portal.core.errors import Conflict, Forbidden, Gone
from portal.core.text import lazy as _
from portal.domain.scheduling import policy
from portal.domain.waitlist.models import WaitlistEntry
from portal.domain.waitlist.shapes import TimeWindow

END_OF_DAY = "24:00"  # sorts after every time of a day


class AlreadyWaiting(Conflict):
    """The same wish stands already; `entry_id` is that entry."""

    code = "already_waiting"
    sentence = _("There is a place on the waitlist for this already. You can change its days and times.")


class NotWaiting(Conflict):
    code = "not_waiting"
    sentence = _("This place on the waitlist has ended. You can join again.")


class NothingToMove(Conflict):
    code = "not_upcoming"
    sentence = _("This visit is not ahead any more, so there is nothing to move to an earlier time.")


class UrgencyIsTheClinics(Forbidden):
    code = "urgency_is_the_clinics"
    sentence = _("Only the clinic can say how urgent it is. Please call it when you need to be seen soon.")


class OfferStands(Conflict):
    code = "offer_stands"
    sentence = _("A time is being offered to this person now. Please wait for the answer or until the offer ends.")


class OfferOver(Gone):
    """The offer cannot be taken any more; `state` says why."""

    code = "offer_over"
    sentence = _("This offer has ended. You stay on the waitlist and get the next time that suits you.")


OVER = {
    "expired": _(
        "This offer has ended, and the time went to the next person. You stay on the waitlist and get the next time"
        " that suits you."
    ),
    "declined": _("You have said no to this time. You stay on the waitlist and get the next time that suits you."),
    "accepted": _("This time was taken already. You find it among your appointments."),
    "void": _("This offer was taken back, because your place on the waitlist has ended. You can join again."),
}


def may_change(actor: Actor, entry: WaitlistEntry) -> bool:
    """The patient, those who book for them, and the clinic."""
    return policy.may_book_for(actor, entry.patient_id, entry.clinic_id)


def as_stored(windows: Iterable[TimeWindow]) -> list[dict[str, Any]]:
    """The windows as they are kept; one that says nothing is left out."""
    return [
        {"weekday": one.weekday, "from": f"{one.starts or time():%H:%M}", "until": f"{one.until or time():%H:%M}"}
        for one in windows
        if one.weekday is not None or one.starts or one.until
    ]


def suits(entry: WaitlistEntry, starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> bool:
    """Whether the person can come then: the dates, one of the windows, and earlier than the visit it would move.

    Needs entry.moves loaded.
    """
    local = starts_at.astimezone(zone)
    if not entry.first <= local.date() <= entry.last:
        return False
    if entry.moves is not None and not (entry.moves.is_upcoming and starts_at < entry.moves.starts_at):
        return False
    ends = ends_at.astimezone(zone)
    until = f"{ends:%H:%M}" if ends.date() == local.date() else END_OF_DAY
    return not entry.windows or any(
        _within(window, local.weekday(), f"{local:%H:%M}", until) for window in entry.windows
    )


def _within(window: dict[str, Any], weekday: int, starts: str, until: str) -> bool:
    if window["weekday"] not in {None, weekday}:
        return False
    return bool(window["from"] <= starts and until <= (END_OF_DAY if window["until"] == "00:00" else window["until"]))

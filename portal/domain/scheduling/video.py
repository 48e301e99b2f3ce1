"""The room of a video visit: an address at the configured provider, known only shortly before and during the visit."""

from __future__ import annotations

from datetime import timedelta

from portal.core import clock
from portal.domain.scheduling.appointments import video_opens_at
from portal.domain.scheduling.glance import Glance
from portal.domain.scheduling.models import CANCELLED, DECLINED, NO_SHOW, Appointment

CLOSES_AFTER = timedelta(hours=1)  # visits run late
_address = ""


def meet_at(address: str) -> None:
    """Say at start where rooms are: an address with {room} in it; empty means there are none."""
    global _address
    _address = address


def link(appointment: Appointment | Glance) -> str | None:
    """The address of the room from 15 minutes before a video visit until an hour after it; None at any other time.

    The room is named by the appointment's id, which nobody can guess and which says nothing.
    """
    if appointment.mode != "video" or not _address or appointment.status in {CANCELLED, DECLINED, NO_SHOW}:
        return None
    if not video_opens_at(appointment) <= clock.now() <= appointment.ends_at + CLOSES_AFTER:
        return None
    return _address.replace("{room}", f"visit-{appointment.id}")

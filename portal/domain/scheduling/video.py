"""The room of a video visit: an address at the configured provider, known only shortly before and during the visit.

Whoever knows the address is in the room. So it is a secret made of the visit and its version, shown on the pages of
the patient (and who looks after them) and of the doctor, and nowhere else: not by the API, in no event, log or message.
"""

from __future__ import annotations

from datetime import timedelta

from portal.core import clock, secrets
from portal.domain.scheduling.appointments import video_opens_at
from portal.domain.scheduling.glance import Glance
from portal.domain.scheduling.models import CANCELLED, DECLINED, NO_SHOW, PENDING, Appointment

CLOSES_AFTER = timedelta(hours=1)  # visits run late
_WITHOUT_ROOM = {PENDING, CANCELLED, DECLINED, NO_SHOW}  # a request gets its room with the doctor's yes
_address = ""


def meet_at(address: str) -> None:
    """Say at start where rooms are: an address with {room} in it; empty means there are none."""
    global _address
    _address = address


def is_on() -> bool:
    """Whether there is a provider; without one the clinic says itself how a video visit takes place."""
    return bool(_address)


def link(appointment: Appointment | Glance) -> str | None:
    """The address of the room from 15 minutes before a video visit until an hour after it; None at any other time.

    A visit that is moved, or cancelled and taken back, gets another room: who knew the earlier one is not in it.
    """
    if appointment.mode != "video" or not _address or appointment.status in _WITHOUT_ROOM:
        return None
    if not video_opens_at(appointment) <= clock.now() <= appointment.ends_at + CLOSES_AFTER:
        return None
    return _address.replace("{room}", secrets.pseudonym("video room", appointment.id, appointment.version))

"""What the links in messages lead to: each feature registers its purpose, at import.

links.register("attendance", show=show, act=act)

`show(actor, claim)` answers GET and only shows; `act(actor, claim)` answers POST to `claim.path`. Both are called with
the patient as the actor (door "link"), after the birth date was asked; a Refused they raise is said on a page of its
own. `claim` is portal.domain.access.acting.Claim: patient_id, subject_id, version, path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import session
from werkzeug.wrappers import Response

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import Gone, refuse
from portal.domain.access.acting import Claim

Door = Callable[[Actor, Claim], Response]
REMEMBERED = timedelta(minutes=30)
MOST_REMEMBERED = 5  # they live in the cookie


@dataclass(frozen=True)
class Way:
    """What a purpose shows and what it does."""

    show: Door
    act: Door


_ways: dict[str, Way] = {}


def register(purpose: str, *, show: Door, act: Door) -> None:
    """Say what links of this purpose lead to; `purpose` stands in the address, so it tells nothing of health."""
    _ways[purpose] = Way(show, act)


def find(purpose: str) -> Way:
    """What links of this purpose lead to; raises Gone for one that is not there any more."""
    return _ways.get(purpose) or refuse(Gone)


def remember(patient_id: UUID) -> None:
    """This browser has shown the patient's birth date: for half an hour it is not asked again."""
    until = int((clock.now() + REMEMBERED).timestamp())
    kept = [(known, when) for known, when in _kept() if known != str(patient_id)]
    session["go"] = [*kept, (str(patient_id), until)][-MOST_REMEMBERED:]


def is_remembered(patient_id: UUID) -> bool:
    return any(known == str(patient_id) for known, _ in _kept())


def _kept() -> list[tuple[str, int]]:
    now = clock.now().timestamp()
    return [(str(known), int(until)) for known, until in session.get("go", []) if until > now]

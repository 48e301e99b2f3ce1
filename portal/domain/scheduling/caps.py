"""How much may be open at once: times held without an account, and visits ahead of one account.

A limit on requests says nothing about what they leave behind: twenty-two holds fit into two seconds and stand for ten
minutes. So what is open is counted by the database, in the statement that reads the rules (rulebook), once nobody else
counts for the same account or place (taking.against_closing, taking.one_holds). The desk is exempt.
"""

from __future__ import annotations

from datetime import date, datetime

from portal.core import limits
from portal.core.actor import Actor
from portal.core.errors import Conflict, Unauthenticated
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.scheduling import timetable, turns
from portal.domain.scheduling.rulebook import Rulebook, TypeRules

LEAST_OF_DAY = 2  # holds without an account that any day admits, however short it is
_per_place, _share, _ahead = 3, 25, 30


class TooManyHolds(Conflict):
    """From one place as many times are held without an account as may be."""

    code = "too_many_holds"
    sentence = _(
        "From your network as many times are held without an account as we can keep. Please sign in to hold this one,"
        " or book or give back one of the others."
    )


class SignInToHold(Conflict):
    """Those without an account hold their share of this day."""

    code = "sign_in_to_hold"
    sentence = _("Many times of this day are being held. Please sign in to hold this one.")


class SignInToKeep(Unauthenticated):
    """Who has no account keeps a time once, and not longer."""

    code = "sign_in_to_keep"
    sentence = _("Please sign in to keep this time longer.")


class TooManyAhead(Conflict):
    """The account has booked as many visits as it may, for everybody it books for together."""

    code = "too_many_ahead"
    sentence = _(
        "You have booked as many visits as one account can have ahead, for everybody you book for together. Please"
        " cancel one first, or call the clinic."
    )


def allow_at_most(holds_per_place: int, share: int, visits_ahead: int) -> None:
    """Say at start how many times one place holds without an account, and how many visits one account has ahead.

    `share` is what all such places hold together of a practice's day, per cent.
    """
    global _per_place, _share, _ahead
    _per_place, _share, _ahead = holds_per_place, share, visits_ahead


def place_of(actor: Actor) -> str | None:
    """What stands in a hold for the place of somebody without an account: a keyed digest; None for an account."""
    return None if actor.user_id or actor.is_system else limits.mark("hold", actor.place)


def check_hold(actor: Actor, book: Rulebook, kind: TypeRules, starts_at: datetime, *, for_desk: bool) -> None:
    """Go on if one hold more may stand; raises TooManyHolds, SignInToHold or TooManyAhead."""
    if place_of(actor) is None:
        if not for_desk:
            check_ahead(book.booked)
        return
    allow(book.held_here < _per_place, TooManyHolds)
    day = starts_at.astimezone(book.zone).date()
    share = max(LEAST_OF_DAY, _places_on(book, kind, day) * _share // 100)
    allow(book.held_that_day < share, SignInToHold)


def check_ahead(booked: int) -> None:
    """Go on if an account that has so many visits ahead may have one more; raises TooManyAhead."""
    allow(booked < _ahead, TooManyAhead)


def _places_on(book: Rulebook, kind: TypeRules, day: date) -> int:
    """How many visits of this type the practice could see on this day, closures taken out."""
    hours = [opening for opening in book.timetable.openings if opening.admits(kind.id)]
    windows = timetable.open_on(hours, book.zone, day, day)
    length = kind.duration * 60
    return sum(turns.open_between(one.starts, one.ends, book) // length * one.opening.capacity for one in windows)

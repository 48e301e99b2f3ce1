"""Answering an offer: yes books or moves in one transaction, no passes the time on."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import SYSTEM, Actor
from portal.core.db import session
from portal.core.errors import NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment
from portal.domain.waitlist.models import WaitlistEntry, WaitlistOffer
from portal.domain.waitlist.offering import locked_offer
from portal.domain.waitlist.wishes import OVER, OfferOver, may_change


def accept(actor: Actor, offer_id: UUID | str) -> Appointment:
    """Take the offered time: the visit that was to come earlier moves to it, else a new one is booked.

    Said twice it leads to the same appointment. What the clinic offered is bound by none of the limits for patients:
    a move does not count, and no cut-off is asked. Raises NotFound, Forbidden, OfferOver, or what booking refuses.
    """
    offer = _locked(actor, offer_id)
    entry = offer.entry
    if offer.state == "accepted" and entry.appointment_id:
        return session().get_one(Appointment, entry.appointment_id)
    _still_open(offer)
    taken = _moved(actor, offer, entry) if entry.moves_id else _booked(actor, offer, entry)
    offer.state, offer.answered_at, offer.hold_id = "accepted", clock.now(), None
    entry.state, entry.appointment_id = "booked", taken.id
    session().flush()
    record(actor, "waitlist.accepted", offer, **_about(entry), appointment_id=taken.id)
    return taken


def decline(actor: Actor, offer_id: UUID | str) -> WaitlistOffer:
    """Let the time go to the next and wait on; said twice it is said once. Raises NotFound, Forbidden or OfferOver."""
    offer = _locked(actor, offer_id)
    if offer.state == "declined":
        return offer
    _still_open(offer)
    offer.state, offer.answered_at = "declined", clock.now()
    session().flush()
    record(actor, "waitlist.declined", offer, **_about(offer.entry))
    return offer


def is_over(offer: WaitlistOffer) -> OfferOver | None:
    """Why the offer cannot be taken any more, if so."""
    state = "expired" if offer.state == "open" and offer.expires_at <= clock.now() else offer.state
    return None if state == "open" else OfferOver(OVER[state], state=state)


def _locked(actor: Actor, offer_id: UUID | str) -> WaitlistOffer:
    seen = authority.find(actor, WaitlistOffer, offer_id)
    offer = locked_offer(seen.id) or refuse(NotFound)
    allow(may_change(actor, offer.entry))
    return offer


def _still_open(offer: WaitlistOffer) -> None:
    if (no := is_over(offer)) is not None:
        raise no


def _moved(actor: Actor, offer: WaitlistOffer, entry: WaitlistEntry) -> Appointment:
    moves_id = entry.moves_id or refuse(NotFound)
    hold_id = offer.hold_id or refuse(OfferOver)
    return booking.reschedule(
        actor, moves_id, starts_at=offer.starts_at, practice_id=offer.practice_id, hold_id=hold_id
    )


def _booked(actor: Actor, offer: WaitlistOffer, entry: WaitlistEntry) -> Appointment:
    return booking.book(
        replace(SYSTEM, user_id=actor.user_id, name=actor.name, address=actor.address),  # the clinic's own offer
        practice_id=offer.practice_id,
        visit_type_id=entry.visit_type_id,
        starts_at=offer.starts_at,
        patient_id=entry.patient_id,
        hold_id=offer.hold_id or refuse(OfferOver),
    )


def _about(entry: WaitlistEntry) -> dict[str, UUID]:
    return {"patient_id": entry.patient_id, "clinic_id": entry.clinic_id, "entry_id": entry.id}

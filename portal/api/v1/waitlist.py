"""The waitlist: waiting for an earlier time, and the offers that come of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import AppointmentOut, FreeTime, FreeTimes
from portal.api.v1.waitlist_answers import ClinicWaits, OfferOut, Offers, Urgency, WaitOut, Waits
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.core.policy import allow
from portal.core.shapes import Label, Limit, Shape
from portal.domain.doctors.shapes import Cursor
from portal.domain.scheduling import glance
from portal.domain.scheduling.caps import TooManyAhead
from portal.domain.scheduling.refusals import (
    EmailNotVerified,
    HoldExpired,
    NoPatientProfile,
    NotGiven,
    NotInThisState,
    NotOffered,
    NotSelfBookable,
    TimeTaken,
)
from portal.domain.waitlist import answering, entries, joining, offering
from portal.domain.waitlist.models import WaitlistOffer
from portal.domain.waitlist.shapes import JoinWaitlist, OfferByHand, Wish
from portal.domain.waitlist.wishes import (
    AlreadyWaiting,
    NothingToMove,
    NotWaiting,
    OfferOver,
    OfferStands,
    UrgencyIsTheClinics,
)

TAG = "Waitlist"
READ, WRITE = "appointments:read", "appointments:write"
EXAMPLE: dict[str, Any] = {
    "practice_id": "019aa000-0000-7000-8000-000000000001",
    "visit_type_id": "019aa000-0000-7000-8000-000000000002",
    "windows": [{"weekday": 0, "starts": "08:00", "until": "12:00"}],
    "last": "2027-04-30",
}


class ClinicWaitsQuery(Shape):
    """Whom to list: waiting ones in their order, or with `ended` those who do not wait any more."""

    practice_id: UUID | None = None
    urgency: Urgency | None = None
    ended: bool = False
    after: Cursor | None = None
    limit: Limit = 25


class ClinicWaitsSearch(ClinicWaitsQuery):
    """Whom to list, by the patient's name too."""

    name: Annotated[Label, Field(description="Words of the patient's name")]


@endpoint(
    "POST",
    "/waitlist",
    tag=TAG,
    body=JoinWaitlist,
    answer=WaitOut,
    status=201,
    refuses=(
        TooManyAhead,
        NotFound, Forbidden, EmailNotVerified, NoPatientProfile, NotSelfBookable, AlreadyWaiting, NothingToMove,
        UrgencyIsTheClinics,
    ),
    scope=WRITE,
    keyed=True,
    example=EXAMPLE,
)  # fmt: skip
def join_waitlist(actor: Actor, body: JoinWaitlist) -> Answer:
    """Wait for a time with a doctor or any doctor of a clinic, or for an earlier one of a visit (`moves_id`)"""
    made = joining.join(actor, **body.given())
    return Answer(WaitOut.of(entries.find(actor, made.id)), {"Location": f"/api/v1/waitlist/{made.id}"})


@endpoint("GET", "/waitlist", tag=TAG, answer=Waits, scope=READ)
def list_waits(actor: Actor) -> Waits:
    """Where you and those you look after wait: waiting places first, then the last that ended"""
    return Waits(items=[WaitOut.of(place) for place in entries.mine(actor)])


@endpoint("GET", "/clinics/{clinic_id}/waitlist", tag=TAG, query=ClinicWaitsQuery, answer=ClinicWaits, scope=READ)
def list_clinic_waits(actor: Actor, clinic_id: UUID, query: ClinicWaitsQuery) -> ClinicWaits:
    """Who waits at a clinic, for its desk, its admins and its doctors"""
    return _waits_at(actor, clinic_id, "", query)


@endpoint(
    "POST",
    "/clinics/{clinic_id}/waitlist/search",
    tag=TAG,
    body=ClinicWaitsSearch,
    answer=ClinicWaits,
    scope=READ,
    example={"name": "boudiaf"},
)
def search_clinic_waits(actor: Actor, clinic_id: UUID, body: ClinicWaitsSearch) -> ClinicWaits:
    """The same by the patient's name, which stands in no address; the next page is asked for with `after`"""
    return _waits_at(actor, clinic_id, body.name, body)


@endpoint("GET", "/waitlist/{entry_id}", tag=TAG, answer=WaitOut, scope=READ)
def get_wait(actor: Actor, entry_id: UUID) -> WaitOut:
    """One place on the waitlist"""
    return WaitOut.of(entries.find(actor, entry_id))


@endpoint(
    "PATCH",
    "/waitlist/{entry_id}",
    tag=TAG,
    body=Wish,
    answer=WaitOut,
    refuses=(Forbidden, NotWaiting, UrgencyIsTheClinics),
    scope=WRITE,
    example={"last": "2027-05-31"},
)
def change_wait(actor: Actor, entry_id: UUID, body: Wish) -> WaitOut:
    """Other days, hours or urgency; what is not sent stays"""
    joining.change(actor, entry_id, **body.given())
    return get_wait(actor, entry_id)


@endpoint(
    "POST",
    "/waitlist/{entry_id}/leave",
    tag=TAG,
    answer=WaitOut,
    refuses=(Forbidden, NotWaiting),
    scope=WRITE,
    keyed=True,
)
def leave_waitlist(actor: Actor, entry_id: UUID) -> WaitOut:
    """Wait no longer; a time that is being offered goes to the next"""
    joining.leave(actor, entry_id)
    return get_wait(actor, entry_id)


@endpoint("GET", "/waitlist/{entry_id}/free-times", tag=TAG, answer=FreeTimes, scope=READ)
def list_times_for_wait(actor: Actor, entry_id: UUID) -> FreeTimes:
    """The free times that suit a place on the waitlist now, the soonest first"""
    entry = entries.find(actor, entry_id).entry
    return FreeTimes(items=[FreeTime.of(slot, entry.clinic.zone) for slot in entries.free_for(entry)])


@endpoint("GET", "/waitlist/{entry_id}/offers", tag=TAG, answer=Offers, scope=READ)
def list_offers(actor: Actor, entry_id: UUID) -> Offers:
    """What was offered to a place on the waitlist, the latest first"""
    entry = entries.find(actor, entry_id).entry
    return Offers(items=[OfferOut.of(one, entry.clinic.zone) for one in entries.offers_of(entry)])


@endpoint(
    "POST",
    "/waitlist/{entry_id}/offers",
    tag=TAG,
    body=OfferByHand,
    answer=OfferOut,
    status=201,
    refuses=(Forbidden, NotWaiting, OfferStands, NotOffered, TimeTaken),
    scope=WRITE,
    keyed=True,
    example={"practice_id": EXAMPLE["practice_id"], "starts_at": "2027-03-31T09:30:00+01:00"},
)
def make_offer(actor: Actor, entry_id: UUID, body: OfferByHand) -> Answer:
    """Offer a free time to somebody on the waitlist now, as the clinic"""
    made = offering.by_hand(actor, entry_id, **body.values())
    return Answer(_offer(entries.find_offer(actor, made.id)), {"Location": f"/api/v1/waitlist/offers/{made.id}"})


@endpoint("GET", "/waitlist/offers/{offer_id}", tag=TAG, answer=OfferOut, scope=READ)
def get_offer(actor: Actor, offer_id: UUID) -> OfferOut:
    """One offer"""
    return _offer(entries.find_offer(actor, offer_id))


@endpoint(
    "POST",
    "/waitlist/offers/{offer_id}/accept",
    tag=TAG,
    answer=AppointmentOut,
    refuses=(Forbidden, OfferOver, HoldExpired, NotInThisState, NotGiven, NotOffered, TimeTaken),
    scope=WRITE,
    keyed=True,
)
def accept_offer(actor: Actor, offer_id: UUID) -> AppointmentOut:
    """Take an offered time: it is booked, or the visit that was to come earlier moves; said twice it is done once"""
    return AppointmentOut.of(glance.after_change(answering.accept(actor, offer_id).id))


@endpoint(
    "POST",
    "/waitlist/offers/{offer_id}/decline",
    tag=TAG,
    answer=OfferOut,
    refuses=(Forbidden, OfferOver),
    scope=WRITE,
    keyed=True,
)
def decline_offer(actor: Actor, offer_id: UUID) -> OfferOut:
    """Let an offered time go to the next and wait on"""
    answering.decline(actor, offer_id)
    return get_offer(actor, offer_id)


def _offer(one: WaitlistOffer) -> OfferOut:
    return OfferOut.of(one, one.practice.clinic.zone)


def _waits_at(actor: Actor, clinic_id: UUID, name: str, wanted: ClinicWaitsQuery) -> ClinicWaits:
    allow(any(clinic.id == clinic_id for clinic in entries.clinics_of(actor)), NotFound)
    chosen = {field: getattr(wanted, field) for field in ClinicWaitsQuery.model_fields}
    found = entries.of_clinics(actor, [clinic_id], text=name, **chosen)
    return ClinicWaits(items=[WaitOut.of(place) for place in found], next=found.next)

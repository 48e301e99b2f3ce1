"""Keeping a time for a few minutes. The token is a secret: it is sent in a header or a body, never in an address."""

from __future__ import annotations

from flask import request

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import HoldOut
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound
from portal.domain.scheduling import holds
from portal.domain.scheduling.caps import SignInToHold, SignInToKeep, TooManyAhead, TooManyHolds
from portal.domain.scheduling.models import Hold
from portal.domain.scheduling.refusals import HoldExpired, NotOffered, NotSelfBookable, TimeTaken
from portal.domain.scheduling.shapes import PlaceHold

TAG = "Keeping a time"
HOLD_RATE = "60 per minute"
TOKEN_HEADER = {"Hold-Token": "The token of the hold, as POST /holds answered it"}


@endpoint(
    "POST",
    "/holds",
    tag=TAG,
    body=PlaceHold,
    answer=HoldOut,
    status=201,
    refuses=(NotFound, Forbidden, NotSelfBookable, NotOffered, TimeTaken, TooManyHolds, SignInToHold, TooManyAhead),
    scope="appointments:write",
    public=True,
    keyed=True,
    headers={"Hold-Token": "The token of a hold that is given back for this one"},
    rate=HOLD_RATE,
    example={
        "practice_id": "019aa000-0000-7000-8000-000000000001",
        "visit_type_id": "019aa000-0000-7000-8000-000000000002",
        "starts_at": "2027-03-31T09:30:00+01:00",
    },
)
def place_hold(actor: Actor, body: PlaceHold) -> Answer:
    """Keep a time for some minutes while a person makes up their mind

    Works with and without signing in; without, only a few at once from one network, and a share of a doctor's day. With
    `patient_id`, who comes, the time is kept only if they are free then.
    Send the token as `hold_token` when booking, or give the time back with DELETE.
    """
    _hold, token = holds.place(actor, **body.values(), token=sent_token())
    return Answer(shown(holds.look(token), token), {"Location": "/api/v1/holds"})


@endpoint("GET", "/holds", tag=TAG, answer=HoldOut, refuses=(HoldExpired,), public=True, headers=TOKEN_HEADER)
def get_hold(actor: Actor) -> HoldOut:
    """The hold whose token is in the header Hold-Token, as long as it lasts"""
    token = sent_token()
    return shown(holds.look(token), token or "")


@endpoint(
    "POST",
    "/holds/extend",
    tag=TAG,
    answer=HoldOut,
    refuses=(HoldExpired, SignInToKeep),
    public=True,
    keyed=True,
    headers=TOKEN_HEADER,
    rate=HOLD_RATE,
)
def extend_hold(actor: Actor) -> HoldOut:
    """Keep the time longer whose token is in the header Hold-Token, half an hour in all; only when signed in

    `expires_at` says until when; it is the same as before once the time was kept as long as it can be.
    """
    token = sent_token()
    holds.stay(actor, token)
    return shown(holds.look(token), token or "")


@endpoint("DELETE", "/holds", tag=TAG, status=204, public=True, headers=TOKEN_HEADER)
def release_hold(actor: Actor) -> None:
    """Give the time back whose token is in the header Hold-Token; an unknown one is no mistake"""
    if token := sent_token():
        holds.release(token)


def sent_token() -> str | None:
    """The token of a hold that came with the request."""
    return request.headers.get("Hold-Token")


def shown(hold: Hold, token: str) -> HoldOut:
    """A hold with its practice and clinic as it goes out."""
    zone = hold.practice.clinic.zone
    times = {name: getattr(hold, name).astimezone(zone) for name in ("starts_at", "ends_at", "expires_at")}
    return HoldOut(
        token=token, practice_id=hold.practice_id, visit_type_id=hold.visit_type_id, time_zone=zone.key, **times
    )

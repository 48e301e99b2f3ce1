"""What clinics ask about a record: asked by the clinic, answered by the patient, confirmed on paper by two people."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import Out
from portal.api.v1.record_requests_answers import RequestOut
from portal.core.actor import Actor
from portal.core.errors import Conflict, Forbidden, NotFound, TooMany
from portal.core.shapes import Empty, Shape
from portal.domain.identity.accounts import OwnAccount
from portal.domain.patients import deciding, desk, requests
from portal.domain.patients.deciding import AtBothContacts, Over, SecondPerson
from portal.domain.patients.inviting import HasAccount, NoBirthDate, OwnAddress
from portal.domain.patients.joining import BothBusy, Joined
from portal.domain.patients.request_shapes import CarerAtDesk, HandOverAtDesk
from portal.domain.patients.requests import NobodyToAsk

TAG = "Requests about a record"
ANSWER, ASK = "family:write", "patients:write"
ANSWERED: dict[str, Any] = {"tag": TAG, "answer": RequestOut, "keyed": True}
ASKING: dict[str, Any] = {"tag": TAG, "status": 202, "scope": ASK, "keyed": True}
EMAIL = {"email": "karim@example.dz", "on_paper": False}


class RequestsQuery(Shape):
    """Which side of them: those you answer, or those your clinics have sent."""

    side: Literal["to_answer", "sent"] = "to_answer"


class JoinAtDesk(Shape):
    """The clinic that asks; may be left out where only one of yours knows the patient."""

    clinic_id: Annotated[UUID | None, Empty] = None


class RequestsOut(Out):
    """Those that are open, the latest first; `to_answer` also holds what was done on paper and not read yet."""

    items: list[RequestOut]


class AskedOut(Out):
    """The request that was sent. Null: nobody had to be asked, or nobody can be, and this does not say which."""

    request: Annotated[RequestOut | None, Field(description="Answered by the patient, or confirmed from a paper")]


@endpoint("GET", "/record-requests", tag=TAG, query=RequestsQuery, answer=RequestsOut, scope="family:read")
def list_record_requests(actor: Actor, query: RequestsQuery) -> RequestsOut:
    """What clinics ask you, or what your clinics have asked patients"""
    if query.side == "sent":
        return RequestsOut(items=[RequestOut.of(one, for_clinic=True) for one in requests.of_clinics(actor)])
    found = [*requests.to_answer(actor), *requests.unseen(actor)]
    return RequestsOut(items=[RequestOut.of(one) for one in found])


@endpoint("GET", "/record-requests/{request_id}", tag=TAG, answer=RequestOut, scope="family:read")
def get_record_request(actor: Actor, request_id: UUID) -> RequestOut:
    """One request, for whoever answers it and the clinic that asked"""
    return _told(actor, request_id)


@endpoint(
    "POST",
    "/record-requests/{request_id}/accept",
    refuses=(NotFound, Forbidden, AtBothContacts, Over, BothBusy, Joined, HasAccount, Conflict),
    scope=ANSWER,
    **ANSWERED,
)
def accept_record_request(actor: Actor, request_id: UUID) -> RequestOut:
    """Allow what a clinic asks about your record; it is done at once

    Two records are joined here only where the clinic wrote down the e-mail address of your account, else by the link
    that was sent to the phone number it wrote down (403 `at_both_contacts`).
    """
    deciding.accept(actor, request_id)
    return _told(actor, request_id)


@endpoint("POST", "/record-requests/{request_id}/refuse", refuses=(NotFound, Forbidden, Over), scope=ANSWER, **ANSWERED)
def refuse_record_request(actor: Actor, request_id: UUID) -> RequestOut:
    """Say no, also to a paper that waits for its second person"""
    deciding.reject(actor, request_id)
    return _told(actor, request_id)


@endpoint("POST", "/record-requests/{request_id}/seen", refuses=(NotFound, Over), scope=ANSWER, **ANSWERED)
def see_record_request(actor: Actor, request_id: UUID) -> RequestOut:
    """What was done on a signed paper is right"""
    deciding.see(actor, request_id)
    return _told(actor, request_id)


@endpoint("POST", "/record-requests/{request_id}/dispute", refuses=(NotFound, Over), scope=ANSWER, **ANSWERED)
def dispute_record_request(actor: Actor, request_id: UUID) -> RequestOut:
    """What was done on a signed paper is wrong: it is taken back as far as it stands"""
    deciding.dispute(actor, request_id)
    return _told(actor, request_id)


@endpoint(
    "POST",
    "/record-requests/{request_id}/confirm",
    refuses=(NotFound, Forbidden, SecondPerson, Over, HasAccount, Conflict),
    scope=ASK,
    **ANSWERED,
)
def confirm_record_request(actor: Actor, request_id: UUID) -> RequestOut:
    """As the second person of the clinic: you have seen the signed paper, and it is done"""
    deciding.confirm(actor, request_id)
    return _told(actor, request_id)


@endpoint("POST", "/record-requests/{request_id}/withdraw", refuses=(NotFound, Forbidden, Over), scope=ASK, **ANSWERED)
def withdraw_record_request(actor: Actor, request_id: UUID) -> RequestOut:
    """Take a request of your clinic back"""
    deciding.withdraw(actor, request_id)
    return _told(actor, request_id)


@endpoint(
    "POST",
    "/patients/{patient_id}/join-requests",
    body=JoinAtDesk,
    answer=AskedOut,
    refuses=(NotFound, HasAccount, TooMany),
    example={},
    **ASKING,
)
def ask_to_join(actor: Actor, patient_id: UUID, body: JoinAtDesk) -> Answer:
    """Ask whoever this patient may be elsewhere whether your clinic may read that record

    They are asked at a contact their own record had before. Nothing here tells who it is, or whether there is anybody.
    """
    desk.ask_to_join(actor, patient_id, body.clinic_id)
    return Answer(AskedOut(request=None))


@endpoint(
    "POST",
    "/patients/{patient_id}/carer-requests",
    body=CarerAtDesk,
    answer=AskedOut,
    refuses=(NotFound, NobodyToAsk, OwnAccount, TooMany),
    example=EMAIL | {"relation": "child", "scopes": ["view", "book"]},
    **ASKING,
)
def ask_for_carer(actor: Actor, patient_id: UUID, body: CarerAtDesk) -> Answer:
    """Ask that somebody may act for a patient in what concerns your clinic

    Once allowed, the address gets a letter, and it counts when its account accepts. The answer is the same whether the
    address has an account. `on_paper`: the patient signed it, and another person of the clinic will confirm.
    """
    return _asked(requests.ask_for_carer(actor, patient_id, **body.values()))


@endpoint(
    "POST",
    "/patients/{patient_id}/hand-over-requests",
    body=HandOverAtDesk,
    answer=AskedOut,
    refuses=(NotFound, HasAccount, OwnAddress, NoBirthDate, NobodyToAsk, TooMany),
    example=EMAIL,
    **ASKING,
)
def ask_to_hand_over(actor: Actor, patient_id: UUID, body: HandOverAtDesk) -> Answer:
    """Hand a record over to its patient, as the desk: at its own address by letter, else the patient is asked"""
    return _asked(requests.ask_to_hand_over(actor, patient_id, **body.values()))


def _told(actor: Actor, request_id: UUID) -> RequestOut:
    found = requests.get(actor, request_id)
    return RequestOut.of(found, for_clinic=not requests.may_answer(actor, found))


def _asked(made: Any) -> Answer:
    if made is None:
        return Answer(AskedOut(request=None))
    told = RequestOut.of(made, for_clinic=True)
    return Answer(AskedOut(request=told), {"Location": f"/api/v1/record-requests/{made.id}"})

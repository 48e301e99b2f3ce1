"""Answers to what a clinic wants with a record: by the patient, by a second person on paper, disputed afterwards."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import session
from portal.core.errors import Conflict, Forbidden, Gone, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.patients import care, inviting, joining, parting
from portal.domain.patients.models import Delegation
from portal.domain.patients.request_models import CARER, CONTACT, HAND_OVER, JOIN, RecordJoin, RecordRequest
from portal.domain.patients.requests import decide, get, is_written_down, may_answer, may_confirm, may_withdraw, plain


class Over(Gone):
    """The request was answered, withdrawn, or is too old."""

    code = "request_over"
    sentence = _("This request was answered already or is over.")


class SecondPerson(Forbidden):
    """One person alone cannot do it."""

    code = "second_person"
    sentence = _("A colleague of this clinic has to confirm the paper, not whoever entered it or is named in it.")


class AtBothContacts(Forbidden):
    """Whose account the one record is has not shown that the other one is theirs, too."""

    code = "at_both_contacts"
    sentence = _(
        "To be sure that it is you, we have sent a link to the phone number the clinic wrote down. Please open it and "
        "stay signed in. Without a message, ask the clinic to write down the e-mail address of your account."
    )


class SignInToo(Forbidden):
    """Whoever holds the phone has not shown that the account is theirs, too."""

    code = "sign_in_too"
    sentence = _(
        "There is an account with this phone number. If it is yours, please sign in and open this link again. If it is "
        "not, refuse and tell the clinic."
    )


def accept(actor: Actor, request_id: UUID | str) -> RecordRequest:
    """The patient, or who decides for them, allows it: it is done.

    Raises NotFound, Forbidden, Over, BothBusy, and for joining AtBothContacts and SignInToo.
    """
    request = _open(actor, request_id)
    allow(may_answer(actor, request))
    if request.kind == JOIN:
        _belongs_to_both(actor, request)
    return _do(actor, request, "link" if actor.door == "link" else "account")


def reject(actor: Actor, request_id: UUID | str) -> RecordRequest:
    """The patient, or who decides for them, does not want it, whether or not there is a paper."""
    request = _open(actor, request_id)
    allow(may_answer(actor, request))
    return decide(request, actor, "refused", "link" if actor.door == "link" else "account")


def confirm(actor: Actor, request_id: UUID | str) -> RecordRequest:
    """A second person of the clinic has seen the signed paper: it is done. Raises NotFound, SecondPerson, Over."""
    request = _open(actor, request_id)
    allow(request.on_paper and request.clinic_id in actor.clinics_as(STAFF, ADMIN))
    allow(may_confirm(actor, request), SecondPerson)
    return _do(actor, request, "paper")


def withdraw(actor: Actor, request_id: UUID | str) -> RecordRequest:
    """The clinic takes its request back. Raises NotFound, Forbidden, Over."""
    request = _open(actor, request_id)
    allow(may_withdraw(actor, request))
    return decide(request, actor, "withdrawn", None)


def see(actor: Actor, request_id: UUID | str) -> RecordRequest:
    """The patient has read what was done on paper."""
    request = _done_on_paper(actor, request_id)
    if request.seen_at is None:
        request.seen_at = clock.now()
        session().flush()
        record(actor, "record_request.seen", request)
    return request


def dispute(actor: Actor, request_id: UUID | str) -> RecordRequest:
    """The patient says that what was done on paper is wrong: it is taken back as far as it still stands.

    Somebody who was let in is out at once, a contact is what it was; the clinic's admins are told.
    """
    request = _done_on_paper(actor, request_id)
    if request.disputed_at is not None:
        return request
    request.disputed_at = clock.now()
    request.seen_at = request.seen_at or clock.now()
    if request.kind == CONTACT:
        _put_back(actor, request)
    if request.kind == HAND_OVER and "taken_by" in request.before:
        _take_back(actor, request)
    for held in session().scalars(
        select(Delegation).where(Delegation.id == request.id, Delegation.ended_at.is_(None)).with_for_update()
    ):
        held.ended_at = clock.now()
        record(actor, "delegation.ended", held, user_id=held.user_id)
    session().flush()
    record(actor, "record_request.disputed", request)
    return request


def _do(actor: Actor, request: RecordRequest, way: str) -> RecordRequest:
    decide(request, actor, "accepted", way)
    _WORK[request.kind](actor, request)
    return request


def _belongs_to_both(actor: Actor, request: RecordRequest) -> None:
    """Whether the yes comes from where both records reach somebody: names, birth dates and phones of a record or an
    account are what somebody wrote, so neither may take the other in by itself."""
    if actor.door != "link":
        allow(is_written_down(request, actor.email, verified=actor.email_verified), AtBothContacts)
        return
    own = request.patient.user_id
    holders = {own} if own else {held.user_id for held in session().scalars(care.governing(request.patient_id))}
    allow(not holders or actor.user_id in holders, SignInToo)


def _share(actor: Actor, request: RecordRequest) -> None:
    joining.join(actor, request.patient_id, request.entered_id or refuse(NotFound), request.id)


def _change_contact(actor: Actor, request: RecordRequest) -> None:
    patient = request.patient
    as_then = all(plain(getattr(patient, name)) == was for name, was in request.before.items())
    allow(as_then, Conflict)  # the patient has said something newer since
    allow("email" not in request.wanted or patient.user_id is None, inviting.HasAccount)  # changed by its owner only
    born_before = patient.birth_date
    for name, value in request.wanted.items():
        setattr(patient, name, date.fromisoformat(value) if name == "birth_date" and value else value)
    session().flush()
    care.follow_age(actor, patient, born_before)
    record(actor, "patient.changed", patient, patient_id=patient.id, fields=sorted(request.wanted))


def _invite_carer(actor: Actor, request: RecordRequest) -> None:
    wanted, until = request.wanted, request.wanted.get("until")
    inviting.send_allowed(
        actor,
        request.patient,
        inviting.CARE,
        wanted["email"],
        request_id=request.id,
        clinic_id=request.clinic_id,
        granted_by=request.asked_by,
        relation=wanted["relation"],
        scopes=tuple(wanted["scopes"]),
        until=date.fromisoformat(until) if until else None,
    )


def _invite_owner(actor: Actor, request: RecordRequest) -> None:
    inviting.send_allowed(
        actor,
        request.patient,
        inviting.RECORD,
        request.wanted["email"],
        request_id=request.id,
        clinic_id=request.clinic_id,
        granted_by=request.asked_by,
    )


_WORK = {JOIN: _share, CONTACT: _change_contact, CARER: _invite_carer, HAND_OVER: _invite_owner}


def _put_back(actor: Actor, request: RecordRequest) -> None:
    """What the record said before, where it still says what was changed then."""
    patient = request.patient
    born_before = patient.birth_date
    for name, was in request.before.items():
        if plain(getattr(patient, name)) == request.wanted.get(name):
            setattr(patient, name, date.fromisoformat(was) if name == "birth_date" and was else was)
    care.follow_age(actor, patient, born_before)


def _take_back(actor: Actor, request: RecordRequest) -> None:
    """A record that was taken over on a wrong paper leaves the account, with everything that was in it then."""
    joined = select(RecordJoin).where(RecordJoin.request_id == request.id, RecordJoin.undone_at.is_(None))
    made = session().scalars(joined).one_or_none()
    if made is not None:
        parting.part(actor, made.id)
        return
    patient, before = request.patient, request.before
    if str(patient.user_id) == before["taken_by"]:
        patient.user_id, patient.email, patient.preferred_language = None, before["email"], before["language"]
        session().flush()
        parting.open_care(patient, before["care"])
        record(actor, "patient.given_back", patient, patient_id=patient.id)


def _open(actor: Actor, request_id: UUID | str) -> RecordRequest:
    request = _locked(actor, request_id)
    allow(request.is_open, Over)
    return request


def _locked(actor: Actor, request_id: UUID | str) -> RecordRequest:
    """The request as it is now; of an answer and a confirmation at once one goes after the other."""
    found = get(actor, request_id)
    for one in sorted(filter(None, (found.patient_id, found.entered_id))):  # in the order in which joining locks
        care.lock(one)
    return get(actor, request_id, afresh=True)


def _done_on_paper(actor: Actor, request_id: UUID | str) -> RecordRequest:
    request = _locked(actor, request_id)
    allow(may_answer(actor, request), NotFound)
    allow(request.outcome == "accepted" and request.decided_way == "paper", Over)
    return request

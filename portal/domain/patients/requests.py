"""What a clinic wants with a record and only its patient may allow: how it is asked. Answers are in deciding.py.

Nothing that a clinic does lets another person or clinic read more, or changes how the patient is reached, without an
act of the patient at a contact that was known before: their account, a carer who decides for them, or the link sent to
the phone or e-mail address of the record. Where the clinic holds a signed paper, a second person of the clinic confirms
it; the patient is told when it is entered, can refuse it until then, and finds it at their next sign-in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import joinedload

from portal.core import clock, emails, limits
from portal.core.actor import ADMIN, DOCTOR, STAFF, Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, Invalid, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics.models import Membership
from portal.domain.identity.accounts import OwnAccount
from portal.domain.patients import care, inviting
from portal.domain.patients.models import Patient
from portal.domain.patients.request_models import CARER, CONTACT, HAND_OVER, JOIN, RecordRequest

LASTS = timedelta(days=14)
PER_PERSON = "40 per day"
WHOLE = (
    joinedload(RecordRequest.patient).joinedload(Patient.user),
    joinedload(RecordRequest.entered),
    joinedload(RecordRequest.clinic),
)


class NobodyToAsk(Conflict):
    """The record has neither an account nor a contact, so only a paper helps."""

    code = "nobody_to_ask"
    sentence = _(
        "There is no account, e-mail address or phone at which to ask the patient. Have them sign a paper; "
        "a colleague then confirms it."
    )


def open_about(actor: Actor, patient_id: UUID) -> list[RecordRequest]:
    """What the actor's clinics have asked about this record, or with it, and was not answered; the latest first."""
    theirs = (RecordRequest.patient_id == patient_id) & (RecordRequest.kind != JOIN)
    return _listed(_of_my_clinics(actor), theirs | (RecordRequest.entered_id == patient_id), _is_open())


def of_clinics(actor: Actor) -> list[RecordRequest]:
    """Everything open that the actor's clinics have asked."""
    return _listed(_of_my_clinics(actor), _is_open())


def for_patient(actor: Actor) -> tuple[list[RecordRequest], list[RecordRequest]]:
    """What clinics ask the actor, about their own record and those they decide about; and what was done with these on
    paper, until it was read. One statement."""
    if not actor.is_signed_in:
        return [], []
    on_paper = and_(RecordRequest.decided_way == "paper", RecordRequest.outcome == "accepted")
    unread = and_(on_paper, RecordRequest.seen_at.is_(None))
    found = _listed(RecordRequest.answered_by(actor), or_(_is_open(), unread))
    waits = [one for one in found if one.outcome is None and _is_told(actor, one)]
    return waits, [one for one in found if one.outcome is not None]


def to_answer(actor: Actor) -> list[RecordRequest]:
    """What waits for the actor's answer."""
    return for_patient(actor)[0]


def unseen(actor: Actor) -> list[RecordRequest]:
    """What was done on paper and not read yet."""
    return for_patient(actor)[1]


def get(actor: Actor, request_id: UUID | str, *, afresh: bool = False) -> RecordRequest:
    """One request with its patient and clinic, for whoever answers it and the clinic that asked; raises NotFound.

    `afresh` reads it, and the record, again: as they are once a lock was waited for.
    """
    wanted = select(RecordRequest).where(RecordRequest.id == as_id(request_id), RecordRequest.visible(actor))
    reading = wanted.options(*WHOLE).execution_options(populate_existing=afresh)
    return session().scalars(reading).one_or_none() or refuse(NotFound)


def may_answer(actor: Actor, request: RecordRequest) -> bool:
    return care.may_govern(actor, request.patient)


def may_confirm(actor: Actor, request: RecordRequest) -> bool:
    """Whether the actor may be the second person: at the desk of the clinic since before it was asked, not who asked
    and not whom it lets in. An account that somebody made for the purpose is no second person."""
    works_there = request.clinic_id in actor.clinics_as(STAFF, ADMIN)
    gains = emails.is_same(request.wanted.get("email") or "", actor.email)  # whom it names lets in themselves
    return (
        request.on_paper
        and works_there
        and actor.user_id != request.asked_by
        and not gains
        and _was_there(actor, request)
    )


def may_withdraw(actor: Actor, request: RecordRequest) -> bool:
    return actor.works_at(request.clinic_id) or (actor.user_id is not None and actor.user_id == request.asked_by)


def ask(
    actor: Actor,
    patient: Patient,
    clinic_id: UUID,
    kind: str,
    wanted: Mapping[str, Any],
    *,
    on_paper: bool = False,
    entered_id: UUID | None = None,
) -> RecordRequest:
    """Ask the patient; an earlier request of this clinic for the same kind is replaced.

    Whoever calls this has checked that the actor works there. Raises NobodyToAsk and TooMany.
    """
    allow(patient.deceased_at is None, care.Deceased)
    allow(on_paper or can_be_asked(patient), NobodyToAsk)
    limits.hit(PER_PERSON, "record-request", str(actor.user_id))
    care.lock(patient.id)
    same = (RecordRequest.patient_id == patient.id, RecordRequest.clinic_id == clinic_id, RecordRequest.kind == kind)
    for before in session().scalars(select(RecordRequest).where(*same, RecordRequest.decided_at.is_(None))):
        decide(before, actor, "withdrawn" if before.is_open else "over", None)
    made = RecordRequest(
        id=new_id(),
        patient_id=patient.id,
        clinic_id=clinic_id,
        kind=kind,
        wanted={name: plain(value) for name, value in wanted.items()},
        before={name: plain(getattr(patient, name)) for name in wanted} if kind == CONTACT else {},
        entered_id=entered_id,
        on_paper=on_paper,
        asked_by=actor.user_id,
        expires_at=clock.now() + LASTS,
    )
    session().add(made)
    session().flush()
    record(actor, "record_request.sent", made, kind=kind, on_paper=on_paper)
    whole = select(RecordRequest).where(RecordRequest.id == made.id).options(*WHOLE)
    return session().scalars(whole.execution_options(populate_existing=True)).one()


def ask_for_carer(
    actor: Actor,
    patient_id: UUID | str,
    *,
    email: str,
    relation: str,
    scopes: list[str],
    until: date | None = None,
    on_paper: bool = False,
    clinic_id: UUID | None = None,
) -> RecordRequest:
    """Ask that the reader of this address may act for the patient, in what concerns this clinic.

    Once allowed, a letter goes to the address, and it counts when its account accepts; the answer is the same whether
    the address has an account. Raises NotFound, Invalid where several clinics could be meant, NobodyToAsk and TooMany.
    """
    patient, clinic = care.at_desk(actor, patient_id, clinic_id)
    if clinic_id is None and len(care.clinics_at_desk(actor, patient)) > 1:
        raise Invalid(fields={"clinic_id": _("Please choose for which clinic it counts.")})
    allow(
        not emails.is_same(email, actor.email),
        OwnAccount,
        _("You cannot enter yourself. Please ask a colleague."),
    )
    until = care.until_when(patient, relation, until)
    wanted = {
        "email": email,
        "relation": relation,
        "scopes": ["view", *(["book"] if "book" in scopes else [])],
        "until": until,
    }
    return ask(actor, patient, clinic, CARER, wanted, on_paper=on_paper)


def ask_to_hand_over(
    actor: Actor, patient_id: UUID | str, *, email: str, on_paper: bool = False, clinic_id: UUID | None = None
) -> RecordRequest | None:
    """Hand the record over: at its own address by letter, and None is returned; for another the patient is asked.

    Raises NotFound, HasAccount, NoBirthDate, OwnAddress, NobodyToAsk and TooMany.
    """
    patient, clinic = care.at_desk(actor, patient_id, clinic_id)
    if emails.is_same(email, patient.email):
        inviting.hand_over(actor, patient.id, email=email)
        return None
    allow(patient.user_id is None, inviting.HasAccount)
    allow(patient.birth_date is not None, inviting.NoBirthDate)
    allow(not emails.is_same(email, actor.email), inviting.OwnAddress)
    return ask(actor, patient, clinic, HAND_OVER, {"email": email}, on_paper=on_paper)


def is_written_down(request: RecordRequest, email: str, *, verified: bool) -> bool:
    """Whether the clinic that wants to join its record has an account's address in it.

    Anybody can type another person's name, birth date and phone into a profile. Before such an account has shown that
    it is theirs it may not even learn which clinic they go to.
    """
    entered = request.entered
    return verified and entered is not None and bool(entered.email) and emails.is_same(email, entered.email)


def can_be_asked(patient: Patient) -> bool:
    """Whether there is an account or a contact, known already, at which the patient can be asked."""
    return bool(patient.user_id or patient.email or patient.phone) or care.has_governor(patient.id)


def still_stands(request_id: UUID) -> bool:
    """Whether what was allowed may still be done: a letter that follows from it is worth something."""
    found = session().get(RecordRequest, request_id, populate_existing=True)
    return found is not None and found.outcome == "accepted" and found.disputed_at is None


def decide(request: RecordRequest, actor: Actor, outcome: str, way: str | None) -> RecordRequest:
    """Write down how it ended: `outcome` is one of OUTCOMES, `way` one of WAYS or None."""
    request.decided_at, request.outcome, request.decided_way = clock.now(), outcome, way
    request.decided_by = actor.user_id
    session().flush()
    record(actor, f"record_request.{outcome}", request, kind=request.kind, way=way)
    return request


def end_open(actor: Actor, patient_id: UUID, *, but: UUID | None = None) -> None:
    """What was asked about a record before it changed hands is over, `but` this one."""
    about = or_(RecordRequest.patient_id == patient_id, RecordRequest.entered_id == patient_id)
    open_ones = select(RecordRequest).where(about, RecordRequest.decided_at.is_(None))
    for one in session().scalars(open_ones.with_for_update()):
        if one.id != but:
            decide(one, actor, "over", None)


def keep_before(request_id: UUID | None, before: dict[str, Any]) -> None:
    """Keep with a request what it changes, so that a dispute puts it back."""
    if request_id is not None:
        session().get_one(RecordRequest, request_id).before = before


def _is_told(actor: Actor, request: RecordRequest) -> bool:
    return request.kind != JOIN or is_written_down(request, actor.email, verified=actor.email_verified)


def _was_there(actor: Actor, request: RecordRequest) -> bool:
    """Whether the actor worked at the clinic before it asked."""
    held = select(Membership.id).where(
        Membership.user_id == actor.user_id,
        Membership.clinic_id == request.clinic_id,
        Membership.role.in_((STAFF, ADMIN)),
        Membership.ended_at.is_(None),
        Membership.created_at < request.created_at,
    )
    return session().scalar(held.limit(1)) is not None


def _listed(*which: ColumnElement[bool]) -> list[RecordRequest]:
    statement = select(RecordRequest).where(*which).options(*WHOLE)
    return list(session().scalars(statement.order_by(RecordRequest.created_at.desc(), RecordRequest.id)))


def _is_open() -> ColumnElement[bool]:
    return RecordRequest.decided_at.is_(None) & (RecordRequest.expires_at > clock.now())


def _of_my_clinics(actor: Actor) -> ColumnElement[bool]:
    return RecordRequest.clinic_id.in_(actor.clinics_as(STAFF, ADMIN, DOCTOR))


def plain(value: Any) -> Any:
    """As it is kept in `wanted` and `before`."""
    return value.isoformat() if isinstance(value, date) else value

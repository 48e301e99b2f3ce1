"""Invitations by e-mail: to act for a patient, or to take over a record that others have kept for one so far.

Nothing is pending in a table: the invitation is signed and travels in its letter, the events say when it was made and
whether it was withdrawn, and the care that comes of it has the invitation's own id, so it counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, true
from sqlalchemy.orm import aliased

from portal.core import clock, emails, limits, secrets
from portal.core.actor import ADMIN, STAFF, Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import Event, record, write_pending
from portal.core.policy import allow, as_id, find
from portal.core.text import lazy as _
from portal.domain.identity import acts_for
from portal.domain.identity.accounts import OwnAccount
from portal.domain.patients import care, family_letters, reach
from portal.domain.patients.models import Delegation, Patient

LASTS = timedelta(days=7)
PER_PERSON = "20 per day"
CARE, RECORD = "care", "record"  # to act for the patient; to take over the record


class HasAccount(Conflict):
    """The record belongs to an account."""

    code = "has_account"
    sentence = _("This person has an account of their own already.")


class NoBirthDate(Conflict):
    """Whoever takes a record over shows its birth date, so it has to be known."""

    code = "no_birth_date"
    sentence = _("Please enter the date of birth first. It is asked of whoever takes the record over.")


class AddressNotKnown(Conflict):
    """A clinic hands a record over at the address the record has, and at no other by itself."""

    code = "address_not_known"
    sentence = _(
        "This is not the e-mail address of the record. Ask the patient to allow it, or have a colleague confirm a "
        "signed paper."
    )


class OwnAddress(Conflict):
    """Handing a record over to oneself."""

    code = "own"
    sentence = _("This is your own address. Please write the address of the person themselves.")


@dataclass(frozen=True, slots=True)
class Invitation:
    """What somebody was asked. `patient` is loaded where it is looked at with its link."""

    id: UUID
    patient_id: UUID
    kind: str
    relation: str
    scopes: tuple[str, ...]
    until: date | None
    made_at: datetime
    granted_by: UUID | None = None
    clinic_id: UUID | None = None  # only that clinic's part
    request_id: UUID | None = None  # of a clinic, which the patient or two people of the clinic allowed
    patient: Patient | None = None
    asked_by: str = ""  # the clinic where it asked, else the person

    @property
    def ends_at(self) -> datetime:
        return self.made_at + LASTS


def grant(
    actor: Actor,
    *,
    email: str,
    relation: str = "other",
    scopes: Sequence[str],
    until: date | None = None,
    patient_id: UUID | None = None,
) -> Invitation:
    """Ask whoever reads this address to act for the patient (the actor when none is named); it counts once accepted.

    The answer is the same whether the address has an account. A carer gives nobody longer than they have themselves.
    Raises NotFound, Forbidden, Conflict for one's own address and TooMany.
    """
    patient = find(actor, Patient, patient_id or actor.patient_id)
    allow(care.may_govern(actor, patient))
    if emails.is_same(email, actor.email):
        raise OwnAccount(_("This is your own address."))
    until = _not_longer(actor, patient, care.until_when(patient, relation, until))
    return _send(actor, patient, CARE, email, relation=relation, scopes=tuple(scopes), until=until)


def hand_over(actor: Actor, patient_id: UUID | str, *, email: str) -> Invitation:
    """Ask the person whose record this is to take it into their own hands: by a carer with every scope, or the desk.

    The desk writes to the record's own address only; for another one the patient is asked (requests.ask_to_hand_over).
    Raises NotFound, Forbidden, HasAccount, NoBirthDate, OwnAddress, AddressNotKnown and TooMany.
    """
    patient = find(actor, Patient, patient_id)
    _may_hand_over(actor, patient)
    if emails.is_same(email, actor.email):
        raise OwnAddress
    allow(patient.birth_date is not None, NoBirthDate)
    if not care.may_govern(actor, patient):
        allow(emails.is_same(email, patient.email), AddressNotKnown)
    return _send(actor, patient, RECORD, email)


def may_hand_over(actor: Actor, patient: Patient) -> bool:
    return patient.user_id is None and (care.may_govern(actor, patient) or care.knows_at_desk(actor, patient))


def waiting(actor: Actor, patient: Patient) -> list[Invitation]:
    """The invitations of this patient that can still be accepted, the latest first.

    Whoever decides about the record gets all of them, a desk those of its own clinic.
    """
    if not (care.may_govern(actor, patient) or care.knows_at_desk(actor, patient)):
        return []
    write_pending()
    over = aliased(Event)
    done = exists().where(over.subject_type == "invitation", over.subject_id == Event.subject_id, over.id != Event.id)
    statement = select(Event).where(
        Event.patient_id == patient.id,
        Event.subject_type == "invitation",  # an invitation to book is told of by the same name
        Event.name == "invitation.sent",
        Event.created_at > clock.now() - LASTS,
        ~done,
    )
    if not care.may_govern(actor, patient):
        statement = statement.where(_from_my_desk(actor))
    return [from_event(event) for event in session().scalars(statement.order_by(Event.seq.desc()))]


def withdraw(actor: Actor, invitation_id: UUID | str) -> UUID:
    """The link stops working; returns whose invitation it was. Raises NotFound for one that is not the actor's."""
    write_pending()
    sent = session().scalars(_sent(as_id(invitation_id))).one_or_none() or refuse(NotFound)
    patient = find(actor, Patient, sent.patient_id)
    if not care.may_govern(actor, patient):
        ours = select(Event.id).where(Event.id == sent.id, _from_my_desk(actor))
        allow(care.knows_at_desk(actor, patient) and session().scalar(ours) is not None, NotFound)
    care.lock(patient.id)
    invitation = from_event(sent)
    if not is_over(invitation.id):
        record(actor, "invitation.withdrawn", invitation)
    return patient.id


def send_allowed(
    actor: Actor, patient: Patient, kind: str, email: str, *, request_id: UUID, granted_by: UUID, **about: Any
) -> Invitation:
    """Send what a clinic asked for and was allowed; the invitation, and the care it becomes, have the request's id."""
    made = Invitation(
        id=request_id, patient_id=patient.id, kind=kind, made_at=clock.now(), request_id=request_id,
        granted_by=granted_by, **{"relation": "other", "scopes": (), "until": None, **about},
    )  # fmt: skip
    return _post(actor, made, email)


def address_mark(email: str) -> str:
    """What a link tells of the address it was sent to: enough to compare."""
    return secrets.fingerprint(emails.normalise(email))[:32]


def _send(
    actor: Actor,
    patient: Patient,
    kind: str,
    email: str,
    *,
    relation: str = "other",
    scopes: tuple[str, ...] = (),
    until: date | None = None,
) -> Invitation:
    acts_for.admit(actor)
    limits.hit(PER_PERSON, "family", str(actor.user_id))
    made = Invitation(new_id(), patient.id, kind, relation, scopes, until, clock.now(), actor.user_id)
    return _post(actor, made, email)


def _post(actor: Actor, made: Invitation, email: str) -> Invitation:
    allow(session().get_one(Patient, made.patient_id).deceased_at is None, care.Deceased)
    until = made.until and made.until.isoformat()
    facts: dict[str, Any] = {"kind": made.kind, "relation": made.relation, "scopes": made.scopes, "until": until}
    record(actor, "invitation.sent", made, request_id=made.request_id, granted_by=made.granted_by, **facts)
    family_letters.send(made.id, _facts(made, email), email)
    return made


def _not_longer(actor: Actor, patient: Patient, until: date | None) -> date | None:
    if patient.id == actor.patient_id:
        return until
    own = (
        session()
        .scalars(
            select(Delegation).where(
                Delegation.patient_id == patient.id,
                Delegation.user_id == actor.user_id,
                Delegation.clinic_id.is_(None),
                reach.is_current(),
            )
        )
        .one()
    )
    return min(filter(None, (until, own.ends_on)), default=None)


def _may_hand_over(actor: Actor, patient: Patient) -> None:
    if patient.user_id is not None:
        raise HasAccount
    allow(may_hand_over(actor, patient))


def _from_my_desk(actor: Actor) -> ColumnElement[bool]:
    """In SQL: the actor sent it, or their clinic asked for it."""
    asked = Event.clinic_id.in_(actor.clinics_as(STAFF, ADMIN))
    return true() if actor.is_superadmin else or_(Event.actor_id == actor.user_id, asked)


def is_over(invitation_id: UUID) -> bool:
    """Whether it was accepted or withdrawn."""
    write_pending()
    over = select(Event.id).where(
        Event.subject_type == "invitation", Event.subject_id == invitation_id, Event.name != "invitation.sent"
    )
    return session().scalar(over.limit(1)) is not None


def _sent(invitation_id: UUID) -> Any:
    return select(Event).where(
        Event.subject_type == "invitation", Event.subject_id == invitation_id, Event.name == "invitation.sent"
    )


def _facts(made: Invitation, email: str) -> dict[str, Any]:
    return {
        "id": str(made.id),
        "kind": made.kind,
        "patient": str(made.patient_id),
        "relation": made.relation,
        "scopes": list(made.scopes),
        "until": made.until.isoformat() if made.until else None,
        "by": str(made.granted_by),
        "at": made.made_at.isoformat(),
        "to": address_mark(email),
        "clinic": str(made.clinic_id) if made.clinic_id else None,
        "request": str(made.request_id) if made.request_id else None,
    }


def from_event(event: Event) -> Invitation:
    """The invitation whose sending this event tells of."""
    facts = event.facts
    return Invitation(
        id=event.subject_id or refuse(NotFound),
        patient_id=event.patient_id or refuse(NotFound),
        kind=facts["kind"],
        relation=facts["relation"],
        scopes=tuple(facts["scopes"]),
        until=date.fromisoformat(facts["until"]) if facts.get("until") else None,
        made_at=event.created_at,
        granted_by=UUID(facts["granted_by"]) if facts.get("granted_by") else event.actor_id,
        clinic_id=event.clinic_id,
        request_id=UUID(facts["request_id"]) if facts.get("request_id") else None,
    )

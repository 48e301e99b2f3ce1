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

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.core import clock, emails, limits, secrets
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import Event, record, write_pending
from portal.core.policy import allow, as_id, find
from portal.core.tasks import later
from portal.core.text import lazy as _
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
    patient: Patient | None = None
    asked_by: str = ""

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

    Raises NotFound, Forbidden, Conflict for a record that has its own account, and TooMany.
    """
    patient = find(actor, Patient, patient_id)
    _may_hand_over(actor, patient)
    if emails.is_same(email, actor.email):
        raise OwnAddress
    return _send(actor, patient, RECORD, email)


def may_hand_over(actor: Actor, patient: Patient) -> bool:
    return patient.user_id is None and (care.may_govern(actor, patient) or care.knows_at_desk(actor, patient))


def waiting(actor: Actor, patient: Patient) -> list[Invitation]:
    """The invitations of this patient that can still be accepted, the latest first; for whoever decides about it."""
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
    return [_from_event(event) for event in session().scalars(statement.order_by(Event.seq.desc()))]


def withdraw(actor: Actor, invitation_id: UUID | str) -> UUID:
    """The link stops working; returns whose invitation it was. Raises NotFound for one that is not the actor's."""
    write_pending()
    sent = session().scalars(_sent(as_id(invitation_id))).one_or_none() or refuse(NotFound)
    patient = find(actor, Patient, sent.patient_id)
    allow(care.may_govern(actor, patient) or care.knows_at_desk(actor, patient), NotFound)
    care.lock(patient.id)
    invitation = _from_event(sent)
    if not is_over(invitation.id):
        record(actor, "invitation.withdrawn", invitation)
    return patient.id


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
    allow(actor.email_verified, sentence=_("Please confirm your e-mail address first."))
    limits.hit(PER_PERSON, "family", str(actor.user_id))
    made = Invitation(new_id(), patient.id, kind, relation, scopes, until, clock.now(), actor.user_id)
    facts: dict[str, Any] = {"kind": kind, "relation": relation, "scopes": scopes, "until": until and until.isoformat()}
    record(actor, "invitation.sent", made, **facts)
    later(family_letters.invite, made.id, _facts(made, email), email, key=f"invitation:{made.id}")
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
    }


def _from_event(event: Event) -> Invitation:
    facts = event.facts
    return Invitation(
        id=event.subject_id or refuse(NotFound),
        patient_id=event.patient_id or refuse(NotFound),
        kind=facts["kind"],
        relation=facts["relation"],
        scopes=tuple(facts["scopes"]),
        until=date.fromisoformat(facts["until"]) if facts.get("until") else None,
        made_at=event.created_at,
        granted_by=event.actor_id,
    )

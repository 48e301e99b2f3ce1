"""Accepting what an invitation asks: to act for a patient, or to take over one's own record."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import clock, limits, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Forbidden, Gone, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.clinics.models import Clinic
from portal.domain.identity import accounts, acts_for
from portal.domain.patients import care, joining, reach, requests, sent_invitations
from portal.domain.patients.family_letters import PURPOSE
from portal.domain.patients.inviting import LASTS, RECORD, Invitation, NoBirthDate, address_mark, is_over
from portal.domain.patients.models import Delegation, Patient
from portal.domain.patients.request_models import RecordJoin

TRIES = "10 per hour"


class NotYours(Forbidden):
    """The letter went to another address than the account's."""

    code = "another_address"
    sentence = _("This invitation was sent to another address. Please sign in with the account it was sent to.")


def look(actor: Actor, token: str) -> Invitation:
    """The invitation of this link with its patient, for whom it was sent to. Raises Gone, NotYours."""
    facts = secrets.unsign(PURPOSE, token, max_age=int(LASTS.total_seconds()))
    allow(actor.is_signed_in and facts["to"] == address_mark(actor.email), NotYours)
    invitation = _from_facts(facts)
    if invitation.ends_at <= clock.now() or is_over(invitation.id) or not _still_granted(invitation):
        raise Gone
    return invitation


def accept(actor: Actor, token: str, *, birth_date: date | None = None) -> Invitation:
    """Do what the invitation asks: act for the patient from now on, or take over the record, whose birth date is shown.

    Of two at once one wins. Raises Gone, NotYours, Conflict and, where the birth date is not the record's, Forbidden.
    """
    invitation = look(actor, token)
    patient = invitation.patient or refuse(Gone)
    acts_for.take(actor.user_id or refuse(NotYours))  # the account first, as whoever ends what acts for it does
    care.lock(patient.id)
    session().refresh(patient)
    allow(not is_over(invitation.id) and _still_granted(invitation), Gone)
    if invitation.kind == RECORD:
        _take_over(actor, patient, invitation, birth_date)
    else:
        care.begin(
            actor,
            patient,
            accounts.get(actor.user_id),
            relation=invitation.relation,
            scopes=invitation.scopes,
            until=invitation.until,
            key=invitation.id,
            granted_by=invitation.granted_by,
            clinic_id=invitation.clinic_id,
        )
    record(actor, "invitation.accepted", invitation)
    if invitation.kind == RECORD:
        sent_invitations.withdraw_for(actor, patient.id)
        acts_for.end_mine(actor, acts_for.TAKEN_OVER)
    return invitation


def _take_over(actor: Actor, patient: Patient, invitation: Invitation, birth_date: date | None) -> None:
    """The record becomes the account's own. Where the account has a profile already the two are joined: what it says
    stays, and what it leaves empty is filled from the record."""
    allow(patient.birth_date is not None, NoBirthDate)
    with limits.failures((TRIES, "family-record", str(patient.id))):
        if birth_date is None or birth_date != patient.birth_date:
            raise Forbidden(_("This is not the birth date of this record."), code="wrong_birth_date")
    allow(patient.user_id is None, Gone)
    allow(patient.deceased_at is None, care.Deceased)
    is_of_age = care.of_age_on(birth_date) <= care.today()
    requests.end_open(actor, patient.id, but=invitation.request_id)
    before: dict[str, Any] = {
        "email": patient.email,
        "language": patient.preferred_language,
        "taken_by": str(actor.user_id),
    }
    if actor.patient_id:
        joining.join(actor, actor.patient_id, patient.id, invitation.request_id, with_care=not is_of_age)
    else:
        before["care"] = _end_care(actor, patient) if is_of_age else []
        patient.user_id, patient.email = actor.user_id, actor.email
        patient.preferred_language = actor.locale
    requests.keep_before(invitation.request_id, before)
    session().flush()
    record(actor, "patient.taken_over", patient, patient_id=actor.patient_id or patient.id)


def _end_care(actor: Actor, patient: Patient) -> list[str]:
    """People of age decide for themselves; returns the ids of what ended."""
    open_ones = select(Delegation).where(Delegation.patient_id == patient.id, Delegation.ended_at.is_(None))
    ended = []
    for held in session().scalars(open_ones):
        held.ended_at = clock.now()
        ended.append(str(held.id))
        record(actor, "delegation.ended", held, user_id=held.user_id)
    return ended


def _still_granted(invitation: Invitation) -> bool:
    """Whether whoever asked could still ask it now: a carer whose care was ended gives it to nobody."""
    patient = invitation.patient
    if patient is None or invitation.granted_by is None or _joined_since(invitation, patient):
        return False
    if invitation.request_id is not None:  # of a clinic: it was allowed by the patient, or by two people on paper
        is_free = invitation.kind != RECORD or patient.user_id is None
        return is_free and requests.still_stands(invitation.request_id)
    if invitation.kind == RECORD and patient.user_id is not None:
        return False
    if invitation.kind == RECORD or patient.user_id == invitation.granted_by:
        return True
    held = select(Delegation.id).where(
        Delegation.patient_id == patient.id,
        Delegation.user_id == invitation.granted_by,
        Delegation.clinic_id.is_(None),  # who was named by a clinic for its part gives nothing on
        reach.is_current(),
    )
    return session().scalar(held) is not None


def _joined_since(invitation: Invitation, patient: Patient) -> bool:
    """Whether the record became part of another, or is more now than what was to be handed over."""
    if patient.merged_into_id is not None:
        return True
    more = select(RecordJoin.id).where(RecordJoin.kept_id == patient.id, RecordJoin.created_at >= invitation.made_at)
    return invitation.kind == RECORD and session().scalar(more.limit(1)) is not None


def _from_facts(facts: dict[str, Any]) -> Invitation:
    asked_by = UUID(facts["by"])
    clinic = session().get(Clinic, UUID(facts["clinic"])) if facts.get("clinic") else None
    return Invitation(
        id=UUID(facts["id"]),
        patient_id=UUID(facts["patient"]),
        kind=facts["kind"],
        relation=facts["relation"],
        scopes=tuple(facts["scopes"]),
        until=date.fromisoformat(facts["until"]) if facts["until"] else None,
        made_at=datetime.fromisoformat(facts["at"]),
        granted_by=asked_by,
        clinic_id=clinic.id if clinic else None,
        request_id=UUID(facts["request"]) if facts.get("request") else None,
        patient=session().get(Patient, UUID(facts["patient"])),
        asked_by=clinic.name if clinic else accounts.get(asked_by).name,
    )

"""A patient has died: nothing is sent about them any more, what acts for them ends, and a mistake can be undone.

Their visits, waits and invitations are further down: they follow the events `patient.died` and `patient.death_undone`
(subscriptions.py). Whoever sends asks `Patient.deceased_at`, whoever books for them is refused (care.of_clinic).
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import Base, session
from portal.core.errors import Conflict, Invalid
from portal.core.events import Event, record, write_pending
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.clinics.models import Membership
from portal.domain.identity import accounts
from portal.domain.identity.accounts import OwnAccount
from portal.domain.identity.models import User
from portal.domain.patients import desk, parting, requests, sent_invitations
from portal.domain.patients.models import Delegation, Patient


class WorksHere(Conflict):
    """The account is more than a patient's."""

    code = "works_here"
    sentence = _(
        "This person also works with the portal. Please ask the portal's administration to end that account first."
    )


class NotDeceased(Conflict):
    """There is nothing to undo."""

    code = "not_deceased"
    sentence = _("It is not written down that this person has died.")


def may_note(actor: Actor, patient: Patient) -> bool:
    """The front desk and the admins of a clinic that knows the patient, as for their contact."""
    return desk.may_change(actor, patient)


def note(actor: Actor, patient_id: UUID | str, *, died_on: date | None = None) -> Patient:
    """Write down that a patient has died: their account is shut, care of them and links end, nothing is asked any more.

    Said again, it only corrects the day. Raises NotFound, Forbidden, OwnAccount, WorksHere, and Invalid for a day that
    is to come or before the birth date.
    """
    patient = desk.get(actor, patient_id, lock=True)
    allow(may_note(actor, patient))
    _check(patient, died_on)
    account = session().get(User, patient.user_id) if patient.user_id else None
    if account is not None and account.is_active:
        allow(account.id != actor.user_id, OwnAccount)
        allow(not _works_here(account), WorksHere)
    if patient.deceased_at is not None:
        patient.deceased_on = died_on
        session().flush()
        return patient
    patient.deceased_at, patient.deceased_on = clock.now(), died_on
    session().flush()
    is_shut = account is not None and accounts.shut(actor, account)
    requests.end_open(actor, patient.id)
    sent_invitations.withdraw_for(actor, patient.id)
    ended = _end_care(actor, patient)
    record(actor, "patient.died", patient, patient_id=patient.id, account_shut=is_shut, care=ended)
    return patient


def undo(actor: Actor, patient_id: UUID | str) -> Patient:
    """It was a mistake: the account is open and care counts again, as far as it ended with it.

    Raises NotFound, Forbidden and NotDeceased. What was sent meanwhile is not sent later; waits have to be begun anew.
    """
    patient = desk.get(actor, patient_id, lock=True)
    allow(may_note(actor, patient))
    allow(patient.deceased_at is not None, NotDeceased)
    facts = _what_ended(patient)
    patient.deceased_at = patient.deceased_on = None
    session().flush()
    account = session().get(User, patient.user_id) if patient.user_id else None
    if account is not None and facts.get("account_shut"):
        accounts.open_again(actor, account)
    parting.open_care(patient, facts.get("care", []))
    record(actor, "patient.death_undone", patient, patient_id=patient.id)
    return patient


def _check(patient: Patient, died_on: date | None) -> None:
    if died_on is None:
        return
    if died_on > clock.today(clock.home()):
        raise Invalid(fields={"died_on": _("This day is still to come.")})
    if patient.birth_date and died_on < patient.birth_date:
        raise Invalid(fields={"died_on": _("This is before the date of birth.")})


def _works_here(account: User) -> bool:
    """Whether the account also works: doctors are described further down, so their table is found by its name."""
    held = select(Membership.id).where(Membership.user_id == account.id, Membership.ended_at.is_(None))
    doctors = Base.metadata.tables["doctors"]
    is_doctor = select(doctors.c.id).where(doctors.c.user_id == account.id)
    return account.is_superadmin or bool(session().scalar(select(held.exists() | is_doctor.exists())))


def _end_care(actor: Actor, patient: Patient) -> list[str]:
    """Nobody acts for them any more; returns the ids of what ended. The carers are not written to."""
    ended = []
    open_ones = select(Delegation).where(Delegation.patient_id == patient.id, Delegation.ended_at.is_(None))
    for held in session().scalars(open_ones.with_for_update()):
        held.ended_at = clock.now()
        ended.append(str(held.id))
        record(actor, "delegation.ended", held, user_id=held.user_id)
    session().flush()
    return ended


def _what_ended(patient: Patient) -> dict[str, Any]:
    write_pending()
    noted = select(Event).where(Event.name == "patient.died", Event.subject_id == patient.id)
    found = session().scalars(noted.order_by(Event.seq.desc()).limit(1)).one_or_none()
    return found.facts if found else {}

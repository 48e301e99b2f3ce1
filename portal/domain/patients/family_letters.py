"""The letter with which somebody is asked to act for a patient, or to take over a record. The link is made here."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from portal.core import secrets
from portal.core.db import session
from portal.core.tasks import Steps, later, task
from portal.domain.clinics.models import Clinic
from portal.domain.identity import accounts
from portal.domain.identity.models import User
from portal.domain.patients.models import Patient
from portal.gateways import mail

PURPOSE = "family"
LOCKED = "family-address"  # of what a task holds until its letter leaves


def send(invitation_id: UUID, facts: dict[str, Any], email: str) -> None:
    """Send the letter soon; the task holds the address encrypted."""
    locked = secrets.lock(LOCKED, email.encode(), invitation_id.bytes).hex()
    later(invite, invitation_id, facts, locked, key=f"invitation:{invitation_id}")


@task
def invite(invitation_id: str, facts: dict[str, Any], locked: str) -> Steps:
    """Ask the reader of this address, in their language when they have an account, else in the sender's."""
    email = secrets.unlock(LOCKED, bytes.fromhex(locked), UUID(invitation_id).bytes).decode()
    patient = session().get(Patient, UUID(facts["patient"]))
    sender, reader = accounts.get(UUID(facts["by"])), accounts.by_email(email)
    if patient is None or (reader and not reader.is_active):
        return
    about = {
        "kind": facts["kind"],
        "sender": _sender(sender, facts),
        "patient": patient.given_name,
        "is_own": patient.user_id == sender.id,
        "scopes": facts["scopes"],
        "until": date.fromisoformat(facts["until"]) if facts["until"] else None,
        "has_account": reader is not None,
        "token": secrets.sign(PURPOSE, facts),
    }
    name, locale = (reader.greeted_as, reader.locale) if reader else ("", sender.locale)
    letter = mail.write(email, name, "family_invitation", locale, f"invitation:{invitation_id}", **about)
    yield partial(mail.send, letter)


def _sender(user: User, facts: dict[str, Any]) -> str:
    """Who asks, as the reader knows them: the clinic, where it asked for it, else the person."""
    clinic = session().get(Clinic, UUID(facts["clinic"])) if facts.get("clinic") else None
    return clinic.name if clinic else user.name

"""Invitations that an account has sent and that can still be accepted: whoever accepts one acts for its patient."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.events import Event, record, write_pending
from portal.core.text import ngettext
from portal.domain.identity import acts_for
from portal.domain.identity.acts_for import Thing
from portal.domain.patients import care, inviting
from portal.domain.patients.inviting import LASTS, Invitation
from portal.domain.patients.models import Patient


def open_of(user_id: UUID) -> list[Invitation]:
    """What this account has asked others and nobody has answered, the latest first."""
    return _open(Event.actor_id == user_id)


def withdraw_for(actor: Actor, patient_id: UUID) -> int:
    """Every open invitation about a record stops working; returns how many. The record is locked by the caller."""
    return _withdraw(actor, _open(Event.patient_id == patient_id))


def _open(whose: object) -> list[Invitation]:
    write_pending()
    over = aliased(Event)
    done = exists().where(over.subject_type == "invitation", over.subject_id == Event.subject_id, over.id != Event.id)
    statement = select(Event).where(
        whose,  # type: ignore[arg-type]
        Event.subject_type == "invitation",
        Event.name == "invitation.sent",
        Event.created_at > clock.now() - LASTS,
        ~done,
    )
    return [inviting.from_event(event) for event in session().scalars(statement.order_by(Event.seq.desc()))]


def _withdraw(actor: Actor, invitations: list[Invitation]) -> int:
    for invitation in invitations:
        record(actor, "invitation.withdrawn", invitation)
    return len(invitations)


def _things(_actor: Actor, user_id: UUID) -> list[Thing]:
    found = open_of(user_id)
    about = select(Patient).where(Patient.id.in_({one.patient_id for one in found}))
    names = {one.id: one.name for one in session().scalars(about)} if found else {}
    return [
        Thing("invitation", one.id, names.get(one.patient_id, ""), one.made_at, expires_at=one.ends_at) for one in found
    ]


def _end(actor: Actor, user_id: UUID, _spare: UUID | None) -> int:
    """Withdraw them; one that is being accepted at this moment is waited for."""
    for patient_id in sorted({one.patient_id for one in open_of(user_id)}):
        care.lock(patient_id)
    return _withdraw(actor, open_of(user_id))


ACTS = acts_for.Kind(
    "invitation",
    frozenset(),
    _end,
    find=_things,
    end_one=inviting.withdraw,
    counted=lambda n: ngettext("%(n)s open invitation", "%(n)s open invitations", n),
)

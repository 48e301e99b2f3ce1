"""Invitations to work at a clinic: sent, sent again and withdrawn by its admins. They are answered in doctors/joining.

Nothing here looks at whether the address has an account, so no answer, list or delay can tell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from portal.core import clock, limits, secrets
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, Gone, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic, ClinicInvitation

LASTS = timedelta(days=7)
SHOWN = timedelta(days=30)  # so long the clinic sees that one was declined; later it is forgotten
PER_CLINIC = "200 per day"
PER_INVITATION = "5 per day"
PURPOSE = "clinic-invitation"


class AlreadyInvited(Conflict):
    """The same role waits for an answer already."""

    code = "already_invited"
    sentence = _("This address was asked already and has not answered yet. You can send the invitation again.")


class InvitationOver(Gone):
    """It was answered, withdrawn, or is too old."""

    code = "invitation_over"
    sentence = _("This invitation is over. Please ask the clinic to send it again.")


def send(actor: Actor, clinic: Clinic, **about: Any) -> ClinicInvitation:
    """Ask somebody to work at this clinic; `about` are the invitation's columns. It grants nothing before the yes.

    Whoever calls this has checked that the actor may. Raises AlreadyInvited and TooMany.
    """
    limits.hit(PER_CLINIC, "clinic-invitation", str(clinic.id))
    _end_lapsed(clinic.id)
    now = clock.now()
    row = {"sent_at": now, "expires_at": now + LASTS, "invited_by": actor.user_id, **about}
    made = (
        insert(ClinicInvitation)
        .values(id=new_id(), created_at=now, clinic_id=clinic.id, **row)
        .on_conflict_do_nothing()
        .returning(ClinicInvitation)
    )
    invitation = session().scalars(made).one_or_none() or refuse(AlreadyInvited)
    invitation.clinic = clinic
    record(actor, "clinic_invitation.sent", invitation, role=invitation.role, doctor_id=invitation.doctor_id)
    return invitation


def send_again(actor: Actor, key: UUID | str) -> ClinicInvitation:
    """Mail the invitation once more; it counts for seven days from now. Raises NotFound, InvitationOver, TooMany."""
    invitation = _administered(actor, key)
    allow(invitation.outcome is None, InvitationOver)
    limits.hit(PER_INVITATION, "clinic-invitation-again", str(invitation.id))
    invitation.sent_at = clock.now()
    invitation.expires_at = invitation.sent_at + LASTS
    invitation.invited_by = actor.user_id
    session().flush()
    record(actor, "clinic_invitation.sent", invitation, role=invitation.role, doctor_id=invitation.doctor_id)
    return invitation


def withdraw(actor: Actor, key: UUID | str) -> ClinicInvitation:
    """Take the invitation back: its link stops working. Raises NotFound, and InvitationOver once it was answered."""
    invitation = _administered(actor, key)
    allow(invitation.outcome not in {"accepted", "declined"}, InvitationOver)
    if invitation.outcome is None:
        end(actor, invitation, "withdrawn")
    return invitation


def of_clinic(actor: Actor, clinic_id: UUID) -> list[ClinicInvitation]:
    """The invitations of a clinic that have not been answered, and those declined lately, the latest first."""
    managing.at_hand(actor, clinic_id)
    declined = and_(ClinicInvitation.outcome == "declined", ClinicInvitation.ended_at > clock.now() - SHOWN)
    statement = select(ClinicInvitation).where(
        ClinicInvitation.clinic_id == clinic_id, or_(ClinicInvitation.ended_at.is_(None), declined)
    )
    return list(session().scalars(statement.order_by(ClinicInvitation.sent_at.desc(), ClinicInvitation.id)))


def of_doctor(actor: Actor, doctor_id: UUID) -> list[ClinicInvitation]:
    """What a doctor's profile was asked by the clinics the actor runs, and nobody has answered."""
    statement = (
        select(ClinicInvitation)
        .join(ClinicInvitation.clinic)
        .where(ClinicInvitation.doctor_id == doctor_id, ClinicInvitation.ended_at.is_(None))
        .where(managing.administered(actor))
        .options(joinedload(ClinicInvitation.clinic))
    )
    return list(session().scalars(statement.order_by(ClinicInvitation.sent_at)))


def get(actor: Actor, key: UUID | str) -> ClinicInvitation:
    """One invitation, for the admins of its clinic. Raises NotFound."""
    found = session().get(ClinicInvitation, as_id(key)) or refuse(NotFound)
    allow(actor.administers(found.clinic_id), NotFound)
    return found


def token_for(invitation: ClinicInvitation) -> str:
    """What the link in its letter ends with: signed, good as long as the invitation itself."""
    return secrets.sign(PURPOSE, str(invitation.id))


def by_token(token: str) -> ClinicInvitation:
    """The invitation of a link, with its clinic and who sent it. Raises InvitationOver."""
    try:
        key = UUID(str(secrets.unsign(PURPOSE, token)))
    except (Gone, ValueError):
        raise InvitationOver from None
    found = session().scalars(_whole().where(ClinicInvitation.id == key)).one_or_none()
    return found if found and found.is_waiting else refuse(InvitationOver)


def among(*which: Any) -> Sequence[ClinicInvitation]:
    """The invitations that wait for an answer and fulfil `which`, with clinic and sender, the latest first."""
    waiting = (ClinicInvitation.ended_at.is_(None), ClinicInvitation.expires_at > clock.now())
    return session().scalars(_whole().where(*waiting, *which).order_by(ClinicInvitation.sent_at.desc())).all()


def take(key: UUID) -> ClinicInvitation:
    """The invitation, taken for this transaction to be answered: of two answers at once the second finds it over.

    Raises InvitationOver.
    """
    statement = _whole().where(ClinicInvitation.id == key).with_for_update(of=ClinicInvitation)
    found = session().scalars(statement.execution_options(populate_existing=True)).one_or_none() or refuse(NotFound)
    allow(found.is_waiting, InvitationOver)
    return found


def end(actor: Actor, invitation: ClinicInvitation, outcome: str) -> None:
    """Write down how it ended: accepted, declined or withdrawn."""
    invitation.ended_at, invitation.outcome = clock.now(), outcome
    session().flush()
    record(actor, f"clinic_invitation.{outcome}", invitation, role=invitation.role, doctor_id=invitation.doctor_id)


def prune() -> None:
    """Forget addresses that were asked and never answered, and what was answered long ago."""
    long_ago = clock.now() - SHOWN
    session().query(ClinicInvitation).filter(
        or_(ClinicInvitation.ended_at < long_ago, ClinicInvitation.expires_at < long_ago)
    ).delete(synchronize_session=False)


def _administered(actor: Actor, key: UUID | str) -> ClinicInvitation:
    statement = select(ClinicInvitation).where(ClinicInvitation.id == as_id(key)).with_for_update()
    found = session().scalars(statement.execution_options(populate_existing=True)).one_or_none() or refuse(NotFound)
    allow(actor.administers(found.clinic_id), NotFound)
    return found


def _end_lapsed(clinic_id: UUID) -> None:
    """Make room for another of the same: what is too old is over, although nobody has said so."""
    lapsed = update(ClinicInvitation).where(
        ClinicInvitation.clinic_id == clinic_id,
        ClinicInvitation.ended_at.is_(None),
        ClinicInvitation.expires_at <= clock.now(),
    )
    session().execute(lapsed.values(ended_at=clock.now(), outcome="expired"))


def _whole() -> Select[ClinicInvitation]:
    return select(ClinicInvitation).options(joinedload(ClinicInvitation.clinic), joinedload(ClinicInvitation.inviter))

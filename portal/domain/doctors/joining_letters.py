"""The letter with which a clinic asks somebody to work there: the same for an address with and without an account."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core.actor import ADMIN
from portal.core.db import session
from portal.core.tasks import Steps, later, task
from portal.domain.clinics import invitations
from portal.domain.clinics.models import ClinicInvitation, Membership
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity import accounts
from portal.domain.identity.models import User
from portal.gateways import mail


@dataclass(frozen=True)
class Reader:
    """Who gets the letter: by a token when an address was asked, else for the doctor named or for themselves."""

    address: str
    locale: str
    key: str
    token: str = ""
    doctor: str = ""


@task
def sent(event_id: str, invitation_id: str) -> None:
    """Have an invitation mailed to everybody it goes to, each by a task of its own."""
    asked = _waiting(invitation_id)
    for reader in _addressees(asked) if asked else []:
        later(mail_to, event_id, invitation_id, reader.key, key=f"{event_id}:{reader.key}:mailed")


@task
def mail_to(event_id: str, invitation_id: str, key: str) -> Steps:
    """Mail an invitation that still waits; it greets nobody by name, since the clinic alone says who it is."""
    asked = _waiting(invitation_id)
    reader = next((one for one in _addressees(asked) if one.key == key), None) if asked else None
    if asked is None or reader is None:
        return
    about: dict[str, Any] = {
        "place": asked.clinic.name,
        "role": asked.role,
        "asker": asked.inviter.name if asked.inviter else "",
        "until": asked.expires_at,
        "zone": asked.clinic.time_zone,
        "token": reader.token,
        "doctor": reader.doctor,
    }
    key = f"clinic-invitation:{event_id}:{reader.key}"
    yield partial(mail.send, mail.write(reader.address, "", "invitation", reader.locale, key, **about))


def _waiting(invitation_id: str) -> ClinicInvitation | None:
    statement = select(ClinicInvitation).where(ClinicInvitation.id == UUID(invitation_id))
    whole = statement.options(joinedload(ClinicInvitation.clinic), joinedload(ClinicInvitation.inviter))
    asked = session().scalars(whole).one_or_none()
    return asked if asked and asked.is_waiting else None


def _addressees(asked: ClinicInvitation) -> list[Reader]:
    if asked.email:
        known = accounts.by_email(asked.email)
        if known and not known.is_active:
            return []
        locale = known.locale if known and known.is_verified else asked.locale
        return [Reader(asked.email, locale, "address", token=invitations.token_for(asked))]
    statement = select(Doctor).where(Doctor.id == asked.doctor_id).options(joinedload(Doctor.user))
    doctor = session().scalars(statement).one()
    readers = [doctor.user] if doctor.user else _keepers(doctor)
    name = "" if doctor.user else doctor.name
    return [Reader(str(one.email), one.locale, str(one.id), doctor=name) for one in readers if one.is_active]


def _keepers(doctor: Doctor) -> list[User]:
    """The admins of the clinics where a doctor without an account practises."""
    clinics = select(Practice.clinic_id).where(Practice.doctor_id == doctor.id, Practice.is_active)
    held = select(Membership.user_id).where(
        Membership.clinic_id.in_(clinics), Membership.role == ADMIN, Membership.ended_at.is_(None)
    )
    return list(session().scalars(select(User).where(User.id.in_(held)).order_by(User.id)))

"""Changes of what an admin verified in a doctor's profile: proposed in profiles.change, confirmed or refused here.

Until one is confirmed, the directory, letters, calendars and the API show what was verified.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.doctors import profiles
from portal.domain.doctors.models import Amendment, Doctor


class AmendmentOver(Conflict):
    """It was decided, taken back, or says something else by now."""

    code = "amendment_over"
    sentence = _("This change was decided or changed again in the meantime. Please look at the profile.")


def confirm(actor: Actor, key: UUID | str) -> Doctor:
    """An admin has seen the proof: the profile says the new from now on. Nobody confirms their own.

    A licence that was withdrawn stays so. Raises NotFound, Forbidden, OwnLicence, AmendmentOver, and Invalid when
    another doctor has the licence number by now.
    """
    doctor, amendment = _decided_by(actor, key)
    profiles.licence_is_free(amendment.licence_number, doctor.id)
    values = {name: getattr(amendment, name) for name in profiles.VOUCHED}
    _drop(doctor, amendment)
    changed = profiles.write_down(doctor, values, amendment.specialties)
    if doctor.licence_verified_at is not None:
        profiles.vouch(actor, doctor)
        session().flush()
    record(actor, "doctor.amendment_confirmed", doctor, fields=changed, proposed_by=amendment.proposed_by)
    return doctor


def reject(actor: Actor, key: UUID | str) -> Doctor:
    """The change is not right: the profile stays as it was verified, and the doctor sees that it was refused.

    Raises NotFound, Forbidden, OwnLicence and AmendmentOver.
    """
    doctor, amendment = _decided_by(actor, key)
    amendment.refused_at = clock.now()
    session().flush()
    record(actor, "doctor.amendment_refused", doctor, proposed_by=amendment.proposed_by)
    return doctor


def withdraw(actor: Actor, key: UUID | str) -> Doctor:
    """Take a change back, or put the note away that it was refused: by the doctor, or an admin. Raises NotFound."""
    doctor, amendment = _locked(actor, key)
    _drop(doctor, amendment)
    record(actor, "doctor.amendment_withdrawn", doctor)
    return doctor


def slug_of(actor: Actor, key: UUID | str) -> str:
    """Whose profile a change is about. Raises NotFound."""
    doctor_id = session().scalar(select(Amendment.doctor_id).where(Amendment.id == as_id(key))) or refuse(NotFound)
    return profiles.get(actor, doctor_id).slug


def _decided_by(actor: Actor, key: UUID | str) -> tuple[Doctor, Amendment]:
    doctor, amendment = _locked(actor, key)
    allow(profiles.may_administer(actor, doctor))
    profiles.not_ones_own(actor, doctor)
    allow(amendment.is_waiting, AmendmentOver)
    return doctor, amendment


def _locked(actor: Actor, key: UUID | str) -> tuple[Doctor, Amendment]:
    """The change with its doctor, both taken: whoever changes the profile goes before or after."""
    wanted = as_id(key)
    doctor_id = session().scalar(select(Amendment.doctor_id).where(Amendment.id == wanted)) or refuse(NotFound)
    doctor = profiles.get(actor, doctor_id, lock=True)
    amendment = doctor.amendment
    if amendment is None or amendment.id != wanted:
        raise AmendmentOver
    return doctor, amendment


def _drop(doctor: Doctor, amendment: Amendment) -> None:
    doctor.amendment = None
    session().delete(amendment)
    session().flush()

"""Why somebody comes, in their own words: changed by them until the visit begins."""

from __future__ import annotations

from uuid import UUID

from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.events import record
from portal.core.policy import allow
from portal.domain.scheduling import policy
from portal.domain.scheduling.models import Appointment
from portal.domain.scheduling.refusals import NotInThisState, StaleVersion


def change(actor: Actor, appointment_id: UUID, *, reason: str, version: int | None = None) -> Appointment:
    """Write down another reason, or none; the doctor reads the new one, and events tell only that it changed.

    For the patient and whoever books for them. The version stays: what the visit is does not change. Raises NotFound,
    Forbidden, StaleVersion, and NotInThisState once the visit has begun or is over.
    """
    appointment = authority.find(actor, Appointment, appointment_id, lock=True)
    allow(policy.is_own(actor, appointment))
    if version is not None and version != appointment.version:
        raise StaleVersion(version=appointment.version)
    allow(policy.can_change_reason(actor, appointment), NotInThisState)
    if appointment.reason != reason:
        appointment.reason = reason
        session().flush()
        record(actor, "appointment.reason_changed", appointment)
    return appointment

"""“Will you come?”: yes is kept with the visit, no cancels it."""

from __future__ import annotations

from uuid import UUID

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Gone
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.scheduling import appointments, booking, policy
from portal.domain.scheduling.models import UPCOMING, Appointment
from portal.domain.scheduling.refusals import StaleVersion


class VisitIsOver(Gone):
    code = "visit_over"
    sentence = _("This visit is over or was cancelled. Nothing needs to be answered any more.")


def look(actor: Actor, appointment_id: UUID, version: int) -> Appointment:
    """The visit the question is about; raises VisitIsOver, StaleVersion when it was moved since, NotFound."""
    visit = appointments.find(actor, appointment_id)
    _still_asked(visit, version)
    return visit


def promise(actor: Actor, appointment_id: UUID, *, version: int) -> Appointment:
    """The patient says that they will come. Saying it twice is once. Raises as look does, and Forbidden."""
    visit = authority.find(actor, Appointment, appointment_id, lock=True)
    allow(policy.is_own(actor, visit) or policy.may_manage(actor, visit))
    _still_asked(visit, version)
    if visit.promised_at is None:
        visit.promised_at = clock.now()
        session().flush()
        record(actor, "appointment.promised", visit, version=visit.version)
    return visit


def cannot_come(actor: Actor, appointment_id: UUID, *, version: int) -> Appointment:
    """The patient says that they will not come: the visit is cancelled. Raises as booking.cancel does: TooLate too."""
    visit = authority.find(actor, Appointment, appointment_id)
    _still_asked(visit, version)
    return booking.cancel(actor, appointment_id, code="no_time", version=version)


def _still_asked(visit: Appointment, version: int) -> None:
    allow(visit.status in UPCOMING and visit.starts_at > clock.now(), VisitIsOver)
    allow(visit.version == version, StaleVersion, _("This visit was moved since. Please use the newer message."))

"""The desk's call list: people no message reached, or who did not answer; nothing falls through silently."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.db import new_id, session
from portal.core.text import lazy as _
from portal.domain.scheduling.planning import CallItem

CODES = {
    "reminder_failed": _("No reminder reached the patient."),
    "change_unanswered": _("The patient has not answered about a changed visit."),
    "no_contact": _("There is no e-mail address and no phone for messages."),
    "message_failed": _("A message about a visit did not reach the patient."),
}


def ask(*, clinic_id: UUID, patient_id: UUID, code: str, key: str, appointment_id: UUID | None = None) -> None:
    """Put a call on the desk's list, once per `key`; `code` is one of CODES."""
    now = clock.now()
    session().execute(
        insert(CallItem)
        .values(
            id=new_id(),
            created_at=now,
            updated_at=now,
            clinic_id=clinic_id,
            patient_id=patient_id,
            appointment_id=appointment_id,
            code=code,
            key=key,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )

"""The desk's call list: people no message reached, or who did not answer; nothing falls through silently."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import ColumnElement

from portal.core import clock
from portal.core import policy as authority
from portal.core.actor import Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict
from portal.core.events import record
from portal.core.policy import allow
from portal.core.shapes import Shape, storable
from portal.core.tasks import task
from portal.core.text import lazy as _
from portal.domain.patients.models import Patient
from portal.domain.scheduling.models import UPCOMING, Appointment
from portal.domain.scheduling.planning import CallItem

DECEASED = "deceased"  # nobody is called: the desk decides about the visit
CODES = {
    "reminder_failed": _("No reminder reached the patient."),
    "change_unanswered": _("The patient has not answered about a changed visit."),
    "licence_withdrawn": _("The doctor’s licence was withdrawn. Say what becomes of the visit."),
    "no_contact": _("There is no e-mail address and no phone for messages."),
    "message_failed": _("A message about a visit did not reach the patient."),
    DECEASED: _("The patient has died. Please decide about this visit."),
}
OUTCOMES = {
    "reached": _("Reached"),
    "no_answer": _("No answer"),
    "not_needed": _("Not needed"),
}
SHOWN = 200
JUST_DONE = timedelta(hours=24)
_WITH = (
    joinedload(CallItem.patient),
    joinedload(CallItem.clinic),
    joinedload(CallItem.appointment).joinedload(Appointment.doctor),
)


class AlreadyCalled(Conflict):
    code = "already_called"
    sentence = _("Somebody has done this call in the meantime.")


class CallOutcome(Shape):
    """What came of a call, and what the next person should know."""

    outcome: Literal["reached", "no_answer", "not_needed"]
    note: Annotated[str, StringConstraints(max_length=500), AfterValidator(storable)] = ""


def ask(*, clinic_id: UUID, patient_id: UUID, code: str, key: str, appointment_id: UUID | None = None) -> None:
    """Put a call on the desk's list, once per `key`; `code` is one of CODES. Nobody calls a patient who has died."""
    if code != DECEASED and session().scalar(select(Patient.deceased_at).where(Patient.id == patient_id)):
        return
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


def waiting(actor: Actor) -> list[CallItem]:
    """The calls to make, the soonest visit first; at most SHOWN. A reminder too late to matter is left out."""
    statement = select(CallItem).outerjoin(Appointment, Appointment.id == CallItem.appointment_id)
    statement = statement.where(CallItem.visible(actor), *_still_to_make()).options(*_WITH)
    soonest = func.coalesce(Appointment.starts_at, CallItem.created_at)
    return list(session().scalars(statement.order_by(soonest, CallItem.id).limit(SHOWN)))


def waiting_count(actor: Actor) -> int:
    """How many calls are to be made."""
    statement = select(func.count()).select_from(CallItem)
    statement = statement.outerjoin(Appointment, Appointment.id == CallItem.appointment_id)
    return session().scalar(statement.where(CallItem.visible(actor), *_still_to_make())) or 0


def just_done(actor: Actor) -> list[CallItem]:
    """The calls done in the last day, the latest first; at most fifty."""
    since = clock.now() - JUST_DONE
    statement = select(CallItem).where(CallItem.visible(actor), CallItem.done_at > since).options(*_WITH)
    return list(session().scalars(statement.order_by(CallItem.done_at.desc()).limit(50)))


def close(actor: Actor, call_id: UUID, *, outcome: str, note: str = "") -> CallItem:
    """Say what came of a call: reached or not needed ends it, no answer leaves it to be tried again.

    Raises NotFound for another clinic's, AlreadyCalled when it was ended meanwhile.
    """
    item = authority.find(actor, CallItem, call_id, lock=True)
    allow(item.done_at is None, AlreadyCalled)
    item.outcome, item.note = outcome, note or item.note
    item.tries += outcome != "not_needed"
    if outcome != "no_answer":
        item.done_at, item.done_by = clock.now(), actor.user_id
    session().flush()
    record(actor, "call.made", item, outcome=outcome, tries=item.tries, code=item.code)
    return item


def reopen(actor: Actor, call_id: UUID) -> CallItem:
    """Put a call that was ended by mistake back on the list. Raises NotFound."""
    item = authority.find(actor, CallItem, call_id, lock=True)
    if item.done_at is not None:
        item.outcome, item.done_at, item.done_by = "", None, None
        session().flush()
        record(actor, "call.reopened", item, code=item.code)
    return item


def _still_to_make() -> list[ColumnElement[bool]]:
    is_of_use = (Appointment.status.in_(UPCOMING)) & (Appointment.starts_at > clock.now())
    of_visits = CallItem.code.in_(("reminder_failed", DECEASED))
    has_died = CallItem.patient_id.in_(select(Patient.id).where(Patient.deceased_at.is_not(None)))
    return [CallItem.done_at.is_(None), or_(~of_visits, is_of_use), or_(CallItem.code == DECEASED, ~has_died)]


@task
def after_death(event_id: str, patient_id: str) -> None:
    """Each visit to come of somebody who has died is put on its clinic's list, for the desk to decide."""
    whose = Appointment.patient_id == UUID(patient_id)
    ahead = select(Appointment).where(whose, Appointment.status.in_(UPCOMING), Appointment.starts_at > clock.now())
    for visit in session().scalars(ahead.order_by(Appointment.id)):
        ask(
            clinic_id=visit.clinic_id,
            patient_id=visit.patient_id,
            code=DECEASED,
            key=f"{DECEASED}:{visit.id}:{event_id}",
            appointment_id=visit.id,
        )


@task
def after_death_undone(event_id: str, patient_id: str) -> None:
    """It was a mistake: the visits are off the list, and stand as they stood."""
    open_ones = select(CallItem).where(CallItem.patient_id == UUID(patient_id), CallItem.code == DECEASED)
    for item in session().scalars(open_ones.where(CallItem.done_at.is_(None)).with_for_update()):
        item.outcome, item.done_at = "not_needed", clock.now()

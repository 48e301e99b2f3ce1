"""Undoing a join: what the ledger says was moved goes back, and what came after stays and is told.

Rows are found by the ids the ledger keeps, and only while they still stand with the record that was kept. What hangs on
a visit (a call to make, the time it takes) goes where the visit goes, although it was written after the join.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, func, or_, select, update

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import Base, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.patients import care
from portal.domain.patients.joining import places
from portal.domain.patients.models import Delegation, Patient
from portal.domain.patients.request_models import RecordJoin


class Undone(Conflict):
    """The join does not stand any more, or a later one has to be undone first."""

    code = "join_undone"
    sentence = _("This can no longer be undone here. A later joining has to be undone first.")


@dataclass(frozen=True, slots=True)
class Parted:
    """A join that was undone, and how many visits were booked since: they stay with the record that was kept."""

    join: RecordJoin
    visits_since: int


def part(actor: Actor, join_id: UUID) -> Parted:
    """Give the record that went back what was moved; whoever calls this has checked that the actor may.

    Raises NotFound, and Undone when it was undone before or either record was joined again since.
    """
    made = session().get(RecordJoin, join_id) or refuse(NotFound)
    for one in sorted((made.kept_id, made.gone_id)):
        care.lock(one)
    session().refresh(made)
    kept = session().get_one(Patient, made.kept_id, populate_existing=True)
    gone = session().get_one(Patient, made.gone_id, populate_existing=True)
    latest = select(RecordJoin.id).where(
        or_(RecordJoin.kept_id == kept.id, RecordJoin.gone_id == kept.id), RecordJoin.undone_at.is_(None)
    )
    last = session().scalar(latest.order_by(RecordJoin.created_at.desc(), RecordJoin.id.desc()).limit(1))
    allow(made.undone_at is None and gone.merged_into_id == kept.id and last == made.id, Undone)
    since = visits_since(made)
    for table, column in places():
        _give_back(table, column, made)
    pointed = [UUID(one) for one in made.moved.get("patients", ())]
    session().execute(update(Patient).where(Patient.id.in_(pointed)).values(merged_into_id=gone.id))
    born_before = kept.birth_date
    _empty_again(kept, gone, made)
    care.follow_age(actor, kept, born_before)
    gone.merged_into_id = None
    open_care(gone, made.ended)
    made.undone_at, made.undone_by = clock.now(), actor.user_id
    session().flush()
    session().expire_all()
    record(actor, "patient.parted", made, patient_id=made.kept_id, gone_id=made.gone_id, visits_since=since)
    return Parted(made, since)


def visits_since(made: RecordJoin) -> int:
    """How many visits of the kept record were booked after the join; an undo leaves them there."""
    visits = Base.metadata.tables["appointments"]
    later = visits.c.created_at > made.created_at
    return session().scalar(select(func.count()).where(visits.c.patient_id == made.kept_id, later)) or 0


def _give_back(table: Table, column: Column[Any], made: RecordJoin) -> None:
    mine: ColumnElement[bool] = table.c.id.in_([UUID(one) for one in made.moved.get(table.name, ())])
    if "appointment_id" in table.c:
        visits = [UUID(one) for one in made.moved.get("appointments", ())]
        mine = or_(mine, table.c.appointment_id.in_(visits))
    session().execute(update(table).where(column == made.kept_id, mine).values({column.name: made.gone_id}))


def _empty_again(kept: Patient, gone: Patient, made: RecordJoin) -> None:
    """What the kept record said before, where it still says what it was given."""
    for name, before in made.filled.items():
        given = getattr(gone, name)
        if getattr(kept, name) == given or (name == "email" and not kept.email and kept.user_id is None):
            is_day = name == "birth_date" and before
            setattr(kept, name, date.fromisoformat(before) if is_day else before)


def open_care(gone: Patient, ended: list[str]) -> None:
    """The care that ended with it counts again, unless the same person was let in anew or it would be over now."""
    for key in ended:
        held = session().get(Delegation, UUID(key))
        if held is None or held.patient_id != gone.id or (held.ends_on and held.ends_on < care.today()):
            continue
        again = select(Delegation.id).where(
            Delegation.patient_id == gone.id,
            Delegation.user_id == held.user_id,
            Delegation.clinic_id.is_not_distinct_from(held.clinic_id),
            Delegation.ended_at.is_(None),
        )
        if session().scalar(again.limit(1)) is None:
            held.ended_at = None
            session().flush()

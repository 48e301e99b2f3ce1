"""Joining two records of one person: everything about the one becomes the other's, and a ledger says what moved.

The tables are found, not listed: every column with a foreign key to patients.id, and those whose `info` says that they
may hold one. So a feature that is added later cannot be forgotten. Events are append-only and keep the earlier id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, and_, or_, select, true, update
from sqlalchemy.orm import aliased

from portal.core import clock, emails
from portal.core.actor import Actor
from portal.core.db import Base, session
from portal.core.errors import Conflict, NotFound, refuse
from portal.core.events import record
from portal.core.policy import allow
from portal.core.text import lazy as _
from portal.domain.patients import care
from portal.domain.patients.models import Delegation, Patient
from portal.domain.patients.request_models import RecordJoin, RecordRequest
from portal.domain.patients.requests import decide

STAYS = {"patients", "record_requests", "record_joins"}  # tell of the joining itself
ONCE = {  # where a patient may have one row for the same thing: what the kept record has already is not moved
    "registrations": ("clinic_id",),
    "favourites": ("doctor_id",),
    "delegations": ("user_id", "clinic_id"),
}
FILLED = ("birth_date", "sex", "phone", "email", "address", "city", "blood_group", "conditions", "emergency_contact")
_NOTHING: tuple[Any, ...] = (None, "", "unknown", [], {})


class BothBusy(Conflict):
    """One person cannot be at two visits at the same time."""

    code = "both_busy"
    sentence = _("Both records have a visit at the same time. Please cancel or move one of them first.")


class Joined(Conflict):
    """One of the two is part of another record already, or both have an account."""

    code = "joined_already"
    sentence = _("These two records cannot be joined any more. Please look again.")


def join(
    actor: Actor,
    kept_id: UUID,
    gone_id: UUID,
    request_id: UUID | None = None,
    *,
    clinic_id: UUID | None = None,
    with_care: bool = False,
    contact: Mapping[str, str] | None = None,
) -> RecordJoin:
    """Make everything about `gone_id` part of `kept_id`; whoever calls this has checked that the patient allows it.

    What the kept record says stays; only what it leaves empty is filled. Without an account it is reached afterwards
    where both were, and what was asked about either before is over. `clinic_id` is the clinic whose desk joins two
    records of its own, `contact` the phone and e-mail address they have afterwards, where that was decided before.
    `with_care`: who looks after the whole of the one that goes does so on, as of a child who takes over.

    Raises NotFound, Joined for a record that has an account or was joined before, Deceased and BothBusy.
    """
    for one in sorted((kept_id, gone_id)):
        care.lock(one)
    kept, gone = _fresh(kept_id), _fresh(gone_id)
    if kept_id == gone_id or gone.user_id or gone.merged_into_id or kept.merged_into_id:
        raise Joined
    allow(kept.deceased_at is None and gone.deceased_at is None, care.Deceased)
    _never_in_two_places(kept_id, gone_id)
    ended = _end_care(actor, kept, gone, with_care=with_care)
    _end_requests(actor, kept, gone, request_id)
    moved = {name: ids for name, ids in (_move(*place, kept_id, gone_id) for place in places()) if ids}
    made = RecordJoin(
        kept_id=kept_id,
        gone_id=gone_id,
        request_id=request_id,
        clinic_id=clinic_id,
        joined_by=actor.user_id,
        moved=moved,
        filled=_fill(actor, kept, gone, contact),
        ended=ended,
    )
    if kept.no_known_allergies and moved.get("allergies"):  # the other record knows better
        made.filled, kept.no_known_allergies = {**made.filled, "no_known_allergies": True}, False
    earlier = update(Patient).where(Patient.merged_into_id == gone_id).values(merged_into_id=kept_id)
    if pointed := [str(row_id) for row_id in session().scalars(earlier.returning(Patient.id))]:
        made.moved = {**moved, "patients": pointed}
    gone.merged_into_id = kept_id
    session().add(made)
    session().flush()
    session().expire_all()
    record(actor, "patient.joined", made, patient_id=kept_id, gone_id=gone_id)
    return made


def places() -> Iterator[tuple[Table, Column[Any]]]:
    """Every column in which a patient's id stands, but for those of the joining itself."""
    for table in Base.metadata.sorted_tables:
        if table.name in STAYS:
            continue
        for column in table.columns:
            if column.info.get("may_be") == "patients.id" or any(
                key.target_fullname == "patients.id" for key in column.foreign_keys
            ):
                yield table, column


def _fresh(patient_id: UUID) -> Patient:
    return session().get(Patient, patient_id, populate_existing=True) or refuse(NotFound)


def _move(table: Table, column: Column[Any], kept_id: UUID, gone_id: UUID) -> tuple[str, list[str]]:
    statement = update(table).where(column == gone_id).values({column.name: kept_id}).returning(table.c.id)
    if table.name in ONCE:
        other = aliased(table)
        same = [getattr(other.c, name).is_not_distinct_from(table.c[name]) for name in ONCE[table.name]]
        open_ones = [other.c.ended_at.is_(None), table.c.ended_at.is_(None)] if "ended_at" in table.c else []
        taken = select(other.c.id).where(other.c[column.name] == kept_id, *same, *open_ones)
        statement = statement.where(~taken.exists())
    return table.name, [str(row_id) for row_id in session().scalars(statement)]


def _fill(actor: Actor, kept: Patient, gone: Patient, contact: Mapping[str, str] | None) -> dict[str, Any]:
    """Take over what the kept record leaves empty; returns what was there before. A way to reach them is not taken
    over beside another: that is the patient's to say."""
    before: dict[str, Any] = {}
    for name, value in (contact or {}).items():
        if getattr(kept, name) != value:
            before[name] = getattr(kept, name)
            setattr(kept, name, value)
    reached = bool(kept.user_id or kept.phone or kept.email or contact)
    for name in FILLED:
        mine, theirs = getattr(kept, name), getattr(gone, name)
        if mine not in _NOTHING or theirs in _NOTHING or (reached and name in {"phone", "email"}):
            continue
        before[name] = mine
        setattr(kept, name, theirs)
    if (
        contact is None
        and kept.user_id is None
        and kept.email
        and "email" not in before
        and not emails.is_same(kept.email, gone.email)
    ):
        before["email"], kept.email = kept.email, ""  # nobody has shown that it is theirs who said yes
    care.follow_age(actor, kept, before.get("birth_date", kept.birth_date))
    return before


def _end_requests(actor: Actor, kept: Patient, gone: Patient, request_id: UUID | None) -> None:
    """What was sent before went to contacts that reach the joined record no more; an account's own requests stay."""
    whose = [gone.id] if kept.user_id else [gone.id, kept.id]
    before = select(RecordRequest).where(
        or_(RecordRequest.patient_id.in_(whose), RecordRequest.entered_id == gone.id),
        RecordRequest.decided_at.is_(None),
        RecordRequest.id != request_id if request_id else true(),
    )
    for one in session().scalars(before.with_for_update()):
        decide(one, actor, "over", None)


def _never_in_two_places(kept_id: UUID, gone_id: UUID) -> None:
    """Raises BothBusy when both are at a visit at the same time, before the exclusion constraint refuses it."""
    for table, column in places():
        if "during" not in table.c:
            continue
        one, other = aliased(table), aliased(table)
        both = select(one.c.id).where(
            one.c[column.name] == kept_id,
            other.c[column.name] == gone_id,
            and_(one.c.lane == other.c.lane, one.c.during.op("&&")(other.c.during)),
            or_(one.c.expires_at.is_(None), one.c.expires_at > clock.now()),
        )
        if session().scalar(both.limit(1)):
            raise BothBusy


def _end_care(actor: Actor, kept: Patient, gone: Patient, *, with_care: bool) -> list[str]:
    """Who looked after the whole of the record that goes does not come to look after the whole of the other one: that
    is for its patient to say. Only care of a clinic's part goes along, where the kept record has none of the kind.
    Returns the ids of what ended."""
    theirs = list(
        session().scalars(select(Delegation).where(Delegation.patient_id == gone.id, Delegation.ended_at.is_(None)))
    )
    same = select(Delegation.user_id, Delegation.clinic_id).where(
        Delegation.patient_id == kept.id, Delegation.ended_at.is_(None)
    )
    known = {tuple(row) for row in session().execute(same)}
    ended = []
    for held in theirs:
        stays_behind = held.clinic_id is None and not with_care
        if stays_behind or held.user_id == kept.user_id or (held.user_id, held.clinic_id) in known:
            held.ended_at = clock.now()
            ended.append(str(held.id))
            record(actor, "delegation.ended", held, user_id=held.user_id)
    session().flush()
    return ended

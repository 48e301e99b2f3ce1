"""What happened: an append-only record that is history, audit log and the cause of everything that follows.

Events are kept in memory until just before the commit and then written with their tasks in one statement, each with a
keyed digest of its own (portal.core.authentic). The database refuses to change or delete one: a trigger, and no
privilege of the application's role. The clock seals them in batches into a chain (portal.core.seals).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, String, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import authentic, clock, live, log, tasks
from portal.core.actor import Actor
from portal.core.db import Base, Identified, before_commit, new_id, session
from portal.core.prepared import Call, Prepared

_COLUMNS = """id, created_at, name, actor_id, patient_id, subject_type, subject_id, clinic_id, facts, door, address,
              correlation_id, key_id, mac"""
_WRITE = Prepared(  # events and the tasks they cause, in one statement
    "events_write",
    f"WITH caused AS ({tasks.INSERT}) INSERT INTO events ({_COLUMNS}) SELECT {_COLUMNS}"  # noqa: S608
    " FROM jsonb_populate_recordset(NULL::events, CAST(:rows AS jsonb))",
)
_subscribers: dict[str, tuple[Callable[..., Any], ...]] = {}


class Event(Base, Identified):
    """Something that happened: who did it, to what, for whom, by which door. Ids and field names only."""

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    name: Mapped[str] = mapped_column(String(80), index=True)
    actor_id: Mapped[UUID | None] = mapped_column(index=True)
    patient_id: Mapped[UUID | None]
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID | None]
    clinic_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    door: Mapped[str] = mapped_column(String(16))
    address: Mapped[str | None] = mapped_column(String(64))
    correlation_id: Mapped[str | None] = mapped_column(String(64))
    seal_id: Mapped[UUID | None]
    key_id: Mapped[str | None] = mapped_column(String(16))  # which secret `mac` was made with
    mac: Mapped[str | None] = mapped_column(String(64))  # null only in events older than digests

    __table_args__ = (
        CheckConstraint("mac IS NOT NULL AND key_id IS NOT NULL", name="authentic"),
        Index("ix_events_subject", "subject_type", "subject_id", "seq"),
        Index("ix_events_clinic", "clinic_id", "name"),
        Index("ix_events_patient", "patient_id", "seq"),
        Index("ix_events_unsealed", "seq", postgresql_where=text("seal_id IS NULL")),
        Index("ix_events_seal", "seal_id"),
    )


def subscribe(subscriptions: Mapping[str, tuple[Callable[..., Any], ...]]) -> None:
    """Say once, at start, which tasks each event causes."""
    _subscribers.clear()
    _subscribers.update(subscriptions)


def record(
    actor: Actor,
    name: str,
    subject: Any = None,
    *,
    patient_id: UUID | None = None,
    clinic_id: UUID | None = None,
    **facts: Any,
) -> UUID:
    """Write down that `actor` did `name` to `subject`, and queue what follows from it; kept with the transaction.

    `facts` are ids, codes and numbers, never health data or names. Returns the event's id. Each subscriber is called
    as a task with (event_id, subject_id). Whoever listens to a channel of the subject's `audience` is nudged.
    """
    event_id = new_id()
    event = {
        "id": event_id,
        "created_at": clock.now(),
        "name": name,
        "actor_id": actor.user_id,
        "patient_id": patient_id or getattr(subject, "patient_id", None),
        "subject_type": _noun(subject),
        "subject_id": getattr(subject, "id", None),
        "clinic_id": clinic_id or getattr(subject, "clinic_id", None),
        "facts": {key: _plain(value) for key, value in facts.items() if value is not None},
        "door": actor.door,
        "address": actor.address,
        "correlation_id": log.correlation_id(),
    }
    session().info.setdefault("events", []).append(event)
    before_commit(write_pending, "events")
    live.ring(getattr(subject, "audience", ()), name)
    for follow in _subscribers.get(name, ()):
        tasks.later(follow, event_id, event["subject_id"], key=f"{event_id}:{tasks.name_of(follow)}")
    return event_id


def write_pending() -> None:
    """Put what was recorded in this transaction into the database now."""
    if pending := take_pending():
        pending.run()


def take_pending() -> Call | None:
    """The writing of what was recorded so far, for whoever asks the database next (`Prepared.run`, `after`)."""
    events = session().info.pop("events", [])
    if not events:
        return None
    authentic.sign(events)
    return _WRITE({"rows": orjson.dumps(events).decode(), "tasks": orjson.dumps(tasks.take_pending()).decode()})


def history(subject: Any, limit: int = 50) -> list[Event]:
    """What happened to one thing, latest first."""
    return list(
        session().scalars(
            select(Event)
            .where(Event.subject_type == _noun(subject), Event.subject_id == subject.id)
            .order_by(Event.seq.desc())
            .limit(limit)
        )
    )


def _noun(subject: Any) -> str:
    return "" if subject is None else type(subject).__name__.lower()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    return str(value)

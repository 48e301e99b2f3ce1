"""What happened: an append-only record that is history, audit log and the cause of everything that follows.

Events are kept in memory until just before the commit and then written with their tasks in two statements. The
database refuses to change or delete one (a trigger, see the first migration). The clock seals them in batches into a
hash chain; `verify` walks it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Identity, Index, String, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock, live, log, tasks
from portal.core.actor import Actor
from portal.core.db import Base, Identified, before_commit, new_id, session
from portal.core.prepared import Call, Prepared
from portal.core.text import lazy as _

SEAL_AT_MOST = 5_000
_COLUMNS = """id, created_at, name, actor_id, patient_id, subject_type, subject_id, clinic_id, facts, door, address,
              correlation_id"""
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
    clinic_id: Mapped[UUID | None] = mapped_column(index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    door: Mapped[str] = mapped_column(String(16))
    address: Mapped[str | None] = mapped_column(String(64))
    correlation_id: Mapped[str | None] = mapped_column(String(64))
    seal_id: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_events_subject", "subject_type", "subject_id", "seq"),
        Index("ix_events_patient", "patient_id", "seq"),
        Index("ix_events_unsealed", "seq", postgresql_where=text("seal_id IS NULL")),
        Index("ix_events_seal", "seal_id"),
    )


class EventSeal(Base, Identified):
    """One link of the chain: how many events it closes over and the keyed digest of them and of the seal before."""

    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    count: Mapped[int]
    last_seq: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


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


def seal(key: bytes) -> int:
    """Close the chain over events not sealed yet, oldest first; returns how many. Safe to run twice at once."""
    here = session()
    here.execute(text("SELECT pg_advisory_xact_lock(hashtext('portal.events.seal'))"))
    # an event of a transaction still open is simply sealed next time, whatever its number
    events = here.scalars(select(Event).where(Event.seal_id.is_(None)).order_by(Event.seq).limit(SEAL_AT_MOST)).all()
    if not events:
        return 0
    last = here.scalar(select(EventSeal).order_by(EventSeal.number.desc()).limit(1))
    made = EventSeal(
        id=new_id(),
        number=last.number + 1 if last else 1,
        count=len(events),
        last_seq=events[-1].seq,
        digest=_digest(key, last.digest if last else "", events),
    )
    here.add(made)
    here.flush()
    here.execute(
        update(Event).where(Event.id.in_([event.id for event in events])).values(seal_id=made.id),
        execution_options={"synchronize_session": False},
    )
    return len(events)


def verify(key: bytes) -> Iterator[str]:
    """Walk the chain and yield a sentence for each thing that is not as it was sealed; nothing when all is well.

    Finds an edited, deleted, added or reordered event and a removed seal. Cutting off the newest seals together with
    their events is found by comparing the last digest with the one that was logged when it was made.
    """
    here = session()
    previous, expected = "", 1
    for seal_ in here.scalars(select(EventSeal).order_by(EventSeal.number)):
        if seal_.number != expected:
            yield str(_("Seal %(number)s is missing.", number=expected))
        events = here.scalars(select(Event).where(Event.seal_id == seal_.id).order_by(Event.seq)).all()
        if len(events) != seal_.count:
            yield str(
                _(
                    "Seal %(number)s closes over %(count)s events, %(found)s are there.",
                    number=seal_.number,
                    count=seal_.count,
                    found=len(events),
                )
            )
        elif not hmac.compare_digest(_digest(key, previous, events), seal_.digest):
            yield str(_("An event under seal %(number)s is not as it was written.", number=seal_.number))
        previous, expected = seal_.digest, seal_.number + 1
        here.expunge_all()
    known = select(EventSeal.id)
    orphans = here.scalar(select(func.count()).where(Event.seal_id.is_not(None), Event.seal_id.not_in(known)))
    if orphans:
        yield str(_("%(count)s events carry a seal that does not exist.", count=orphans))


def _digest(key: bytes, previous: str, events: Any) -> str:
    mac = hmac.new(key, previous.encode(), hashlib.sha256)
    for event in events:
        mac.update(_canonical(event))
    return mac.hexdigest()


def _canonical(event: Event) -> bytes:
    return json.dumps(
        [
            event.seq,
            str(event.id),
            event.created_at.timestamp(),
            event.name,
            str(event.actor_id),
            str(event.patient_id),
            event.subject_type,
            str(event.subject_id),
            str(event.clinic_id),
            event.facts,
            event.door,
            event.address,
            event.correlation_id,
        ],
        sort_keys=True,
        ensure_ascii=True,
    ).encode()


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

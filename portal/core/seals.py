"""Seals: the clock closes what happened since the last seal into a chain of keyed digests.

A seal covers its own number, moment and key, the seal before it, and each event with its number: so an edited, deleted,
added or reordered event is found (portal.core.chain). An event whose own digest does not hold is never sealed; it stays
open and is named. Only the function `seal_events` of the database makes a seal, with the next number and the events it
closes over, each once: the application's role may neither write one itself nor change an event.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Select, String, Text, cast, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import authentic, clock, secrets
from portal.core.authentic import Verdict
from portal.core.db import Base, Identified, new_id, session
from portal.core.events import Event

PURPOSE = "event-seal"
AT_MOST = 5_000  # events under one seal
PRESENT = 2  # 1: seals made before events carried a digest of their own

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('portal.events.seal'))")
_SEAL = text("SELECT seal_events(:id, :at, :number, :digest, :key_id, CAST(:members AS uuid[]))")


class EventSeal(Base, Identified):
    """One link of the chain: how many events it closes over and the keyed digest of them and of the seal before."""

    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    count: Mapped[int]
    last_seq: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str | None] = mapped_column(String(16))
    form: Mapped[int]

    @property
    def anchor(self) -> dict[str, Any]:
        """What is kept of it outside the database, to compare with later."""
        return {
            "number": self.number,
            "count": self.count,
            "last_seq": self.last_seq,
            "digest": self.digest,
            "key_id": self.key_id,
            "sealed_at": self.created_at.astimezone(UTC).isoformat(),
        }


@dataclass(frozen=True)
class Sealing:
    """The seal that was made, if there was anything to seal, and the events that were not sealed and why."""

    made: EventSeal | None
    refused: dict[UUID, Verdict]


class Link(NamedTuple):
    """What a seal's digest covers besides its events."""

    previous: str
    number: int
    sealed_at: datetime
    key_id: str


def seal() -> Sealing:
    """Close the chain over genuine events not sealed yet, oldest first. Safe to run twice at once."""
    here = session()
    here.execute(_ONE_AT_A_TIME)
    # an event of a transaction still open is simply sealed next time, whatever its number
    members, refused = _open()
    if not members:
        return Sealing(None, refused)
    last = latest()
    link = Link(last.digest if last else "", last.number + 1 if last else 1, clock.now(), secrets.key_id())
    made_id = new_id()
    told = {
        "id": made_id,
        "at": link.sealed_at,
        "number": link.number,
        "digest": digest(secrets.derived(PURPOSE), link, members),
        "key_id": link.key_id,
        "members": [str(event["id"]) for event in members],
    }
    here.execute(_SEAL, told)
    return Sealing(here.get_one(EventSeal, made_id), refused)


def latest() -> EventSeal | None:
    """The newest seal."""
    return session().scalars(select(EventSeal).order_by(EventSeal.number.desc()).limit(1)).one_or_none()


def refused() -> dict[UUID, Verdict]:
    """The events that wait for a seal in vain, and why."""
    return {event["id"]: verdict for event in unsealed() if (verdict := authentic.judge(event)) != "genuine"}


def unsealed() -> Iterator[Mapping[str, Any]]:
    """Every event that is not sealed, by number."""
    last = 0
    while page := rows(columns().where(Event.seal_id.is_(None), Event.seq > last).order_by(Event.seq).limit(AT_MOST)):
        yield from page
        last = page[-1]["seq"]


def columns() -> Select[Any]:
    """Events as rows to judge, their facts as JSON text: reading must not fail for what a forger has nested."""
    names = [*(name for name in authentic.COVERED if name != "facts"), "seq", "mac", "key_id"]
    return select(*(getattr(Event, name) for name in names), cast(Event.facts, Text).label("facts"))


def rows(statement: Select[Any]) -> Sequence[Mapping[str, Any]]:
    return [dict(row) for row in session().execute(statement).mappings()]


def digest(key: bytes, link: Link, members: Sequence[Mapping[str, Any]]) -> str:
    """The keyed digest of a seal over these events, in this order."""
    about = (link.previous, link.number, link.sealed_at.astimezone(UTC).isoformat(), link.key_id, len(members))
    mac = hmac.new(key, json.dumps(about).encode(), "sha256")
    for event in members:
        mac.update(f"\n{event['seq']} {event['id']} {event['mac']}".encode())
    return mac.hexdigest()


def _open() -> tuple[list[Mapping[str, Any]], dict[UUID, Verdict]]:
    genuine: list[Mapping[str, Any]] = []
    others: dict[UUID, Verdict] = {}
    for event in unsealed():
        verdict = authentic.judge(event)
        if verdict == "genuine":
            genuine.append(event)
        else:
            others[event["id"]] = verdict
        if len(genuine) == AT_MOST:
            break
    return genuine, others

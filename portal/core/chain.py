"""Checking the audit: everything in it that is not as it was written, a sentence each.

Found are: an event that was edited, deleted, moved, reordered or slipped in under a seal; an open one that the portal
did not write; a seal that was changed or removed, the newest ones too when an anchor (what was logged of a seal, kept
outside the database) is at hand. Between two seals, whoever may rewrite the tables can remove or renumber an open event
unseen, unless a task that it caused is left.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select, text

from portal.core import authentic, seals, secrets
from portal.core.db import session
from portal.core.events import Event
from portal.core.seals import EventSeal, Link
from portal.core.text import lazy as _
from portal.core.text import ngettext

_CAUSELESS = text(  # a task that follows from an event has its id in the key and as first argument
    r"""SELECT name, args->>0 AS event_id FROM tasks
         WHERE split_part(key, ':', 1) = args->>0 AND args->>0 ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
           AND split_part(key, ':', 2) = name
           AND NOT EXISTS (SELECT FROM events WHERE id = CAST(args->>0 AS uuid))
         ORDER BY created_at"""
)


class Anchor(NamedTuple):
    """What was kept of a seal outside the database."""

    number: int
    digest: str


def verify(anchors: Iterable[Anchor] = ()) -> Iterator[str]:
    """Yield a sentence for each thing that is not as it was written; nothing when all is well.

    Read the anchors before calling: a seal made meanwhile is then simply not compared.
    """
    yield from _seals()
    yield from _anchored(anchors)
    yield from _strays()
    for event_id, verdict in seals.refused().items():
        yield _unlike(event_id, verdict)
    for task in session().execute(_CAUSELESS):
        yield str(_("Event %(id)s caused the task %(task)s and is not there.", id=task.event_id, task=task.name))


def _seals() -> Iterator[str]:
    previous, expected = "", 1
    for made in session().scalars(select(EventSeal).order_by(EventSeal.number)).all():
        if made.number != expected:
            yield str(_("Seal %(number)s is missing.", number=expected))
        members = seals.rows(seals.columns().where(Event.seal_id == made.id).order_by(Event.seq))
        yield from _seal(made, previous, members)
        previous, expected = made.digest, made.number + 1


def _seal(made: EventSeal, previous: str, members: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for event in members if made.form > 1 else ():
        if (verdict := authentic.judge(event)) != "genuine":
            yield _unlike(event["id"], verdict)
    if len(members) != made.count:
        counts = {"number": made.number, "count": made.count, "found": len(members)}
        yield str(_("Seal %(number)s closes over %(count)s events, %(found)s are there.", **counts))
        return
    keys = _keys(made)
    if not keys:
        said = _("Seal %(number)s was made with another key (%(key)s); SECRET_KEY_PREVIOUS must name it to check it.",
                 number=made.number, key=made.key_id)  # fmt: skip
        yield str(said)
    elif not any(hmac.compare_digest(_digest(key, made, previous, members), made.digest) for key in keys):
        yield str(_("What stands under seal %(number)s, or its order, is not what was sealed.", number=made.number))


def _keys(made: EventSeal) -> list[bytes]:
    known = secrets.known(seals.PURPOSE)
    return list(known.values()) if made.key_id is None else [known[made.key_id]] if made.key_id in known else []


def _digest(key: bytes, made: EventSeal, previous: str, members: Sequence[Mapping[str, Any]]) -> str:
    if made.form == 1:
        return _first_form(key, previous, members)
    return seals.digest(key, Link(previous, made.number, made.created_at, made.key_id or ""), members)


def _first_form(key: bytes, previous: str, members: Sequence[Mapping[str, Any]]) -> str:
    """How seals were made before events carried a digest of their own: over all that is in them."""
    mac = hmac.new(key, previous.encode(), "sha256")
    for event in members:
        ids = ("actor_id", "patient_id", "subject_type", "subject_id", "clinic_id")
        values = [event["seq"], str(event["id"]), event["created_at"].timestamp(), event["name"]]
        values += [event[name] if name == "subject_type" else str(event[name]) for name in ids]
        values += [json.loads(event["facts"]), event["door"], event["address"], event["correlation_id"]]
        mac.update(json.dumps(values, sort_keys=True, ensure_ascii=True).encode())
    return mac.hexdigest()


def _anchored(anchors: Iterable[Anchor]) -> Iterator[str]:
    there = {made.number: made.digest for made in session().execute(select(EventSeal.number, EventSeal.digest))}
    newest = max(there, default=0)
    for number, digest in sorted(set(anchors)):
        if number > newest:
            yield str(_("Seal %(number)s was logged and is not there: the newest were cut off.", number=number))
        elif number in there and not hmac.compare_digest(there[number], digest):
            yield str(_("Seal %(number)s was logged with another digest.", number=number))


def _strays() -> Iterator[str]:
    known = select(EventSeal.id)
    count = session().scalar(select(func.count()).where(Event.seal_id.is_not(None), Event.seal_id.not_in(known)))
    if count:
        yield ngettext(
            "%(n)s event carries a seal that does not exist.",
            "%(n)s events carry a seal that does not exist.",
            count,
        )


def _unlike(event_id: Any, verdict: authentic.Verdict) -> str:
    if verdict == "another key":
        return str(_("Event %(id)s was written with another key; SECRET_KEY_PREVIOUS must name it to check it.",
                     id=event_id))  # fmt: skip
    return str(_("Event %(id)s was not written by the portal as it stands.", id=event_id))

"""Replies kept under a key the caller chose, so that a request sent twice is done once.

The row is written before the work and filled after it, in the work's own transaction: both are kept or neither is. A
second request with the same key waits at the unique index until the first is over. Keys belong to one account, live for
a day, and keep successes only: a refusal changed nothing, so asking again may be answered anew. What was answered is
kept encrypted, because a reply may tell a secret that is told once.
See https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from uuid import UUID

from sqlalchemy import String, Text, UniqueConstraint, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock, secrets
from portal.core.actor import Actor
from portal.core.db import Base, Identified, new_id, session
from portal.core.errors import Conflict, Gone, Invalid
from portal.core.text import lazy as _

LONGEST_KEY = 200
KEPT_FOR = timedelta(hours=24)
LONGEST_WAIT = "10s"
LOCK_NOT_AVAILABLE = "55P03"
_PURPOSE = "kept-reply"


class IdempotencyKey(Base, Identified):
    """One request that was done under a key, and the reply it got."""

    user_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(String(LONGEST_KEY))
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    headers: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    body: Mapped[str] = mapped_column(Text, default="")  # encrypted

    __table_args__ = (UniqueConstraint("user_id", "key"),)


class BadKey(Invalid):
    """The key is empty, too long or holds what no key should."""

    code = "idempotency_key_invalid"
    sentence = _("An Idempotency-Key has 1 to 200 visible characters; a random UUID is best.")


class Mismatch(Invalid):
    """The key was used for another request before."""

    code = "idempotency_mismatch"
    sentence = _("This Idempotency-Key was used for another request. Please use a new one for a new request.")


class StillRunning(Conflict):
    """The first request with this key is not over yet."""

    code = "idempotency_running"
    sentence = _("The first request with this Idempotency-Key is still being done. Please ask again in a moment.")


class Unreadable(Conflict):
    """The request was done, but the secret key of this installation is another one now."""

    code = "idempotency_unreadable"
    sentence = _("This was done before, but its answer can no longer be read. Please look at how it stands now.")


def check(key: str) -> None:
    """Raises BadKey for what no key can be."""
    if not 1 <= len(key) <= LONGEST_KEY or not all(33 <= ord(char) <= 126 for char in key):
        raise BadKey


def begin(actor: Actor, key: str, digest: str) -> IdempotencyKey:
    """The row of this key: with a status when the request was done before, without when it is to be done now.

    `digest` says what the request is. Raises BadKey, Mismatch, or StillRunning after ten seconds of waiting.
    """
    check(key)
    if _is_first(actor, key, digest):
        return _row(actor, key)
    row = _row(actor, key)
    if row.digest != digest:
        raise Mismatch
    return row


def keep(row: IdempotencyKey, status: int, headers: dict[str, str], body: str) -> None:
    """Keep the reply with the work."""
    locked = secrets.lock(_PURPOSE, body.encode(), _owner(row))
    row.status, row.headers, row.body = status, headers, base64.b64encode(locked).decode()
    session().flush()


def reply(row: IdempotencyKey) -> str:
    """The body that was kept; raises Unreadable."""
    try:
        return secrets.unlock(_PURPOSE, base64.b64decode(row.body), _owner(row)).decode()
    except (Gone, ValueError):
        raise Unreadable from None


def prune() -> None:
    """Forget keys that are a day old."""
    session().execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - KEPT_FOR))


def _owner(row: IdempotencyKey) -> bytes:
    """Nobody reads a reply out of another row."""
    return f"{row.user_id}:{row.key}".encode()


def _is_first(actor: Actor, key: str, digest: str) -> bool:
    """Take the key, or one a day old over; waits for whoever is taking it just now."""
    now = clock.now()
    row = {"id": new_id(), "created_at": now, "user_id": actor.user_id, "key": key, "digest": digest}
    row |= {"status": None, "headers": {}, "body": ""}
    taking = (
        insert(IdempotencyKey)
        .values(row)
        .on_conflict_do_update(
            index_elements=["user_id", "key"], set_=row, where=IdempotencyKey.created_at < now - KEPT_FOR
        )
        .returning(IdempotencyKey.id)
    )
    session().execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": LONGEST_WAIT})
    try:
        taken = session().execute(taking).one_or_none()
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) == LOCK_NOT_AVAILABLE:
            raise StillRunning from None
        raise
    session().execute(text("SELECT set_config('lock_timeout', '0', true)"))
    return taken is not None


def _row(actor: Actor, key: str) -> IdempotencyKey:
    wanted = select(IdempotencyKey).where(IdempotencyKey.user_id == actor.user_id, IdempotencyKey.key == key)
    return session().scalars(wanted.execution_options(populate_existing=True)).one()

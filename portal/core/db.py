"""The database handle, the base of every model, and who may end a transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Engine, MetaData, Uuid, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    SessionTransaction,
    declared_attr,
    mapped_column,
    registry,
)
from uuid6 import uuid7

from portal.core import clock

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table has a UUIDv7 id, so keys sort by age and tell nothing of how many there are."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: DateTime(timezone=True), UUID: Uuid()},
    )

    @declared_attr.directive
    def __tablename__(cls) -> str:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, 'id', '?')}>"


class Identified:
    """A row of its own: id and the moment it was made."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=lambda: new_id(), sort_order=-10)
    created_at: Mapped[datetime] = mapped_column(default=lambda: clock.now(), sort_order=-9)


class Changing(Identified):
    """A row that is edited: it also says when it was changed last."""

    updated_at: Mapped[datetime] = mapped_column(
        default=lambda: clock.now(), onupdate=lambda: clock.now(), sort_order=-8
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"autoflush": True})


# Of each connection, when it is made: times without a zone are UTC's, and statements that are prepared
# (portal.core.prepared) are planned once. A pooler refuses them as start-up options; in transaction mode it keeps the
# zone for whoever asked and gives the others to whom it likes, which harms nobody: all of its clients are ours.
SESSION = "SET TIME ZONE 'UTC'; SET plan_cache_mode = force_generic_plan; SET jit = off"


def set_sessions(engine: Engine) -> None:
    """Have each new connection of this engine begin with SESSION."""

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        connection.autocommit = True  # a setting made in a transaction goes when that is undone
        with connection.cursor() as cursor:
            cursor.execute(SESSION)
        connection.autocommit = False


def session() -> Session:
    """The session of this request or task."""
    return cast(Session, db.session())


def new_id() -> UUID:
    """A UUIDv7: unique, and later ones sort after earlier ones (RFC 9562)."""
    return UUID(bytes=uuid7().bytes)


def before_commit(work: Callable[[], None], name: str) -> None:
    """Do `work` once, just before this transaction is kept; `name` tells one piece of work from another."""
    session().info.setdefault("before_commit", {})[name] = work


def after_commit(work: Callable[[], None]) -> None:
    """Do `work` once this transaction is kept; nothing happens if it is undone."""
    session().info.setdefault("after_commit", []).append(work)


def keep() -> None:
    """Keep everything done so far. Only the owners of transactions call this: the request, the task, the CLI."""
    here = session()
    for work in list(here.info.pop("before_commit", {}).values()):
        work()
    here.commit()
    for work in here.info.pop("after_commit", []):
        work()


def undo() -> None:
    """Undo everything since the last keep. Only the owners of transactions call this."""
    here = session()
    here.info.pop("before_commit", None)
    here.info.pop("after_commit", None)
    for pending in ("events", "tasks", "nudges", "lazily"):
        here.info.pop(pending, None)
    here.rollback()


@contextmanager
def transaction() -> Iterator[Session]:
    """Returning keeps, raising undoes. For tasks and the CLI; a request has its own (portal.web.gate)."""
    try:
        yield session()
        keep()
    except BaseException:
        undo()
        raise


def no_transaction() -> None:
    """Go on only outside a transaction: a call to another machine may take long, and holds no row and no snapshot.

    Every gateway asks this first; raises RuntimeError, which is a fault of the caller (docs/decisions/0026).
    """
    try:
        is_open = db.session.registry.has() and session().in_transaction()
    except RuntimeError:  # no application context: no session either
        return
    if is_open:
        raise RuntimeError("a gateway was called inside a transaction: a task yields the call instead")


def was_deadlock(error: BaseException) -> bool:
    """Whether PostgreSQL gave up this transaction so that another could go on; it may be tried again whole."""
    code = getattr(getattr(error, "orig", None), "pgcode", None) if isinstance(error, DBAPIError) else None
    return code in {"40P01", "40001"}


def unavailable(error: BaseException) -> bool:
    """Whether the database could not be reached or went away in the middle."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "pgcode", None)
    refused = isinstance(error, OperationalError) and code is None  # no answer at all has no code
    return error.connection_invalidated or refused or (code or "").startswith(("08", "57P"))


def rows(statement: Any, **values: Any) -> list[Any]:
    """All rows of a Core statement."""
    return list(session().execute(statement, values or None).all())


def connection() -> Connection:
    """The connection of this transaction or savepoint, which begins now if it had not; kept, since asking costs."""
    here = session()
    kept: Connection | None = here.info.get("connection")
    if kept is None:
        kept = here.info["connection"] = here.connection()
    return kept


@event.listens_for(Session, "after_transaction_create")
@event.listens_for(Session, "after_transaction_end")
def _ask_again(here: Session, _transaction: SessionTransaction) -> None:
    here.info.pop("connection", None)  # to ask is what sends the savepoint


@event.listens_for(Session, "after_rollback")
def _forget(rolled_back: Session) -> None:
    rolled_back.info.pop("after_commit", None)

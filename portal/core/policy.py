"""The two verbs of authorization: may this actor do it, and does it exist for them at all."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Forbidden, NotFound, Refused, refuse

Model = TypeVar("Model", bound=Any)


def allow(yes: bool, otherwise: type[Refused] = Forbidden, sentence: Any = None, **facts: Any) -> None:
    """Go on if `yes`, else refuse."""
    if not yes:
        raise otherwise(sentence, **facts)


def find(actor: Actor, model: type[Model], key: UUID | str | None, *options: Any, lock: bool = False) -> Model:
    """The row of `model` with this id if `actor` may see it; raises NotFound otherwise, whichever it is.

    `model.visible(actor)` says in SQL what the actor may see, so lists and single looks share one rule.
    `lock` takes the row for this transaction and rereads it; others may write rows that refer to it meanwhile.
    """
    wanted = as_id(key)
    statement = select(model).where(model.id == wanted, model.visible(actor)).options(*options)
    if lock:
        statement = statement.with_for_update(of=model, key_share=True).execution_options(populate_existing=True)
    return session().scalars(statement).unique().one_or_none() or refuse(NotFound)


def as_id(key: UUID | str | None) -> UUID:
    """A UUID from what came in an address or a form; raises NotFound for anything else."""
    if isinstance(key, UUID):
        return key
    try:
        return UUID(str(key))
    except ValueError:
        raise NotFound from None

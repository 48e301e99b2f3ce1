"""Readable addresses that nobody else has."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core.db import session
from portal.core.names import slug

RESERVED = {"new", "edit", "invite"}  # words of addresses


def free_slug(model: Any, *parts: str | None, otherwise: str) -> str:
    """The first of name, name-2, name-3… that no row of `model` has; `otherwise` stands in for other scripts."""
    wanted = slug(*parts)[:70].strip("-") or otherwise
    taken = RESERVED | set(session().scalars(select(model.slug).where(model.slug.startswith(wanted, autoescape=True))))
    number = 1
    found = wanted
    while found in taken:
        number += 1
        found = f"{wanted}-{number}"
    return found


def is_id(key: UUID | str) -> bool:
    """Whether what came in an address is an id rather than a slug."""
    try:
        return isinstance(key, UUID) or bool(UUID(key))
    except ValueError:
        return False

"""Accounts from before addresses had one form: whose address is written otherwise, and which two are one."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, text

from portal.core.emails import normalise

# What may not be in its one form: capitals, spaces, anything beyond ASCII, a domain in Punycode or with a last dot.
ODD = "SELECT id, email::text AS email FROM users WHERE email::text ~ '[^!-@[-~]|xn--|[.]$'"


def twice(connection: Connection) -> Iterator[list[UUID]]:
    """The ids of accounts whose addresses are spellings of one, group by group."""
    same: dict[str, list[UUID]] = {}
    for row in connection.execute(text(ODD)):
        same.setdefault(normalise(row.email), []).append(row.id)
    plain = text("SELECT id, email::text AS email FROM users WHERE email = ANY(CAST(:all AS citext[]))")
    for row in connection.execute(plain, {"all": list(same)}):
        group = same[normalise(row.email)]
        if row.id not in group:
            group.append(row.id)
    return (ids for ids in same.values() if len(ids) > 1)

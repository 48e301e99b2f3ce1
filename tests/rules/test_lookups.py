"""What is looked up often has an index, and PostgreSQL uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Index, PrimaryKeyConstraint, Select, Table, UniqueConstraint, func, select, text, true
from sqlalchemy.dialects import postgresql

from portal.core.db import db, new_id, session
from portal.core.events import Event
from portal.core.tasks import Task
from portal.domain import audit
from portal.domain.waitlist.models import WaitlistOffer

# Foreign keys nothing is looked up by, or by other indexes that narrow it down: what they lead to is never deleted, or
# the table is small. An index would be written with each row.
NOT_LOOKED_UP = {
    "oauth_clients.service_user_id", "clinic_invitations.invited_by", "authorization_codes.user_id",
    "authorization_codes.family_id", "authorization_codes.client_id", "changes.practice_id", "holds.visit_type_id",
    "holds.practice_id", "holds.patient_id", "record_joins.request_id", "series.visit_type_id", "series.clinic_id",
    "series.practice_id", "appointments.visit_type_id", "booking_invitations.follow_up_of",
    "booking_invitations.clinic_id", "booking_invitations.visit_type_id", "waitlist_entries.practice_id",
    "waitlist_entries.appointment_id", "waitlist_entries.visit_type_id", "waitlist_offers.practice_id",
    # by an index over those that count: current, open, waiting
    "delegations.patient_id", "call_items.clinic_id", "waitlist_entries.clinic_id",
}  # fmt: skip
KEY = new_id()
ASKED: dict[str, Callable[[], Select[Any]]] = {
    "an entry's offers": lambda: select(WaitlistOffer).where(WaitlistOffer.entry_id == KEY),
    "how many tasks wait": lambda: select(func.count()).select_from(Task).where(Task.state == "waiting"),
    "how many tasks failed": lambda: select(func.count()).select_from(Task).where(Task.state == "failed"),
    "the names of events": lambda: audit._names(true()),
    "the names of a clinic's events": lambda: audit._names(Event.clinic_id.in_([KEY])),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_often_reads_an_index_and_not_the_table(database, asked):
    session().execute(text("SET LOCAL enable_seqscan = off"))  # the tables are small here
    plan = _plan(ASKED[asked]())
    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_every_foreign_key_has_an_index_or_is_not_looked_up_by():
    tables = db.metadata.sorted_tables
    without = {
        f"{table.name}.{key.parent.name}"
        for table in tables
        for key in table.foreign_keys
        if key.parent.name not in _led(table)
    }
    assert without == NOT_LOOKED_UP


def test_the_names_of_events_are_those_there_are(database, admin, el_djazair):
    seen = audit.names_used(admin.actor)
    session().flush()
    there = select(Event.name).where(Event.clinic_id == el_djazair.clinic_id).distinct().order_by(Event.name)
    assert seen == list(session().scalars(there))


def _led(table: Table) -> set[str]:
    """The columns some index of all rows begins with."""
    whole = [index for index in table.indexes if index.dialect_options["postgresql"].get("where") is None]
    first = [_first(index) for index in whole]
    keys = [one for one in table.constraints if isinstance(one, (UniqueConstraint, PrimaryKeyConstraint))]
    return {*first, *(next(iter(key.columns)).name for key in keys if len(key.columns))}


def _first(index: Index) -> str:
    return str(getattr(index.expressions[0], "name", index.expressions[0]))


def _plan(statement: Select[Any]) -> str:
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    return "\n".join(session().scalars(text(f"EXPLAIN {str(compiled).replace(':', chr(92) + ':')}")))

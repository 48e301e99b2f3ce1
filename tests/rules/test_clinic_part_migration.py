"""Carers who stand when desks are narrowed to their clinics: each keeps what whoever granted it could give."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, text

from portal.core import clock
from tests.rules.source import ROOT
from tests.rules.test_migrations import migrated

__all__ = ["migrated"]
MIGRATIONS = str(ROOT / "migrations")


class Filled:
    """Rows as they stood before, written without the models, which are of today."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.now = connection, clock.now() - timedelta(days=30)

    def add(self, table: str, **values: Any) -> UUID:
        values = {"id": uuid4(), "created_at": self.now, **values}
        columns = ", ".join(values)
        given = ", ".join(f":{name}" for name in values)
        self.connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({given})"), values)
        return values["id"]

    def user(self) -> UUID:
        name = uuid4().hex
        about = {"email": f"{name}@example.dz", "given_name": "A", "family_name": name, "locale": "en"}
        return self.add("users", **about, is_superadmin=False, updated_at=self.now)

    def patient(self, user_id: UUID | None = None) -> UUID:
        about = {
            "given_name": "A",
            "family_name": "B",
            "search_name": "a b",
            "sex": "unknown",
            "phone": "",
            "email": "",
        }
        about |= {"address": "", "city": "", "emergency_contact": "{}", "preferred_language": "en"}
        return self.add("patients", user_id=user_id, **about, updated_at=self.now)

    def clinic(self, age: int = 0) -> UUID:
        name = uuid4().hex
        about = {"name": name, "slug": name, "search_name": name, "address": "", "city": "", "region": ""}
        about |= {"postcode": "", "country": "DZ", "time_zone": "Africa/Algiers", "phone": "", "email": ""}
        return self.add("clinics", **_needed(self.connection, "clinics", about), created_at=self.now - timedelta(age))

    def clerk(self, *clinics: UUID, ended: bool = False) -> UUID:
        user = self.user()
        for clinic in clinics:
            about = {"role": "staff", "ended_at": self.now if ended else None}
            self.add("memberships", user_id=user, clinic_id=clinic, **about)
        return user

    def known_at(self, patient: UUID, *clinics: UUID) -> None:
        for clinic in clinics:
            self.add("registrations", patient_id=patient, clinic_id=clinic)

    def care(self, patient: UUID, user: UUID, by: UUID | None, *, days: int = 10, ended: int | None = None) -> UUID:
        """Begun so many days ago with every scope."""
        began, day = clock.now() - timedelta(days=days), timedelta(days=1)
        about = {"relation": "other", "scopes": ["view", "book", "profile"], "starts_on": began.date()}
        over = None if ended is None else clock.now() - ended * day
        about |= {"created_at": began, "updated_at": began, "granted_by": by, "ended_at": over}
        return self.add("delegations", patient_id=patient, user_id=user, **about)


def _needed(connection: Connection, table: str, about: dict[str, Any]) -> dict[str, Any]:
    """`about`, and something plain for every other column that has to be filled."""
    plain = {"boolean": True, "integer": 0, "smallint": 0, "double precision": 0.0, "jsonb": "{}", "ARRAY": []}
    columns = connection.execute(
        text("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :table"
             " AND is_nullable = 'NO' AND column_default IS NULL AND column_name NOT IN ('id', 'created_at')"),
        {"table": table},
    ).all()  # fmt: skip
    now = clock.now()
    filled = {name: plain.get(kind, now if kind.startswith("timestamp") else "") for name, kind in columns}
    return {name: about.get(name, value) for name, value in filled.items()}


@pytest.mark.filterwarnings("ignore")
def test_what_desks_had_granted_is_narrowed_and_the_rest_stays(migrated: Any) -> None:
    downgrade(directory=MIGRATIONS, revision=_before())
    with migrated.begin() as connection:
        rows = Filled(connection)
        old, new, elsewhere = rows.clinic(age=9), rows.clinic(age=1), rows.clinic(age=20)
        owner = rows.user()
        grown, child = rows.patient(owner), rows.patient()
        for patient in (grown, child):
            rows.known_at(patient, old, new)
        parent, friend, aunt, late = (rows.user() for _ in range(4))
        clerk, former, stranger = rows.clerk(new, old), rows.clerk(new, ended=True), rows.clerk(elsewhere)
        expected = {
            rows.care(grown, friend, owner): "whole",
            rows.care(child, parent, parent, days=20): "whole",
            rows.care(child, aunt, parent): "whole",
            rows.care(grown, aunt, clerk): old,
            rows.care(grown, parent, former): new,
            rows.care(grown, late, stranger): "ended",
            rows.care(grown, rows.user(), None): "ended",
            rows.care(grown, rows.user(), clerk, ended=1): "over",
        }
        named = rows.user()
        expected[rows.care(child, named, clerk, days=8, ended=2)] = "over"
        expected[rows.care(child, friend, named, days=5)] = old  # let in by whom a desk had named
        expected[rows.care(child, late, named, days=1)] = "ended"  # by whom nothing entitled then
    upgrade(directory=MIGRATIONS)
    with migrated.connect() as connection:
        found = connection.execute(text("SELECT id, clinic_id, scopes, ended_at FROM delegations")).all()
    assert {row.id: _told(row, expected[row.id]) for row in found} == expected


def _before() -> str:
    """The revision before desks were narrowed."""
    steps = ScriptDirectory(MIGRATIONS).walk_revisions()
    own = next(one for one in steps if one.path.endswith("_clinic_part_carers.py"))
    return str(own.down_revision)


def _told(row: Any, expected: Any) -> Any:
    if row.ended_at is not None:
        return "over" if expected == "over" else "ended"
    if row.clinic_id is None:
        return "whole" if row.scopes == ["view", "book", "profile"] else row.scopes
    return row.clinic_id if row.scopes == ["view", "book"] else row.scopes

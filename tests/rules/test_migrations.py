"""The migrations make exactly the tables the models describe, and can be taken back and done again."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from portal.core import chain, seals
from portal.core.actor import Actor
from portal.core.db import db, keep, new_id
from portal.core.events import record
from portal.domain.identity import spellings
from tests.engines import Ground
from tests.rules.source import ROOT

NORMALISES = "000000000004"  # the migration that gave addresses one form
SEALS = "000000000014"
CHECKS = {"compare_type": True, "compare_server_default": False}


@pytest.fixture
def migrated(app: Flask, ground: Ground, number: int) -> Iterator[Any]:
    """An engine on a migrated database of its own, which is also the application's as long as the test lasts."""
    name = f"migrations_{number}"
    engine = create_engine(ground.clone(name).replace("postgresql://", "postgresql+psycopg2://", 1))
    owner = create_engine(ground.owner_url_of(name).replace("postgresql://", "postgresql+psycopg2://", 1))
    logging.getLogger("flask_migrate").disabled = False  # the linter of imports, run by a test, disables every logger
    before, settings = db._app_engines[app][None], app.extensions["portal.settings"]
    db._app_engines[app][None] = engine
    app.extensions["portal.settings"] = settings.model_copy(update={"database_owner_url": ground.owner_url_of(name)})
    try:
        with app.app_context():
            yield owner
    finally:
        db._app_engines[app][None], app.extensions["portal.settings"] = before, settings
        owner.dispose()
        engine.dispose()
        ground.drop(name)


def differences(engine: Any) -> list[str]:
    with engine.connect() as connection:
        return [str(one) for one in compare_metadata(MigrationContext.configure(connection, opts=CHECKS), db.metadata)]


def shape(engine: Any) -> dict[str, Any]:
    """Everything about the tables that is worth comparing."""
    look = inspect(engine)
    return {
        table: {
            "columns": sorted(
                (column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(table)
            ),
            "indexes": sorted(str(index["name"]) for index in look.get_indexes(table)),
            "checks": sorted((str(one["name"]), one["sqltext"]) for one in look.get_check_constraints(table)),
            "keys": sorted(str(one["name"]) for one in look.get_foreign_keys(table)),
            "unique": sorted(str(one["name"]) for one in look.get_unique_constraints(table)),
        }
        for table in sorted(look.get_table_names())
    }


@pytest.mark.filterwarnings("ignore")
def test_the_migrations_make_what_the_models_say(migrated: Any) -> None:
    assert differences(migrated) == []


@pytest.mark.filterwarnings("ignore")
def test_check_constraints_are_the_models_own(migrated: Any) -> None:
    """Alembic compares no checks, so their names are compared here."""
    written = {table: {name for name, _ in about["checks"]} for table, about in shape(migrated).items()}
    meant = {
        table.name: {str(one.name) for one in table.constraints if type(one).__name__ == "CheckConstraint"}
        for table in db.metadata.tables.values()
    }
    assert {name: checks for name, checks in written.items() if name != "alembic_version"} == meant


@pytest.mark.filterwarnings("ignore")
def test_every_migration_can_be_taken_back_and_done_again(migrated: Any) -> None:
    before = shape(migrated)
    downgrade(directory=str(ROOT / "migrations"), revision="base")
    left = {table for table in inspect(migrated).get_table_names() if table != "alembic_version"}
    functions = """
        SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace JOIN pg_language l ON l.oid = prolang
         WHERE n.nspname = 'public' AND l.lanname = 'plpgsql'"""
    with migrated.connect() as connection:
        assert (left, connection.execute(text(functions)).scalars().all()) == (set(), [])
    upgrade(directory=str(ROOT / "migrations"))
    assert shape(migrated) == before


@pytest.mark.filterwarnings("ignore")
def test_accounts_of_one_address_in_two_spellings_stop_the_migration_and_others_are_rewritten(migrated: Any) -> None:
    def enter(email: str) -> None:
        values = "uuidv7(), now(), now(), :email, 'A', 'B', 'en', false"
        columns = "id, created_at, updated_at, email, given_name, family_name, locale, is_superadmin"
        with migrated.begin() as connection:
            connection.execute(text(f"INSERT INTO users ({columns}) VALUES ({values})"), {"email": email})

    def addresses() -> set[str]:
        with migrated.connect() as connection:
            return set(connection.scalars(text("SELECT email::text FROM users")))

    folder = str(ROOT / "migrations")
    normalising = ScriptDirectory(folder).get_revision(NORMALISES)
    downgrade(directory=folder, revision=str(normalising.down_revision))
    enter("Amina@Example.dz")
    enter("x@xn--bcher-kva.example")
    enter("ａmina@example.dz")
    with migrated.connect() as connection:
        assert [len(group) for group in spellings.twice(connection)] == [2]
    with pytest.raises(SystemExit):
        upgrade(directory=folder)
    with migrated.begin() as connection:
        connection.execute(text("DELETE FROM users WHERE email = 'ａmina@example.dz'"))
    upgrade(directory=folder)
    assert addresses() == {"amina@example.dz", "x@bücher.example"}
    with pytest.raises(IntegrityError):
        enter("AMINA2@example.dz")


@pytest.mark.filterwarnings("ignore")
def test_what_happened_before_events_were_authentic_is_sealed_by_the_migration(migrated: Any) -> None:
    folder = str(ROOT / "migrations")
    sealing = ScriptDirectory(folder).get_revision(SEALS)
    downgrade(directory=folder, revision=str(sealing.down_revision))
    old = """INSERT INTO events (id, created_at, name, actor_id, subject_type, facts, door)
             SELECT uuidv7(), now(), 'thing.done', uuidv7(), '', '{"n": 1.5, "é": ["x"]}', 'web'
               FROM generate_series(1, 3)"""
    with migrated.begin() as connection:
        connection.execute(text(old))
    upgrade(directory=folder)
    assert list(chain.verify()) == []
    with pytest.raises(IntegrityError, match="ck_events_authentic"), migrated.begin() as connection:
        connection.execute(text(old))
    record(Actor(), "thing.done")
    keep()
    assert seals.seal().made.number == 2  # type: ignore[union-attr]
    keep()
    assert list(chain.verify()) == []


@pytest.mark.filterwarnings("ignore")
def test_names_that_were_addresses_are_cleaned_and_nobody_is_lost(migrated: Any) -> None:
    where = str(ROOT / "migrations")
    downgrade(directory=where, revision="20261130_names")
    downgrade(directory=where, revision="-1")
    people = {"free@x.example": "http://evil.com/", "amina@x.example": "\u200fAmina\u202e", "none@x.example": "://"}
    sent = [{"email": email, "name": name} for email, name in people.items()]
    new = """INSERT INTO users (id, created_at, updated_at, email, given_name, family_name, locale, is_superadmin)
             VALUES (gen_random_uuid(), now(), now(), :email, :name, 'Saadi', 'en', false)"""
    with migrated.begin() as connection:
        connection.execute(text(new), sent)
    upgrade(directory=where)
    with migrated.begin() as connection:
        kept = dict(connection.execute(text("SELECT email, given_name FROM users")).tuples().all())
        connection.execute(text("DELETE FROM users"))
    assert kept == {"free@x.example": "http evil. com", "amina@x.example": "Amina", "none@x.example": "-"}


def test_there_is_one_line_of_migrations() -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    assert len(script.get_heads()) == 1 and len(script.get_bases()) == 1
    assert all(one.doc for one in script.walk_revisions())


def test_a_missing_column_would_be_found(migrated: Any) -> None:
    with migrated.begin() as connection:
        connection.execute(text("ALTER TABLE clinics DROP COLUMN postcode"))
    assert any("postcode" in one for one in differences(migrated))


def test_ids_made_by_a_database_before_version_18_are_of_version_7_and_sort_with_ours(migrated: Any) -> None:
    house = ScriptDirectory(str(ROOT / "migrations")).get_revision("000000000001").module
    ours = house.UUIDV7.replace("pg_catalog.uuidv7()", "pg_catalog.nowhere()")
    with migrated.connect() as connection:  # never committed
        if connection.execute(text("SELECT to_regproc('public.uuidv7') IS NULL")).scalar_one():
            connection.execute(text(ours))  # before 18 the migration has made it
        early = new_id()
        time.sleep(0.002)
        (made,) = connection.execute(text("SELECT public.uuidv7()")).one()
        time.sleep(0.002)
        assert early < made < new_id()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)

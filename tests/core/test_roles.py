"""The application's role in the database owns nothing, and changes nothing of what happened."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from portal.core import chain, roles, seals, secrets
from portal.core.actor import Actor
from portal.core.db import keep, new_id, session
from portal.core.events import record
from portal.domain import upkeep
from tests.pooler import UNPOOLED

SOMEBODY = Actor(user_id=new_id(), door="web", address="192.0.2.7")
REFUSED = {
    "change": "UPDATE {t} SET id = id",
    "seal": "UPDATE events SET seal_id = NULL",
    "delete": "DELETE FROM {t}",
    "empty": "TRUNCATE {t}",
    "lock rows": "SELECT * FROM {t} FOR UPDATE",
    "switch the triggers off": "ALTER TABLE {t} DISABLE TRIGGER ALL",
    "replicate": "SET session_replication_role = replica",
    "drop": "DROP TABLE {t} CASCADE",
    "drop the trigger": "DROP TRIGGER events_are_kept ON events",
    "add a trigger": "CREATE TRIGGER mine BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION events_are_kept()",
    "rename": "ALTER TABLE {t} RENAME TO other",
    "add a rule": "CREATE RULE mine AS ON INSERT TO {t} DO INSTEAD NOTHING",
    "take the table": "ALTER TABLE {t} OWNER TO CURRENT_USER",
    "change the function": "CREATE OR REPLACE FUNCTION events_are_kept() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RETURN NEW; END'",
    "change the sealing": "CREATE OR REPLACE FUNCTION seal_events(uuid, timestamptz, bigint, text, text, uuid[])"
    " RETURNS void LANGUAGE sql AS ''",
    "shadow": "CREATE FUNCTION public.hashtext(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a schema": "CREATE SCHEMA mine",
    "copy in": "COPY {t} FROM STDIN",
    "copy from a file": "COPY {t} FROM '/etc/passwd'",
    "copy by a program": "COPY {t} FROM PROGRAM 'true'",
    "copy to a program": "COPY {t} TO PROGRAM 'true'",
    "be the owner": "SET ROLE portal",
    "be a superuser": "SET SESSION AUTHORIZATION postgres",
    "give oneself more": "GRANT ALL ON {t} TO CURRENT_USER; UPDATE {t} SET id = id",
    "give a number by hand": "INSERT INTO events (id, created_at, seq, name, subject_type, facts, door, key_id, mac)"
    " OVERRIDING SYSTEM VALUE VALUES (gen_random_uuid(), now(), 1, 'x', '', '{{}}', 'web', '0', '0')",
    "slip in under a seal": "INSERT INTO events (id, created_at, name, subject_type, facts, door, key_id, mac, seal_id)"
    " VALUES (gen_random_uuid(), now(), 'x', '', '{{}}', 'web', '0', '0', gen_random_uuid())",
    "write a seal": "INSERT INTO event_seals SELECT gen_random_uuid(), now(), 9, 1, 1, repeat('0', 64), '0', 2",
    "set the numbers back": "SELECT setval('events_seq_seq', 1)",
    "another migration": "UPDATE alembic_version SET version_num = '0'",
}
FORGED = """INSERT INTO events (id, created_at, name, subject_type, facts, door, key_id, mac)
            VALUES (gen_random_uuid(), now(), 'thing.invented', '', '{}', 'web', :key, repeat('0', 64))"""


@pytest.fixture
def sealed(committed):
    """Three seals over an event each."""
    for number in range(3):
        record(SOMEBODY, "thing.done", number=number)
        keep()
        seals.seal()
        keep()


@UNPOOLED
def test_the_applications_role_changes_nothing_of_what_happened(sealed, ground, number):
    keep()  # holds no lock any more
    connection = psycopg2.connect(ground.url_of(f"committed_{number}"), options="-c lock_timeout=5s")
    connection.autocommit = True
    done = []
    for what, statement in REFUSED.items():
        for table in ("events", "event_seals"):
            try:
                with connection.cursor() as cursor, Path("/dev/null").open() as nothing:
                    ask = cursor.copy_expert if "STDIN" in statement else cursor.execute
                    ask(statement.format(t=table), nothing if "STDIN" in statement else None)
            except psycopg2.errors.InsufficientPrivilege:
                continue
            except psycopg2.Error as other:
                done.append((what, table, str(other)))
            else:
                done.append((what, table))
    connection.close()
    assert done == []
    assert list(chain.verify()) == []


def test_the_database_seals_in_order_and_each_event_once(sealed):
    record(SOMEBODY, "thing.done")
    keep()
    is_open = "(SELECT array_agg(id) FROM events WHERE seal_id IS NULL)"
    is_sealed = "(SELECT array_agg(id) FROM events WHERE seq = 1)"
    for number, members in (
        (9, is_open),
        (3, is_open),
        (4, is_sealed),
        (4, "ARRAY[]::uuid[]"),
        (4, f"{is_open} || {is_open}"),
    ):
        with pytest.raises(DBAPIError), session().begin_nested():
            session().execute(text(f"SELECT seal_events(gen_random_uuid(), now(), {number}, 'x', 'x', {members})"))


def test_a_seal_that_somebody_else_had_made_is_found(committed):
    session().execute(text(FORGED), {"key": secrets.key_id()})
    session().execute(
        text(
            "SELECT seal_events(gen_random_uuid(), now(), 1, repeat('0', 64), :key, (SELECT array_agg(id) FROM events))"
        ),
        {"key": secrets.key_id()},
    )
    assert len(list(chain.verify())) == 2


def test_what_is_old_may_still_be_tidied_away_but_events(sealed):
    for tidy in (
        upkeep.prune_occupancy,
        upkeep.forget_old_tasks,
        upkeep.forget_old_sessions,
        upkeep.forget_old_replies,
    ):
        tidy()
    keep()
    assert list(chain.verify()) == []


def test_the_checkup_says_what_a_role_may_that_it_should_not(app, ground, number, database):
    assert roles.too_mighty(session().connection()) == ""
    for url, said in (
        (ground.owner_url_of(f"tests_{number}"), "portal owns tables, or may act as their owner"),
        (ground.admin_url, "postgres is a superuser"),
    ):
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://", 1))
        with engine.connect() as connection:
            assert roles.too_mighty(connection) == said
        engine.dispose()

"""Prepared statements: rows, errors and snapshots as everywhere else, in the session's own transaction."""

from __future__ import annotations

import threading
import time

import pytest
from psycopg2.extras import NamedTupleCursor
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from portal.core import db
from portal.core.db import keep, session, transaction, undo
from portal.core.prepared import Prepared
from portal.domain.identity.models import User
from tests.builders import make_user
from tests.pooler import UNPOOLED

COUNT = Prepared("test_count", "SELECT count(*) AS n FROM users WHERE given_name = :name")
WAIT = Prepared("test_wait", "SELECT pg_advisory_xact_lock(CAST(:key AS bigint))")
SAME = Prepared("test_same", "INSERT INTO users SELECT * FROM users WHERE id = CAST(:id AS uuid)")
BROKEN = Prepared("test_broken", "SELECT 1 / CAST(:by AS int)")


@pytest.mark.usefixtures("where")
def test_its_rows_have_names_and_what_was_changed_before_is_seen():
    make_user(given_name="Lina")
    assert COUNT.first({"name": "Lina"}).n == 1
    someone = session().scalars(select(User).where(User.given_name == "Lina")).one()
    someone.given_name = "Sara"  # not flushed by anybody else
    assert [row.n for row in COUNT.run({"name": "Sara"})] == [1]


@pytest.mark.usefixtures("where")
def test_a_value_that_is_missing_is_told():
    with pytest.raises(KeyError):
        COUNT.run({})


@UNPOOLED
@pytest.mark.usefixtures("where")
def test_it_is_planned_once_a_connection(statements):
    COUNT.run({"name": "x"})
    with statements() as count:
        COUNT.run({"name": "y"})
    assert count() == 1
    about = text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'portal_test_count_%'")
    assert session().scalar(about) == 1


@pytest.mark.usefixtures("where")
def test_an_error_is_what_it_is_everywhere_else():
    person = make_user()
    with pytest.raises(IntegrityError) as no, session().begin_nested():
        SAME.run({"id": str(person.id)})
    assert no.value.orig.diag.constraint_name == "pk_users"
    with pytest.raises(DBAPIError), session().begin_nested():
        BROKEN.run({"by": 0})
    assert COUNT.first({"name": person.given_name}).n >= 1  # the transaction goes on after its savepoint


def test_whoever_is_stopped_in_the_middle_leaves_no_such_connection_to_the_next(committed, monkeypatch):
    def stopped(*_):
        raise SystemExit

    before = COUNT.first({"name": "x"})
    pid = session().scalar(text("SELECT pg_backend_pid()"))
    with monkeypatch.context() as patch:
        patch.setattr(NamedTupleCursor, "execute", stopped)
        with pytest.raises(SystemExit):
            COUNT.run({"name": "x"})
    undo()
    assert session().scalar(text("SELECT pg_backend_pid()")) != pid
    assert COUNT.first({"name": "x"}) == before


def test_it_runs_in_the_transaction_of_the_session(committed):
    make_user(given_name="Lina")
    assert COUNT.first({"name": "Lina"}).n == 1
    undo()
    assert COUNT.first({"name": "Lina"}).n == 0
    make_user(given_name="Lina")
    keep()
    first = db.connection()
    assert COUNT.first({"name": "Lina"}).n == 1
    with session().begin_nested():
        assert db.connection() is first
    keep()
    assert db.connection() is session().connection()


def test_what_was_committed_while_the_first_waited_is_seen_by_the_second(committed):
    locked, go_on, found = threading.Event(), threading.Event(), []

    def holder() -> None:
        with committed.app_context(), transaction():
            WAIT.run({"key": 77})
            make_user(given_name="Late")
            locked.set()
            go_on.wait(10)

    def reader() -> None:
        with committed.app_context(), transaction():
            COUNT.run({"name": "nobody"})  # its transaction is older than what it will see
            found.append(COUNT.first({"name": "Late"}, after=WAIT({"key": 77})).n)

    threads = [threading.Thread(target=holder), threading.Thread(target=reader)]
    threads[0].start()
    assert locked.wait(10)
    threads[1].start()
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    waiting = text(f"SELECT count(*) FROM pg_locks WHERE {here} AND objid = 77 AND NOT granted")
    until = time.monotonic() + 10
    while not session().scalar(waiting):
        session().rollback()
        assert time.monotonic() < until, "the second never waited for the first"
    go_on.set()
    for one in threads:
        one.join(10)
    assert found == [1]
    assert session().scalar(select(func.count()).where(User.given_name == "Late")) == 1

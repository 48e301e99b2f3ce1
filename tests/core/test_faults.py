"""What is told of an exception: class, codes, place. Never what it says, since that repeats what came in."""

from __future__ import annotations

import io
import logging
import smtplib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from sqlalchemy import String, insert, select, text
from sqlalchemy.exc import DBAPIError

from portal import worker
from portal.core import db, faults, log, tasks
from portal.core.db import keep, session
from portal.core.errors import Conflict
from portal.core.prepared import Prepared
from portal.core.tasks import Task, later, task
from tests.builders import make_user
from tests.hearing import Heard, hearing

MARKER = "Planted7f3a"
NUMBER = Prepared("test_number", "SELECT CAST(CAST(:typed AS text) AS integer) AS n")


@pytest.fixture
def written() -> Iterator[Heard]:
    """What a process would write into its log, whatever its level."""
    with hearing() as heard:
        yield heard


def caught(does: Any) -> BaseException:
    try:
        with session().begin_nested():
            does()
    except Exception as error:
        return error
    raise AssertionError("it was done")


@task
def put_a_word_for_a_number() -> None:
    session().execute(text("SELECT CAST(:typed AS integer)"), {"typed": MARKER})


@task
def stumble() -> None:
    try:
        int(MARKER)
    except ValueError as wrong:
        raise RuntimeError(f"no number: {MARKER}") from wrong


# --- what is told ---


def test_a_constraint_is_named_and_what_broke_it_is_not(database: Any) -> None:
    make_user(email=f"{MARKER}@example.dz")
    keep()
    error = caught(lambda: make_user(email=f"{MARKER}@example.dz"))
    assert MARKER.lower() in str(error).lower()  # so would every log without faults.py say
    told = faults.describe(error)
    assert "(sqlstate 23505, constraint " in told and "table users" in told
    assert MARKER.lower() not in told.lower()


def test_a_statement_s_error_holds_no_parameters(database: Any) -> None:
    assert session().get_bind().engine.hide_parameters
    error = caught(lambda: session().execute(text("SELECT 1 / CAST(:typed AS integer)"), {"typed": "000"}))
    assert "parameters hidden" in str(error)


def test_a_prepared_statement_fails_as_quietly_as_any_other(database: Any) -> None:
    error = caught(lambda: NUMBER.run({"typed": MARKER}))
    assert isinstance(error, DBAPIError) and MARKER in str(error)
    told = faults.describe(error)
    assert "sqlstate 22P02" in told and "portal/core/prepared.py:" in told and MARKER not in told


def test_each_cause_is_told_with_its_frames_the_outermost_last() -> None:
    error = None
    try:
        stumble()
    except RuntimeError as wrong:
        error = wrong
    assert error is not None
    told = faults.describe(error).splitlines()
    assert told.index("ValueError") < told.index("which led to") < told.index("RuntimeError") == len(told) - 1
    assert any(line.startswith("  tests/core/test_faults.py:") and line.endswith(" stumble") for line in told)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (Conflict(MARKER, code="moved"), "portal.core.errors.Conflict (code moved)"),
        (ConnectionRefusedError(111, MARKER), "ConnectionRefusedError (errno 111)"),
        (smtplib.SMTPDataError(550, MARKER.encode()), "smtplib.SMTPDataError (status 550)"),
        (smtplib.SMTPRecipientsRefused({MARKER: (550, b"no")}), "smtplib.SMTPRecipientsRefused"),
        (KeyError(MARKER), "KeyError"),
        (psycopg2.OperationalError(MARKER), "psycopg2.OperationalError"),
    ],
)  # fmt: skip
def test_an_exception_is_named_by_its_class_and_its_codes(error: Exception, name: str) -> None:
    assert faults.name_of(error) == name


def test_a_circle_of_causes_ends() -> None:
    one, two = ValueError(), KeyError()
    one.__context__, two.__context__ = two, one
    assert faults.describe(one).splitlines()[-1] == "ValueError"


def test_no_text_column_s_value_is_told_when_its_row_is_refused(database: Any) -> None:
    """Every table of the portal, with the marker in each of its text columns; what PostgreSQL lets pass fails after."""
    session().execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    repeated = set()
    for table in db.Base.metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, String) or (column.type.length or 99) < len(MARKER):
                continue
            row = insert(table).values({column.name: MARKER})
            error = caught(lambda row=row: (session().execute(row), NUMBER.run({"typed": MARKER})))
            if MARKER in str(error):
                repeated.add(table.name)
            assert MARKER not in faults.describe(error), f"{table.name}.{column.name}"
    assert len(repeated) > 30, sorted(repeated)  # PostgreSQL quotes the whole row that it refuses


# --- where it is told ---


def test_a_task_that_fails_of_a_value_keeps_the_value_nowhere(database: Any, written: Heard) -> None:
    for work in (put_a_word_for_a_number, stumble):
        task_id = later(work)
        keep()
        assert tasks.run(task_id) == "waiting"
        kept = session().scalars(select(Task.last_error).where(Task.id == task_id)).one()
        assert MARKER not in str(kept) and work.__name__ in str(kept)
    assert MARKER not in written.getvalue()
    assert [one["message"] for one in written.entries()] == ["task failed", "task failed"]


def test_a_log_entry_tells_an_exception_and_not_its_words(written: Heard) -> None:
    try:
        stumble()
    except RuntimeError:
        log.error("it went wrong", exc_info=True, task_id="7")
    entry = written.entries()[0]
    assert MARKER not in written.getvalue()
    assert (entry["message"], entry["task_id"]) == ("it went wrong", "7")
    assert entry["exc_info"].endswith("RuntimeError")


def test_a_library_s_entry_keeps_its_sentence_and_its_place(written: Heard) -> None:
    theirs = logging.getLogger("somebody.elses")
    theirs.warning("job %s failed (%s)", 7, MARKER, extra={"arguments": MARKER})
    theirs.warning(f"Invalid request: {MARKER}")
    assert MARKER not in written.getvalue()
    assert [one["message"] for one in written.entries()] == ["job %s failed (%s)", "a library's message"]
    assert all(one["said_at"].startswith("tests/core/test_faults.py:") for one in written.entries())


def test_an_entry_that_cannot_be_written_says_where_it_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry = logging.LogRecord("portal", logging.ERROR, __file__, 7, "%d", (MARKER,), None)
    log.Handler(io.StringIO()).handle(entry)
    assert capsys.readouterr().err == "tests/core/test_faults.py:7: not logged, TypeError\n"


def test_what_nobody_caught_is_told_the_same_way(written: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    log.take_over()
    sys.excepthook(ValueError, ValueError(MARKER), None)
    assert written.entries()[0]["exc_info"] == "ValueError" and MARKER not in written.getvalue()


# --- RQ ---


def test_a_job_that_fails_as_a_whole_leaves_no_words_in_redis(
    app: Any, ground: Any, number: int, database: Any, written: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_task_id: object) -> str:
        raise SystemExit(MARKER)  # nothing that a task may raise; as RQ's own signals do

    url = ground.redis_of(number)
    queue = worker._queue(url)
    queue.connection.flushdb()
    monkeypatch.setattr(tasks, "run", fail)
    monkeypatch.setattr(worker, "_app", app)
    worker.hand_over(url)([db.new_id()], "inside")
    _wait_for(lambda: queue.count)
    worker.Worker([queue], connection=queue.connection).work(burst=True)
    kept = {key: queue.connection.dump(key) for key in queue.connection.scan_iter("*")}
    failed = [one for one in kept if b"rq:results" in one]
    assert failed and not any(MARKER.encode() in value for value in kept.values())
    job = queue.failed_job_registry.get_job_ids()[0]
    assert queue.fetch_job(job).latest_result().exc_string in {None, ""}
    assert MARKER not in written.getvalue() and "job failed" in written.getvalue()
    queue.connection.flushdb()


def _wait_for(done: Any) -> None:
    until = time.monotonic() + 10
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)

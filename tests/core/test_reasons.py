"""Why a server cannot be reached is told in known words, once a second, and nothing else of what it said."""

from __future__ import annotations

import logging
from typing import Any

import psycopg2
import pytest
from sqlalchemy.exc import OperationalError

from portal.core import faults, log


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('connection to server at "db" (10.0.0.5), port 5432 failed: Connection refused\n', "Connection refused"),
        ('FATAL:  password authentication failed for user "salima"', "password authentication failed"),
        ("FATAL:  sorry, too many clients already", "too many clients"),
        ("something about salima's visit", "OperationalError"),
    ],
)
def test_a_reason_is_one_of_the_known_phrases_or_the_kind_of_the_error(said: str, told: str) -> None:
    error = OperationalError("SELECT 1", {}, psycopg2.OperationalError(said))
    found = faults.reason(error)
    assert told in found and "salima" not in found and "10.0.0.5" not in found


@pytest.mark.drill("The log")
def test_what_is_due_for_every_request_is_told_once_a_second_with_the_number_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    now = [100.0]
    monkeypatch.setattr(log.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(log, "_told", {})
    with caplog.at_level(logging.WARNING, logger="portal"):
        logging.getLogger("portal").propagate = True
        for at in (100.0, 100.2, 100.9, 101.1, 101.2, 103.0):
            now[0] = at
            log.seldom("database unavailable", reason="Connection refused")
    assert [getattr(entry, "more", 0) for entry in caplog.records] == [0, 2, 1]

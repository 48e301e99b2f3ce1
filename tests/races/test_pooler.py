"""Behind a PgBouncer that gives each transaction another connection of the server."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal import checkup
from portal.config import Settings
from portal.core.db import keep, session
from portal.domain.identity import signing
from portal.domain.scheduling.models import Appointment
from tests import pooler, processes
from tests.builders import at, grant_for, make_patient, make_user
from tests.engines import SECRET, Ground, environment
from tests.races.test_drills import WEB, Client

pytestmark = [
    pytest.mark.drill("PgBouncer"),
    pytest.mark.xdist_group("pooler"),
    pytest.mark.skipif(not pooler.PROGRAM or bool(pooler.POOLED), reason="PgBouncer is not installed (or all run so)"),
]
CONNECTIONS = 5  # of the server, for 32 threads


@pytest.fixture(scope="module")
def behind(ground: Ground, mode: str) -> Iterator[Ground]:
    with pooler.pooled(ground, mode, CONNECTIONS if mode == "transaction" else 40) as pooled:
        yield pooled


@pytest.mark.parametrize(
    ("mode", "told"),
    [("transaction", "transaction"), ("transaction", "session"), ("session", "session")],
    scope="module",
)
def test_nothing_fails_at_load_also_when_nobody_told_of_the_pooler(
    behind: Ground,
    number: int,
    committed: Flask,
    mode: str,
    told: str,
    tmp_path: Any,
    dr_benali: Any,
    el_djazair: Any,
    saw: Any,
) -> None:
    people = [make_user("Guest", f"Behind{one}") for one in range(24)]
    for one in people:
        make_patient(one)
    keep()
    about = environment(
        behind,
        str(session().get_bind().url.database),
        4 + number,
        PORTAL_DATA=str(tmp_path / "data"),
        DATABASE_POOLING=told,
    )
    web = tuple(part.replace("{python}", sys.executable) for part in WEB)
    with processes.running(about, tmp_path / "log", "web", web=web) as portal:
        own = signing.issuer()
        signing.issue_as(portal.base_url)
        clients = [Client(portal.base_url, grant_for(one.id).access_token) for one in people]
        signing.issue_as(own)
        keep()

        def book(place: int) -> int:
            wall = f"{8 + place % 4:02}:{30 * (place // 4 % 2):02}"
            wanted = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
            return clients[place].post("/appointments", **wanted, starts_at=at(wall, 2).isoformat())[0]

        with ThreadPoolExecutor(24) as crowd:
            answers = Counter(crowd.map(book, range(24)))
    counted = ", ".join(f"{n} × {status}" for status, n in sorted(answers.items()))
    saw(f"pool_mode = {mode}, DATABASE_POOLING={told}, 24 bookings at once of 8 times", counted)
    assert answers == {201: 8, 409: 16}
    assert session().scalar(select(func.count()).select_from(Appointment)) == 8


@pytest.mark.parametrize("mode", ["transaction"], scope="module")
def test_the_doctor_finds_a_pooler_nobody_told_of(behind: Ground, ground: Ground, number: int, mode: str) -> None:
    found = {}
    for name, where, told in (
        ("told", behind, "transaction"),
        ("silent", behind, "session"),
        ("none", ground, "session"),
    ):
        settings = Settings(
            portal_mode="test", database_url=where.url_of("portal"), database_pooling=told, secret_key=SECRET,
            redis_url=ground.redis_of(number), base_url="http://localhost", mail_url="keep://",
        )  # fmt: skip
        (found[name],) = checkup._pooling(settings)
    assert {name: finding.ok for name, finding in found.items()} == {"told": True, "silent": False, "none": True}
    assert found["silent"].do == "Set DATABASE_POOLING=transaction (OPERATIONS.md)."

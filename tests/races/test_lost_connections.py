"""The database closes connections (a restart, a failover): the next request starts anew instead of failing."""

from __future__ import annotations

import pytest
from sqlalchemy import event, func, select, text

from portal.core.db import db, keep, session
from portal.domain.scheduling.models import Appointment
from tests.builders import at, grant_for
from tests.pooler import UNPOOLED


@pytest.fixture
def cut(committed, ground, _committed):
    """A function that closes every connection to this test's database, as a restart does."""

    def close() -> None:
        keep()
        session().close()
        # with a time limit the function waits until each has ended, which it does after it was told to
        closed = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{_committed}'"
        ground.administer(closed)

    return close


def test_a_page_is_answered_although_its_connection_was_closed_meanwhile(client, amina, cut):
    client.sign_in(amina)
    assert client.get("/patient/home").status_code == 200
    cut()
    assert client.get("/patient/home").status_code == 200


def test_a_booking_is_made_once_although_its_connection_was_closed_meanwhile(client, amina, dr_benali, el_djazair, cut):
    wanted, head = _booking(dr_benali, el_djazair), _bearer(amina)
    assert client.get("/api/v1/auth/me", headers=head).status_code == 200
    cut()
    assert client.post("/api/v1/appointments", json=wanted, headers=head).status_code == 201
    assert session().scalar(select(func.count()).select_from(Appointment)) == 1


@UNPOOLED
def test_a_connection_lost_in_the_middle_of_a_request_is_tried_again_whole(
    committed, client, amina, dr_benali, el_djazair, ground
):
    wanted, head = _booking(dr_benali, el_djazair), _bearer(amina)
    keep()
    session().close()
    cuts = []

    def cut_once(conn, cursor, statement, *_):
        if "take_time" in statement and statement.startswith("EXECUTE") and not cuts:
            cuts.append(statement)
            pid = conn.connection.dbapi_connection.info.backend_pid
            ground.administer(f"SELECT pg_terminate_backend({pid})")

    event.listen(db.engine, "before_cursor_execute", cut_once)
    try:
        answer = client.post("/api/v1/appointments", json=wanted, headers=head)
    finally:
        event.remove(db.engine, "before_cursor_execute", cut_once)
    assert (len(cuts), answer.status_code) == (1, 201)
    assert session().scalar(select(func.count()).select_from(Appointment)) == 1
    assert session().scalar(text("SELECT count(*) FROM occupancies")) == 2


@UNPOOLED
def test_a_database_that_stays_away_is_said_in_a_sentence(client, amina, cut, monkeypatch):
    client.sign_in(amina)

    def refuse(*_, **__):
        import psycopg2

        raise psycopg2.OperationalError("connection refused")

    cut()
    monkeypatch.setattr(db.engine.pool, "_creator", refuse)
    monkeypatch.setattr(db.engine.dialect, "connect", refuse)
    answer = client.get("/patient/home")
    assert answer.status_code == 503
    assert "Traceback" not in answer.get_data(as_text=True)
    monkeypatch.undo()


def _booking(doctor, clinic) -> dict[str, str]:
    return {
        "practice_id": str(doctor.practice_id),
        "visit_type_id": str(clinic.consultation_id),
        "starts_at": at("09:00").isoformat(),
    }


def _bearer(person) -> dict[str, str]:
    token = grant_for(person.user_id).access_token
    keep()
    return {"Authorization": f"Bearer {token}"}

"""The same key twice: done once, answered alike; for real with threads and commits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from portal.core import clock, idempotency
from portal.core.db import keep, session
from portal.core.idempotency import IdempotencyKey
from portal.domain.scheduling.models import Appointment
from tests.api.conftest import Program, problem

KEY = {"Idempotency-Key": "6f0c1f8e-2f4e-4c3b-9f3c-1c2f2b9a5a11"}


def count(model: Any) -> int:
    return session().query(model).count()


def test_the_same_key_and_body_are_answered_alike_and_done_once(api: Program, amina: Any, wish: Any) -> None:
    first = api.as_(amina).post("/appointments", wish(), headers=KEY)
    second = api.as_(amina).post("/appointments", wish(), headers=KEY)
    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    assert second.headers["Location"] == first.headers["Location"] and second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert second.mimetype == "application/json"
    assert count(Appointment) == 1


def test_the_same_body_written_otherwise_is_the_same(api: Program, amina: Any, wish: Any) -> None:
    body = wish()
    first = api.as_(amina).post("/appointments", body, headers=KEY)
    again = dict(reversed(body.items())) | {"reason": ""}
    second = api.as_(amina).post("/appointments", again, headers=KEY)
    assert second.headers.get("Idempotency-Replayed") == "true" and second.data == first.data


def test_the_same_key_for_something_else_is_refused(api: Program, amina: Any, wish: Any) -> None:
    made = api.as_(amina).post("/appointments", wish(), headers=KEY).get_json()
    problem(api.as_(amina).post("/appointments", wish("10:00"), headers=KEY), 422, "idempotency_mismatch")
    problem(api.as_(amina).post(f"/appointments/{made['id']}/cancel", {}, headers=KEY), 422, "idempotency_mismatch")
    assert count(Appointment) == 1


def test_a_key_belongs_to_one_account(api: Program, amina: Any, yacine: Any, wish: Any) -> None:
    assert api.as_(amina).post("/appointments", wish(), headers=KEY).status_code == 201
    problem(api.as_(yacine).post("/appointments", wish(), headers=KEY), 409, "taken")
    assert api.as_(yacine).post("/appointments", wish("10:00"), headers=KEY).status_code == 201


def test_a_refusal_is_not_kept(api: Program, amina: Any, yacine: Any, wish: Any) -> None:
    taken = api.as_(yacine).post("/appointments", wish()).get_json()
    problem(api.as_(amina).post("/appointments", wish(), headers=KEY), 409, "taken")
    assert count(IdempotencyKey) == 0
    api.as_(yacine).post(f"/appointments/{taken['id']}/cancel", {})
    answer = api.as_(amina).post("/appointments", wish(), headers=KEY)
    assert answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers


def test_a_cancellation_sent_twice_is_answered_alike(api: Program, amina: Any, wish: Any) -> None:
    made = api.as_(amina).post("/appointments", wish()).get_json()
    path = f"/appointments/{made['id']}/cancel"
    answers = [api.as_(amina).post(path, {"code": "mistake"}, headers=KEY) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200] and answers[0].data == answers[1].data


def test_a_key_is_forgotten_after_a_day(api: Program, amina: Any, wish: Any, standing_at: Any) -> None:
    api.as_(amina).post("/appointments", wish(), headers=KEY)
    with standing_at(clock.now() + timedelta(hours=25)):
        answer = api.as_(amina).post("/appointments", wish("10:00"), headers=KEY)
        assert answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers
    with standing_at(clock.now() + timedelta(hours=50)):
        idempotency.prune()
        keep()
    assert count(IdempotencyKey) == 0


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "clé"])
def test_a_key_is_short_and_plain(api: Program, amina: Any, wish: Any, key: str) -> None:
    told = {"Idempotency-Key": key.encode().decode("latin-1")}
    problem(api.as_(amina).post("/appointments", wish(), headers=told), 422, "idempotency_key_invalid")


@pytest.mark.race
def test_two_at_once_with_one_key_make_one_appointment(
    committed: Any, new_client: Any, amina: Any, dr_benali: Any, wish: Any
) -> None:
    signed_in = Program(new_client()).as_(amina)
    body, start = wish(), Barrier(8)

    def send(_number: int) -> Any:
        program = Program(new_client(), signed_in.token)
        start.wait()
        return program.post("/appointments", body, headers=KEY)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {one.status_code for one in answers} == {201}, [one.data for one in answers]
    assert len({one.data for one in answers}) == 1
    assert sorted(one.headers.get("Idempotency-Replayed", "") for one in answers) == [""] + ["true"] * 7
    assert count(Appointment) == 1


@pytest.mark.race
def test_a_first_request_that_takes_too_long_is_told_to_the_second(
    committed: Any, new_client: Any, amina: Any, dr_benali: Any, wish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_WAIT", "200ms")
    signed_in = Program(new_client()).as_(amina)
    idempotency.begin(amina.actor, KEY["Idempotency-Key"], "0" * 64)
    session().flush()
    waiting = ThreadPoolExecutor(1)
    answer = waiting.submit(signed_in.post, "/appointments", wish(), headers=KEY).result()
    problem(answer, 409, "idempotency_running")
    session().rollback()
    assert session().execute(text("SELECT count(*) FROM appointments")).scalar() == 0

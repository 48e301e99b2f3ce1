"""Replies kept under a key: the same answer with its secret, and nothing to read in the table."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core import idempotency, secrets
from portal.core.db import keep, session
from portal.core.idempotency import IdempotencyKey
from portal.domain.scheduling.models import Hold
from tests.api.conftest import Program, problem

KEY = {"Idempotency-Key": "6f0c1f8e-2f4e-4c3b-9f3c-1c2f2b9a5a11"}


def test_a_hold_sent_twice_is_one_hold_with_one_token(api: Program, amina: Any, wish: Any) -> None:
    first, second = (api.as_(amina).post("/holds", wish(), headers=KEY) for _ in range(2))
    assert first.data == second.data and second.headers["Idempotency-Replayed"] == "true"
    assert session().query(Hold).count() == 1
    told = {"Hold-Token": second.get_json()["token"]}
    assert api.get("/holds", headers=told).get_json()["starts_at"] == first.get_json()["starts_at"]


def test_whoever_reads_the_table_reads_no_token(api: Program, amina: Any, wish: Any) -> None:
    token = api.as_(amina).post("/holds", wish(), headers=KEY).get_json()["token"]
    row = session().query(IdempotencyKey).one()
    assert token not in row.body and "practice_id" not in row.body and token not in str(row.headers)


def test_a_reply_of_another_row_is_not_read_and_nothing_is_done_twice(api: Program, amina: Any, wish: Any) -> None:
    program = api.as_(amina)
    program.post("/holds", wish(), headers=KEY)
    program.post("/holds", wish("10:00"), headers={"Idempotency-Key": "other"})
    one, other = session().query(IdempotencyKey).order_by(IdempotencyKey.created_at)
    one.body, other.body = other.body, "not even one of ours"
    keep()
    problem(program.post("/holds", wish(), headers=KEY), 409, "idempotency_unreadable")
    problem(program.post("/holds", wish("10:00"), headers={"Idempotency-Key": "other"}), 409, "idempotency_unreadable")
    assert session().query(Hold).count() == 2


def test_after_the_secret_was_changed_no_reply_is_read(api: Program, amina: Any, wish: Any, monkeypatch: Any) -> None:
    program = api.as_(amina)
    program.post("/holds", wish(), headers=KEY)
    row = session().query(IdempotencyKey).one()
    assert '"token"' in idempotency.reply(row)
    monkeypatch.setattr(secrets, "_key", b"another secret")
    with pytest.raises(idempotency.Unreadable):
        idempotency.reply(row)


def test_another_hold_given_back_is_another_request(api: Program, amina: Any, wish: Any) -> None:
    program = api.as_(amina)
    token = program.post("/holds", wish()).get_json()["token"]
    assert program.post("/holds", wish("10:00"), headers=KEY).status_code == 201
    again = program.post("/holds", wish("10:00"), headers=KEY | {"Hold-Token": token})
    problem(again, 422, "idempotency_mismatch")

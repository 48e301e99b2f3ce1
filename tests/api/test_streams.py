"""Programs that listen, read block by block in this process: what comes, what does not, and when it is over."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import Client

from portal.api import stream as streaming
from portal.core import clock, hearing, live, open_streams
from portal.core.actor import SYSTEM
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.clinics import members, programs
from portal.domain.clinics.models import Membership
from portal.domain.identity import accounts, tokens
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.models import TokenFamily
from tests.api.conftest import Program, problem


class Blocks:
    """The blocks of an open stream, one at a time, as dicts of its fields."""

    def __init__(self, program: Program, last_id: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {program.token}"} | ({"Last-Event-ID": last_id} if last_id else {})
        client = Client(program.client.application)  # one that does not read to the end first
        self.answer = client.open("/api/v1/stream", headers=headers)
        assert self.answer.status_code == 200, self.answer.get_data(as_text=True)
        self._came = iter(self.answer.response)

    def next(self) -> dict[str, str]:
        raw = next(self._came)
        text = raw.decode() if isinstance(raw, bytes) else raw
        assert text.endswith("\n\n")
        return dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))

    def event(self) -> dict[str, Any]:
        """The next block that is an event, as its data."""
        until = time.monotonic() + 30
        while "data" not in (block := self.next()):
            assert time.monotonic() < until, "nothing came"
        told: dict[str, Any] = json.loads(block["data"])
        assert told["type"] == block["event"]
        assert told.get("id") == block.get("id")
        return told

    def close(self) -> None:
        self.answer.close()


@pytest.fixture
def listen(committed: Any) -> Iterator[Any]:
    """A function that opens a stream for a program; all are closed at the end."""
    opened: list[Blocks] = []

    def begin(program: Program, last_id: str | None = None) -> Blocks:
        keep()
        opened.append(Blocks(program, last_id))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def booked(program: Program, wish: Any, wall: str = "09:00") -> dict[str, Any]:
    answer = program.post("/appointments", wish(wall))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.get_json()
    return made


def test_it_begins_with_an_id_and_says_that_it_is_well(listen: Any, api: Program, amina: Any) -> None:
    opened = listen(api.as_(amina))
    assert opened.answer.mimetype == "text/event-stream"
    assert opened.answer.headers["Cache-Control"] == "no-store"
    first = opened.next()
    assert first["id"].isdigit()
    assert int(first["retry"]) > 0
    assert opened.next() == {"id": first["id"]}


def test_a_visit_is_told_as_it_happens_and_says_no_more_than_it_must(
    listen: Any, api: Program, amina: Any, dr_benali: Any, wish: Any
) -> None:
    program = api.as_(amina)
    hers, doctors = listen(program), listen(api.as_(dr_benali))
    hers.next(), doctors.next()
    visit = booked(program, wish)
    for opened in (hers, doctors):
        told = opened.event()
        assert told.pop("id").isdigit()
        assert told.pop("occurred_at").endswith("Z")
        assert told == {
            "type": "appointment.booked", "subject_type": "appointment", "subject_id": visit["id"], "version": 1,
            "status": "confirmed", "notice": None, "about_type": None, "about_id": None,
        }  # fmt: skip


def test_a_stranger_hears_nothing_of_it(
    listen: Any, api: Program, amina: Any, yacine: Any, wish: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT", 0.3)
    opened = listen(api.as_(yacine))
    before = int(opened.next()["id"])
    booked(api.as_(amina), wish)
    while int((block := opened.next())["id"]) <= before:
        assert "data" not in block
    assert "data" not in block  # it went past the visit without a word


def test_going_on_from_an_id_gives_everything_missed_once(
    listen: Any, api: Program, amina: Any, wish: Any, drain: Any
) -> None:
    program = api.as_(amina)
    opened = listen(program)
    opened.next()
    visit = booked(program, wish)
    seen = opened.event()
    opened.close()
    moved = program.post(f"/appointments/{visit['id']}/reschedule", {"starts_at": wish("10:00")["starts_at"]})
    assert moved.status_code == 200
    drain()
    program.post(f"/appointments/{visit['id']}/cancel", {"code": "mistake"})
    again = listen(program, seen["id"])
    came = list(until_cancelled(again))
    assert [one["type"] for one in came if one["subject_type"] == "appointment"] == [
        "appointment.moved", "appointment.cancelled",
    ]  # fmt: skip
    assert any(one["type"] == "notification.added" for one in came)
    numbers = [int(one["id"]) for one in (seen, *came)]
    assert numbers == sorted(set(numbers))
    assert list(until_cancelled(listen(program, came[0]["id"]))) == came[1:]


def until_cancelled(opened: Blocks) -> Iterator[dict[str, Any]]:
    told: dict[str, Any] = {"type": ""}
    while told["type"] != "appointment.cancelled":
        yield (told := opened.event())


@pytest.mark.parametrize(("last_id", "status", "code"), [("x", 422, "invalid"), ("999999999", 410, "cannot_resume")])
def test_an_id_that_cannot_be_gone_on_from_is_refused(
    committed: Any, api: Program, amina: Any, last_id: str, status: int, code: str
) -> None:
    problem(api.as_(amina).get("/stream", headers={"Last-Event-ID": last_id}), status, code)


def test_it_needs_a_token_in_the_header_and_the_scope(committed: Any, api: Program, amina: Any) -> None:
    problem(api.get("/stream"), 401, "no_token")
    token = api.as_(amina).token
    problem(api.get(f"/stream?token={token}"), 401, "no_token")
    problem(api.as_(amina).get(f"/stream?token={token}"), 422, "invalid")
    problem(Program(api.client, "nonsense").get("/stream"), 401, "invalid_token")
    problem(api.as_(amina, ["appointments:read"]).get("/stream"), 403, "insufficient_scope")


def test_without_the_scope_of_appointments_only_notifications_come(
    listen: Any, api: Program, amina: Any, wish: Any, drain: Any
) -> None:
    opened = listen(api.as_(amina, ["notifications:read"]))
    opened.next()
    booked(api.as_(amina), wish)
    drain()
    assert opened.event()["type"] == "notification.added"


def test_a_process_that_ends_says_goodbye_and_nothing_is_lost_by_going_on(
    listen: Any, api: Program, amina: Any, wish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live._board, "_closing", False)
    program = api.as_(amina)
    blocks = listen(program)
    last = blocks.next()["id"]
    live.close()
    while "data" not in (block := blocks.next()):
        pass
    said = json.loads(block["data"])
    assert (block["event"], said["code"], said["status"]) == ("bye", "closing", 503)
    assert next(blocks._came, None) is None
    monkeypatch.setattr(live._board, "_closing", False)
    visit = booked(program, wish)
    assert listen(program, last).event()["subject_id"] == visit["id"]


def test_a_token_that_ends_says_goodbye(listen: Any, api: Program, amina: Any) -> None:
    opened = listen(api.as_(amina))
    opened.next(), opened.next()
    with standing_at(clock.now() + timedelta(minutes=16)):
        api_nudge(amina)
        said = opened.event()
    assert (said["type"], said["code"], said["status"]) == ("bye", "invalid_token", 401)
    with pytest.raises(StopIteration):
        opened.next()


def test_signing_out_ends_it_at_once_and_nothing_comes_any_more(
    listen: Any, api: Program, amina: Any, wish: Any
) -> None:
    program = api.as_(amina)
    opened = listen(program)
    opened.next(), opened.next()
    assert program.post("/auth/logout").status_code == 204
    booked(api.as_(amina), wish)
    assert opened.event()["type"] == "bye"


def test_a_thief_s_refresh_ends_the_stream_too(listen: Any, api: Program, amina: Any) -> None:
    program = api.as_(amina)
    opened = listen(program)
    opened.next(), opened.next()
    for _ in range(2):
        api.post("/auth/refresh", {"refresh_token": program.refresh})
    assert opened.event()["code"] == "invalid_token"


def test_an_account_has_a_few_streams_and_gets_the_places_back(
    listen: Any, api: Program, amina: Any, yacine: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(open_streams, "_at_most", 2)
    program = api.as_(amina)
    first, _second = listen(program), listen(program)
    answer = program.get("/stream")
    problem(answer, 429, "too_many_streams")
    assert int(answer.headers["Retry-After"]) > 0
    listen(api.as_(yacine))
    first.close()
    listen(program).next()
    assert program.client.open(
        "/api/v1/stream", method="HEAD", headers={"Authorization": f"Bearer {program.token}"}
    ).status_code == 429  # fmt: skip


def test_a_look_ahead_takes_no_place(committed: Any, api: Program, amina: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(open_streams, "_at_most", 1)
    program = api.as_(amina)
    for _ in range(3):
        with program.send("HEAD", "/stream") as answer:
            assert answer.status_code == 200


def test_without_redis_everything_still_comes(
    listen: Any, api: Program, amina: Any, wish: Any, monkeypatch: Any, ground: Any, number: int
) -> None:
    program = api.as_(amina)
    monkeypatch.setattr(hearing, "WHILE_DEAF", 0.1)
    monkeypatch.setattr(hearing, "OPENS_WITHIN", 0.1)
    live.connect("redis://127.0.0.1:1/0")
    try:
        opened = listen(program)
        opened.next(), opened.next()
        visit = booked(program, wish)
        assert opened.event()["subject_id"] == visit["id"]
    finally:
        live.connect(ground.redis_of(number))


def test_a_busy_stream_ends_with_its_token_although_nobody_says_so(
    listen: Any, api: Program, amina: Any, busy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT", 40.0)
    opened = listen(api.as_(amina))
    opened.next(), opened.next()
    session().execute(update(TokenFamily).values(ended_at=clock.now(), ended_why="revoked"))
    keep()
    with busy(amina):
        assert opened.event()["code"] == "invalid_token"


def test_who_lost_a_role_hears_its_clinic_no_more(
    listen: Any, api: Program, admin: Any, nadia: Any, el_djazair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT", 0.3)
    opened = listen(api.as_(nadia))
    opened.next(), opened.next()
    assert f"clinic:{el_djazair.clinic_id}" in live.listened_to()
    members.end(admin.actor, session().scalars(select(Membership.id).where(Membership.user_id == nadia.user_id)).one())
    keep()
    until = time.monotonic() + 20
    while f"clinic:{el_djazair.clinic_id}" in live.listened_to():
        assert time.monotonic() < until
        opened.next()
    assert f"user:{nadia.user_id}" in live.listened_to()


def test_a_page_takes_the_place_of_the_oldest_stream(
    listen: Any, api: Program, amina: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_streams, "_at_most", 2)
    program = api.as_(amina)
    oldest, newer = listen(program), listen(program)
    for one in (oldest, newer):
        one.next(), one.next()
    page = open_streams.OpenStream.of_page(amina.user_id)
    keep()
    said = oldest.event()
    assert (said["type"], said["code"], said["status"]) == ("bye", "too_many_streams", 429)
    oldest.close()
    monkeypatch.setattr(streaming, "HEARTBEAT", 0.1)
    api_nudge(amina)
    assert newer.next() and page.may_go_on()
    page.close()


def test_it_holds_no_connection_while_it_waits(listen: Any, api: Program, amina: Any) -> None:
    from portal.core.db import db

    opened = [listen(api.as_(amina)) for _ in range(3)]
    for one in opened:
        one.next(), one.next()
    keep()
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_websocket_is_asked_for_as_one(committed: Any, api: Program, amina: Any) -> None:
    answer = api.get("/ws")
    problem(answer, 426, "upgrade_required")
    assert answer.headers["Upgrade"] == "websocket"
    asked = {
        "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    problem(api.get("/ws", headers=asked), 501, "no_websockets")
    problem(api.get("/ws", headers=asked | {"Sec-WebSocket-Version": "8"}), 426, "upgrade_required")
    problem(Program(api.client, "nonsense").get("/ws", headers=asked), 401, "invalid_token")


def api_nudge(person: Any) -> None:
    """Something small happens to this person, so that their streams look."""
    live.nudge([person.user_id], "notifications")
    keep()


def test_ending_a_program_by_hand_ends_its_stream(listen: Any, api: Program, amina: Any) -> None:
    opened = listen(api.as_(amina))
    opened.next(), opened.next()
    [family] = tokens.mine(amina.actor)
    tokens.end_mine(amina.actor, family.id)
    keep()
    assert opened.event()["type"] == "bye"


def a_password_is_changed(amina: Any, planner: OAuthClient) -> None:
    accounts.sign_out_everywhere(amina.actor)


def its_program_is_let_in_no_more(amina: Any, planner: OAuthClient) -> None:
    programs.end(SYSTEM, planner.id)


@pytest.mark.parametrize("what_happens", [a_password_is_changed, its_program_is_let_in_no_more])
def test_what_takes_its_token_back_ends_a_stream_at_once(
    listen: Any, api: Program, amina: Any, monkeypatch: pytest.MonkeyPatch, what_happens: Any
) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT", 40.0)
    scopes = ["notifications:read", "appointments:read"]
    planner, _none = programs.add(
        SYSTEM, kind="app", name="Planner", scopes=scopes, redirect_uris=["http://127.0.0.1/back"]
    )
    given, _family = tokens.start_for_client(amina.actor, planner, amina.user_id, scopes)
    opened = listen(Program(api.client, given.access_token))
    opened.next(), opened.next()
    began = time.monotonic()
    what_happens(amina, planner)
    keep()
    assert opened.event()["code"] == "invalid_token"
    assert time.monotonic() - began < 20

"""Streams of the real portal: server-sent events and WebSockets at its own server, with worker and Redis behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from simple_websocket import Client, ConnectionClosed

from portal.core.db import keep
from tests.builders import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journeys")]  # on the real portal that journeys have started


@pytest.fixture
def connect(live_server: str) -> Iterator[Callable[..., Client]]:
    """A function that opens a WebSocket; all are closed at the end."""
    opened: list[Client] = []

    def begin(first: dict[str, Any] | None = None, **headers: str) -> Client:
        keep()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = Client(f"{live_server.replace('http', 'ws')}/api/v1/ws", headers=named)
        opened.append(client)
        if first is not None:
            client.send(json.dumps(first))
        return client

    yield begin
    for one in opened:
        if one.connected:
            one.close()


def heard(client: Client, kind: str, within: float = 20) -> dict[str, Any]:
    """The next message of this type."""
    until = time.monotonic() + within
    while (left := until - time.monotonic()) > 0:
        raw = client.receive(timeout=left)
        if raw is not None and (told := json.loads(raw))["type"] == kind:
            return told  # type: ignore[no-any-return]
    raise AssertionError(f"no {kind} came")


def closed(client: Client) -> tuple[dict[str, Any], int]:
    """What was said before the end, and the code of the end."""
    said = heard(client, "bye")
    return said, _code_of_the_end(client)


def _code_of_the_end(client: Client) -> int:
    try:
        while client.receive(timeout=10) is not None:
            pass
    except ConnectionClosed as over:
        return int(over.reason)
    raise AssertionError("it stays open")


@pytest.fixture
def sign_in(live_server: str) -> Callable[..., str]:
    """A function that signs a person in at the real portal: their access token."""

    def begin(person: Any, scopes: list[str] | None = None) -> str:
        keep()
        body = {"email": person.email, "password": PASSWORD, "scopes": scopes}
        answer = requests.post(f"{live_server}/api/v1/auth/login", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    return begin


@pytest.fixture
def token(sign_in: Callable[..., str], amina: Any) -> str:
    return sign_in(amina)


def booked(live_server: str, token: str, wish: Any) -> dict[str, Any]:
    answer = requests.post(
        f"{live_server}/api/v1/appointments", json=wish(), headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_booking_reaches_a_stream_within_seconds(live_server: str, token: str, wish: Any) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with requests.get(f"{live_server}/api/v1/stream", headers=headers, stream=True, timeout=30) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        while not next(lines).startswith("id: "):
            pass
        visit = booked(live_server, token, wish)
        began = time.monotonic()
        told = [json.loads(line[6:]) for line in _until_two_events(lines)]
        assert time.monotonic() - began < 20  # the second is made by the worker
    assert [one["type"] for one in told] == ["appointment.booked", "notification.added"]
    assert told[0]["subject_id"] == told[1]["about_id"] == visit["id"]


def _until_two_events(lines: Iterator[str]) -> Iterator[str]:
    came = 0
    for line in lines:
        if line.startswith("data: "):
            came += 1
            yield line
        if came == 2:
            return


def test_a_socket_with_the_token_in_its_first_message(live_server: str, connect: Any, token: str, wish: Any) -> None:
    client = connect({"token": token})
    first = heard(client, "heartbeat")
    visit = booked(live_server, token, wish)
    told = heard(client, "appointment.booked")
    assert told["subject_id"] == visit["id"]
    assert int(told["id"]) > int(first["id"])
    client.close()
    again = connect({"token": token, "after": first["id"]})
    assert heard(again, "appointment.booked") == told


def test_a_socket_with_the_token_in_the_header(live_server: str, connect: Any, token: str, wish: Any) -> None:
    client = connect(Authorization=f"Bearer {token}")
    first = heard(client, "heartbeat")
    told = booked(live_server, token, wish)["id"]
    assert heard(client, "appointment.booked")["subject_id"] == told
    client.close()
    again = connect(Authorization=f"Bearer {token}", Last_Event_ID=first["id"])
    assert heard(again, "appointment.booked")["subject_id"] == told


@pytest.mark.parametrize(
    ("first", "code", "ends_with"),
    [
        ({"token": "nonsense"}, "invalid_token", 4401),
        ({}, "no_token", 4401),
        ({"token": None, "after": "3"}, "no_token", 4401),
        ({"colour": "blue"}, "invalid", 4422),
        ([1], "invalid", 4422),
    ],
)
def test_a_first_message_that_does_not_do(connect: Any, first: Any, code: str, ends_with: int) -> None:
    said, reason = closed(connect(first))
    assert (said["code"], reason) == (code, ends_with)
    assert said["detail"]


def test_what_is_no_json_or_too_long_is_not_listened_to(connect: Any) -> None:
    client = connect()
    client.send("hello")
    said, reason = closed(client)
    assert (said["code"], reason) == ("malformed", 4400)
    client = connect()
    client.send("x" * 20_000)
    assert _code_of_the_end(client) == 1009


def test_an_id_nobody_gave_and_a_scope_that_is_missing(connect: Any, token: str, sign_in: Any, amina: Any) -> None:
    said, reason = closed(connect({"token": token, "after": "999999999999"}))
    assert (said["code"], reason) == ("cannot_resume", 4410)
    narrow = sign_in(amina, ["appointments:read"])
    said, reason = closed(connect({"token": narrow}))
    assert (said["code"], reason) == ("insufficient_scope", 4403)


def test_signing_out_closes_the_socket(live_server: str, connect: Any, token: str) -> None:
    client = connect({"token": token})
    heard(client, "heartbeat")
    requests.post(f"{live_server}/api/v1/auth/logout", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    said, reason = closed(client)
    assert (said["code"], reason) == ("invalid_token", 4401)


def test_a_socket_goes_on_with_a_newer_token(
    live_server: str, connect: Any, sign_in: Any, amina: Any, wish: Any
) -> None:
    first, second = sign_in(amina), sign_in(amina)
    client = connect({"token": first})
    heard(client, "heartbeat")
    client.send(json.dumps({"token": second}))  # it counts before the end of the first is seen
    requests.post(f"{live_server}/api/v1/auth/logout", headers={"Authorization": f"Bearer {first}"}, timeout=30)
    visit = booked(live_server, second, wish)
    assert heard(client, "appointment.booked")["subject_id"] == visit["id"]


def test_nobody_goes_on_with_another_account(
    live_server: str, connect: Any, token: str, sign_in: Any, yacine: Any, wish: Any
) -> None:
    client = connect({"token": token})
    heard(client, "heartbeat")
    client.send(json.dumps({"token": sign_in(yacine)}))
    booked(live_server, token, wish)  # wakes the stream
    said, reason = closed(client)
    assert (said["code"], reason) == ("invalid_token", 4401)

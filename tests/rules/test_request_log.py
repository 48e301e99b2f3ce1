"""One line for each request: which route, how it ended, how long it took, who asked. Never the address."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from portal import request_log
from portal.core import log
from portal.domain.notifications import stream
from tests.api.conftest import Program
from tests.hearing import Heard, hearing

MARKER = "planted7f3a"


@pytest.fixture
def written() -> Iterator[Heard]:
    with hearing(logging.INFO) as heard:
        yield heard


def told(heard: Heard) -> dict[str, Any]:
    """The only line about a request."""
    (one,) = heard.entries("request")
    return one


@pytest.mark.drill("The log")
def test_a_page_is_one_line_with_the_rule_of_its_route(client: Any, amina: Any, written: Heard) -> None:
    client.sign_in(amina)
    answer = client.get(f"/patient/appointments?when=past&next={MARKER}", headers={"Referer": f"/x/{MARKER}"})
    one = told(written)
    assert (one["method"], one["route"], one["status"]) == ("GET", "/patient/appointments", 200)
    assert (one["user_id"], one["door"], one["level"]) == (str(amina.user_id), "web", "INFO")
    assert one["session_id"] and one["duration_ms"] > 0
    assert one["correlation_id"] == answer.headers["X-Request-ID"]
    assert MARKER not in written.getvalue()
    assert set(one) == {
        "at", "level", "name", "message", "method", "route", "status", "door", "user_id", "session_id", "duration_ms",
        "correlation_id",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        (f"/account/reset/{MARKER}", "/account/reset/<token>", 410),
        (f"/go/{MARKER}/x", None, 404),
        (f"/nothing/{MARKER}", None, 404),
        (f"/doctors/{MARKER}", "/doctors/<slug>", 404),
    ],
)
def test_what_stands_in_the_address_is_not_told(
    client: Any, written: Heard, path: str, route: str | None, status: int
) -> None:
    client.get(path)
    assert (told(written)["route"], told(written)["status"]) == (route, status)
    assert MARKER not in written.getvalue()


def test_every_rule_that_takes_a_secret_is_logged_without_it(app: Flask, client: Any, written: Heard) -> None:
    """Whatever a route takes from its address as text."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments and not rule.websocket and rule.endpoint != "static":
            with app.test_request_context():
                path = "/".join(MARKER if part.startswith("<") else part for part in rule.rule.split("/"))
            client.get(path)
    assert len(written.entries("request")) > 60
    assert MARKER not in written.getvalue()


def test_a_program_is_told_by_its_door(api: Program, amina: Any, written: Heard) -> None:
    api.as_(amina).get("/appointments")
    one = told(written)
    assert (one["route"], one["door"], one["user_id"]) == ("/api/v1/appointments", "api", str(amina.user_id))


@pytest.mark.parametrize("path", ["/health", "/health/detailed", "/metrics"])
def test_what_monitors_ask_is_told_to_whoever_debugs(client: Any, path: str) -> None:
    with hearing(logging.INFO) as quiet:
        client.get(path)
    with hearing(logging.DEBUG) as loud:
        client.get(path)
    assert not quiet.entries("request") and told(loud)["level"] == "DEBUG"


def open_stream(program: Program) -> Any:
    """An answer that is read block by block."""
    head = {"Authorization": f"Bearer {program.token}"}
    return Client(program.client.application).open("/api/v1/stream", headers=head)


def test_a_stream_is_told_when_it_ends(committed: Any, api: Program, amina: Any, written: Heard) -> None:
    answer = open_stream(api.as_(amina))
    assert next(iter(answer.response))
    assert not written.entries("request")
    answer.close()
    assert (told(written)["route"], told(written)["status"]) == ("/api/v1/stream", 200)


def test_a_stream_that_fails_in_the_middle_says_nothing_to_its_server(
    committed: Any, api: Program, amina: Any, written: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(MARKER)

    answer = open_stream(api.as_(amina))
    body = iter(answer.response)
    next(body)
    monkeypatch.setattr(stream, "since", fail)
    with pytest.raises(request_log.BrokenOff) as broken:
        next(body)
    answer.close()
    assert broken.value.__cause__ is None and broken.value.__context__ is None
    assert told(written)["broken_off"] and MARKER not in written.getvalue()
    assert written.entries("answer broken off")[0]["route"] == "/api/v1/stream"


def test_what_fails_after_the_view_names_no_address(
    app: Flask, client: Any, written: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(MARKER)

    monkeypatch.setattr(app.session_interface, "save_session", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)  # as in real life
    assert client.get(f"/account/reset/{MARKER}").status_code == 500
    assert told(written)["status"] == 500 and MARKER not in written.getvalue()


@pytest.mark.drill("The log")
def test_servers_write_into_the_same_log(written: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import threading

    for module, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    server, own = logging.getLogger("gunicorn.error"), io.StringIO()
    server.propagate = False
    server.addHandler(logging.StreamHandler(own))
    log.take_over()
    server.warning(f"Invalid request from ip=10.0.0.1: {MARKER}")
    server.error("Error handling request %s", f"/go/{MARKER}")
    assert own.getvalue() == "" and MARKER not in written.getvalue()
    assert [one["message"] for one in written.entries()] == ["a library's message", "Error handling request %s"]

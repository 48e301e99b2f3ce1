"""Webhooks leave for public addresses only, to exactly the number that was looked at, and are over in time."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.gateways import hooks
from tests.receivers import Receiver, listening


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """This very machine is allowed unless a test says otherwise."""
    monkeypatch.setattr(hooks, "_at_home", True)


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_at_home", False)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, list[str]]], list[str]]:
    """A function that says what each name leads to; it gives the names that were asked for."""

    def leads(to: dict[str, list[str]]) -> list[str]:
        asked: list[str] = []

        def look(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            return [(socket.AF_INET6 if ":" in ip else socket.AF_INET, 1, 6, "", (ip, port)) for ip in to[host]]

        monkeypatch.setattr(socket, "getaddrinfo", look)
        return asked

    return leads


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7",
        "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
        "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:0a00:0001::1", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_what_is_inside_is_not_public(number):
    assert not hooks.is_public(ipaddress.ip_address(number))


@pytest.mark.parametrize("number", ["93.184.215.14", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_what_is_outside_is_public(number):
    assert hooks.is_public(ipaddress.ip_address(number))


def test_a_name_that_leads_inside_is_refused_even_if_it_also_leads_outside(abroad, names):
    names({"bad.example": ["127.0.0.1"], "half.example": ["93.184.215.14", "10.0.0.1"], "good.example": ["1.1.1.1"]})
    for host in ("bad.example", "half.example"):
        with pytest.raises(hooks.NotPublic):
            hooks.vet(f"https://{host}/x")
    assert [place[0] for _family, place in hooks.vet("https://good.example/x")] == ["1.1.1.1"]


@pytest.mark.parametrize("url", ["https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://[::1]/"])
def test_other_ways_to_write_this_machine_are_refused(abroad, url):
    with pytest.raises((hooks.NotPublic, OSError)):
        hooks.vet(url)
    assert hooks.post(url, b"{}", {}).error in {"not_public", "name"}


def test_nothing_is_sent_where_it_is_refused(abroad, receiver):
    outcome = hooks.post(receiver.url, b"{}", {})
    assert (outcome.status, outcome.error, outcome.is_good) == (None, "not_public", False)
    assert receiver.got == []


def test_the_name_is_looked_up_once_and_the_number_that_was_looked_at_is_called(names, receiver):
    asked = names({"hooks.example": ["127.0.0.1"]})
    outcome = hooks.post(f"http://hooks.example:{receiver.port}/a?b=c", b'{"a":1}', {"webhook-id": "evt_1"})
    assert outcome.is_good
    assert asked == ["hooks.example"]
    (got,) = receiver.got
    assert (got.path, got.raw, got.id) == ("/a?b=c", b'{"a":1}', "evt_1")
    assert got.headers["host"] == f"hooks.example:{receiver.port}"


def test_the_next_number_is_tried_when_one_does_not_take_us(names, receiver):
    names({"hooks.example": ["127.0.0.2", "127.0.0.1"]})  # it listens on the second only
    assert hooks.post(f"http://hooks.example:{receiver.port}/", b"{}", {}).is_good


@pytest.mark.parametrize(
    ("status", "error"), [(200, ""), (204, ""), (301, "redirect"), (307, "redirect"), (410, "status"), (500, "status")]
)
def test_only_2xx_is_good_and_no_redirect_is_followed(receiver, status, error):
    receiver.answer = lambda got: status
    outcome = hooks.post(receiver.url, b"{}", {})
    assert (outcome.status, outcome.error, outcome.is_good) == (status, error, status < 300)
    assert [got.path for got in receiver.got] == ["/hooks"]


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (503, "120", 120),
        (429, "Sat, 21 Nov 2026 10:05:00 GMT", 300),
        (503, "Sat, 21 Nov 2026 09:00:00 GMT", 0),
        (503, "Sat, 21 Nov 2026 10:05:00 -0000", 0),
        (503, "soon", 0),
        (503, "-5", 0),
        (503, "", 0),
        (500, "120", 0),
        (204, "120", 0),
    ],
)
def test_a_receiver_with_too_much_to_do_says_for_how_long(receiver, standing_at, status, said, seconds):
    receiver.answer, receiver.says = (lambda got: status), {"Retry-After": said}
    with standing_at(datetime(2026, 11, 21, 10, tzinfo=UTC)):
        assert hooks.post(receiver.url, b"{}", {}).rest == timedelta(seconds=seconds)


def test_a_name_that_is_none_and_a_port_where_nobody_listens_are_told_apart(names):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert hooks.post(f"http://127.0.0.1:{port}/", b"{}", {}).error == "connection"
    assert hooks.post("https://a..b/", b"{}", {}).error == "name"


def test_what_is_not_tls_is_not_spoken_to(receiver):
    outcome = hooks.post(receiver.url.replace("http://", "https://"), b"{}", {})
    assert (outcome.status, outcome.error) == (None, "certificate")
    assert receiver.got == []


@pytest.fixture
def drips() -> Iterator[Callable[[bytes], int]]:
    """A function that starts a server which answers these bytes one after the other for ever; its port."""
    stop, servers = threading.Event(), []

    def start(answer: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(answer)
                    while not stop.wait(0.05):
                        connection.sendall(b"x")
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    stop.set()
    for server in servers:
        server.close()


def test_an_answer_that_drips_is_over_in_time(drips, monkeypatch):
    monkeypatch.setattr(hooks, "LASTS", 0.5)
    begun = time.monotonic()
    outcome = hooks.post(f"http://127.0.0.1:{drips(b'HTTP/1.1 200 OK')}/", b"{}", {})
    assert (outcome.status, outcome.error) == (None, "timeout")
    assert time.monotonic() - begun < 2


def test_a_body_without_end_changes_nothing_about_the_answer(drips, monkeypatch):
    monkeypatch.setattr(hooks, "LASTS", 0.5)
    begun = time.monotonic()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    assert hooks.post(f"http://127.0.0.1:{drips(head)}/", b"{}", {}).is_good
    assert time.monotonic() - begun < 2


def test_something_that_is_no_answer_is_no_connection(drips):
    port = drips(b"SSH-2.0-OpenSSH\r\n")
    assert hooks.post(f"http://127.0.0.1:{port}/", b"{}", {}).error == "connection"


def test_a_name_that_nobody_answers_for_is_given_up_in_time(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(hooks, "LOOKS_UP_FOR", 0.2)
    monkeypatch.setattr(hooks.socket, "getaddrinfo", lambda *asked, **more: answered.wait(30) and [])
    try:
        begun = time.monotonic()
        assert hooks.post("https://hooks.example.org/", b"{}", {}).error == "timeout"
        with pytest.raises(TimeoutError):
            hooks.vet("https://hooks.example.org/")
        assert time.monotonic() - begun < 5
    finally:
        answered.set()


def test_so_many_names_are_looked_up_at_once_and_no_more(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(hooks, "LOOKS_UP_FOR", 0.01)
    monkeypatch.setattr(hooks, "_looking_up", threading.BoundedSemaphore(2))
    before = threading.active_count()
    monkeypatch.setattr(hooks.socket, "getaddrinfo", lambda *asked, **more: answered.wait(30) and [])
    try:
        for _ in range(5):
            assert hooks.post("https://hooks.example.org/", b"{}", {}).error == "timeout"
        assert threading.active_count() <= before + 2
    finally:
        answered.set()

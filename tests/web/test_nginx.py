"""The shipped proxy, as a real nginx in front of a real portal: it starts, keeps ports, hides what it must.

Only ports and paths are put in place of the shipped ones. The development set-up installs Debian's nginx where it can;
elsewhere these tests are skipped.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest

from portal.core.db import keep
from tests import processes
from tests.builders import PASSWORD, make_patient, make_user
from tests.engines import Ground, environment
from tests.proxy import NAME, NGINX, Proxy, running

pytestmark = [pytest.mark.drill("nginx"), pytest.mark.xdist_group("nginx")]


@pytest.fixture(scope="module")
def proxy(ground: Ground, number: int, _committed: str, tmp_path_factory: Any) -> Iterator[Proxy]:
    if NGINX is None:
        pytest.skip("nginx is not installed (Debian: nginx-light).")
    place = tmp_path_factory.mktemp("nginx")
    port = processes.free_port()
    told = environment(
        ground, _committed, 4 + number, PORTAL_DATA=str(place / "portal"), TRUSTED_PROXIES="1", RATE_LIMITS="false"
    )
    with processes.running(told, place / "log", "web", public_url=f"https://{NAME}:{port}") as portal:
        web = int(portal.base_url.rsplit(":", 1)[1])
        with running(place, port, [web], web) as nginx:
            yield nginx


def test_it_leads_from_http_to_https_and_answers_no_other_name(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.plain), 20) as plain:
        plain.sendall(f"GET /doctors?q=x HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: plain.recv(4096), b"")).decode()
    assert said.startswith("HTTP/1.1 308") and f"Location: https://{NAME}/doctors?q=x\r\n" in said
    with pytest.raises(ssl.SSLError):
        proxy.connect("evil.example")


def test_somebody_signs_in_where_the_address_has_a_port_and_is_told_at_once(proxy: Proxy, committed: Any) -> None:
    user = make_user("Amina", "Behind", email="amina.behind@example.dz")
    make_patient(user)
    keep()
    form = proxy.ask("GET", "/account/sign-in")
    assert form.status == 200
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
    cookie = form.getheader("Set-Cookie").partition(";")[0]
    assert csrf and cookie.startswith("__Host-portal=")
    given = {"csrf_token": csrf[1], "email": "amina.behind@example.dz", "password": PASSWORD}
    referer = f"https://{NAME}:{proxy.port}/account/sign-in"
    done = proxy.ask("POST", "/account/sign-in", given, Cookie=cookie, Referer=referer, Origin=referer[:-16])
    assert done.status in {302, 303}, done.text[:2000]
    signed_in = done.getheader("Set-Cookie").partition(";")[0]
    stream = proxy.connect()
    stream.request("GET", "/live", headers={"Host": f"{NAME}:{proxy.port}", "Cookie": signed_in})
    answer = stream.getresponse()
    assert answer.getheader("Content-Type", "").startswith("text/event-stream")
    assert answer.fp.readline()  # its first words come through although it never ends
    answer.close()
    stream.close()


def test_headers_of_the_application_reach_the_browser_once_and_static_files_say_the_same(proxy: Proxy) -> None:
    page = proxy.ask("GET", "/")
    style = re.search(r'href="(/static/[^"]+\.css[^"]*)"', page.text)
    assert style
    sheet = proxy.ask("GET", style[1])
    for answer in (page, sheet):
        assert answer.status == 200
        for name in ("Strict-Transport-Security", "X-Content-Type-Options", "Content-Security-Policy"):
            assert len(answer.headers.get_all(name)) == 1
    assert page.getheader("Strict-Transport-Security") == sheet.getheader("Strict-Transport-Security")
    assert "immutable" in sheet.getheader("Cache-Control")


def test_what_its_log_keeps_of_an_address_is_no_secret(proxy: Proxy) -> None:
    answer = proxy.ask("GET", "/go/a-secret-of-somebody?search=salima", Referer="https://evil.example/salima")
    deadline = time.monotonic() + 5
    wanted = answer.getheader("X-Request-ID")
    lines: list[dict[str, str]] = []
    while time.monotonic() < deadline and not any(line["x_request_id"] == wanted for line in lines):
        lines = [json.loads(line) for line in proxy.log.read_text().splitlines()]
    (line,) = [line for line in lines if line["x_request_id"] == wanted]
    assert (line["uri"], line["method"]) == ("/go/-", "GET")
    assert "salima" not in proxy.log.read_text() and "secret" not in proxy.log.read_text()


def test_a_body_that_is_too_long_is_refused_by_the_application_in_its_own_words(proxy: Proxy) -> None:
    answer = proxy.ask("POST", "/api/v1/appointments", {"reason": "x" * (10 * 1024 * 1024 + 9)})
    assert answer.status in {401, 413} and answer.getheader("Content-Type") == "application/problem+json"

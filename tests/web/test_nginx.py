"""The shipped proxy, as a real nginx in front of a real portal: it starts, keeps ports, hides what it must.

Only ports and paths are put in place of the shipped ones. The development set-up installs Debian's nginx where it can;
elsewhere these tests are skipped.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from portal import embedded
from portal.core.db import keep
from tests import processes
from tests.builders import PASSWORD, make_patient, make_user
from tests.engines import Ground, environment
from tests.rules.source import ROOT

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("nginx")]
NAME = "portal.example.org"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass
class Proxy:
    """Where it listens, and its log."""

    port: int
    plain: int
    log: Path

    def connect(self, name: str = NAME) -> http.client.HTTPSConnection:
        """A connection by TLS to this name; any certificate is taken."""
        trusting = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=trusting)
        connection.sock = trusting.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), 20), server_hostname=name
        )
        return connection

    def ask(self, method: str, path: str, body: dict[str, str] | None = None, **headers: str) -> Any:
        """The answer, with its body read."""
        connection = self.connect()
        given = {"Host": f"{NAME}:{self.port}", **{name.replace("_", "-"): one for name, one in headers.items()}}
        if body is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(body) if body is not None else None, given)
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer


@pytest.fixture(scope="module")
def proxy(ground: Ground, number: int, _committed: str, tmp_path_factory: Any) -> Iterator[Proxy]:
    if NGINX is None:
        pytest.skip("nginx is not installed (Debian: nginx-light).")
    place = tmp_path_factory.mktemp("nginx")
    place.chmod(0o755)
    port, plain = processes.free_port(), processes.free_port()
    told = environment(
        ground, _committed, 4 + number, PORTAL_DATA=str(place / "portal"), TRUSTED_PROXIES="1", RATE_LIMITS="false"
    )
    with processes.running(told, place / "log", "web", public_url=f"https://{NAME}:{port}") as portal:
        conf = _written(place, port, plain, int(portal.base_url.rsplit(":", 1)[1]))
        tried = subprocess.run([NGINX, "-t", "-c", conf], capture_output=True, text=True)
        assert tried.returncode == 0, tried.stderr
        process = subprocess.Popen(
            [NGINX, "-c", conf, "-g", "daemon off;"], preexec_fn=embedded.end_with_parent(15), stderr=subprocess.DEVNULL
        )
        try:
            _until_open(port)
            yield Proxy(port, plain, place / "access.log")
        finally:
            process.terminate()
            process.wait(10)


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


def _written(place: Path, port: int, plain: int, web: int) -> str:
    """The shipped configuration with our ports and paths; the path of the file for `nginx -c`."""
    key, cert = place / "key.pem", place / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    shipped = (ROOT / "deploy/nginx.conf").read_text()
    changes = {
        r" *listen \[::\]:.*\n": "",
        r"listen 80\b": f"listen 127.0.0.1:{plain}",
        r"listen 443\b": f"listen 127.0.0.1:{port}",
        r"/etc/nginx/tls/cert\.pem": str(cert),
        r"/etc/nginx/tls/key\.pem": str(key),
        r"/var/log/nginx/": f"{place}/",
        r"alias /static/": f"alias {ROOT}/static/",
    }
    for pattern, ours in changes.items():
        shipped, found = re.subn(pattern, lambda _: ours, shipped)  # noqa: B023 - called at once
        assert found, pattern
    upstreams = (ROOT / "deploy/nginx-upstreams.conf").read_text()
    upstreams = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{web}", upstreams)
    main = (ROOT / "deploy/nginx-main.conf").read_text()
    main = main.replace("user nginx;", "user root;" if os.geteuid() == 0 else "").replace(
        "/run/nginx.pid", f"{place}/pid"
    )
    main = main.replace("/var/log/nginx/", f"{place}/")
    main = main.replace("include /etc/nginx/conf.d/*.conf;", f"include {place}/conf.d/*.conf;")
    (place / "conf.d").mkdir()
    (place / "conf.d" / "upstreams.conf").write_text(upstreams)
    (place / "conf.d" / "default.conf").write_text(shipped)
    (place / "nginx.conf").write_text(main)
    return str(place / "nginx.conf")


def _until_open(port: int) -> None:
    give_up = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.05)

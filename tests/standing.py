"""Processes of the portal as units start them, each by `python -m portal`: for drills that exchange or kill them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from portal import embedded
from tests import processes
from tests.engines import Ground, environment
from tests.rules.source import ROOT

TOKEN = "a token only monitors know"


@dataclass
class Host:
    """A host with processes of the portal on it, each of some version."""

    told: dict[str, str]
    owner_url: str
    log: Path
    ports: list[int]
    live_port: int
    standing: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, where: Path = ROOT, port: int = 0) -> None:
        """Start one of this version; returns once it is ready, where it can be asked."""
        told = {**self.told, "PORT": str(port or self.ports[0])}
        with (self.log / f"{name}-{port}.log").open("ab") as log:
            self.standing[f"{name}-{port}"] = subprocess.Popen(
                [sys.executable, "-m", "portal", name], cwd=where, env=told, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, preexec_fn=embedded.end_with_parent(signal.SIGTERM),
            )  # fmt: skip
        if name in {"web", "live"}:
            words = ["ready"] if name == "web" else ["ready", "live"]
            done = subprocess.run([sys.executable, "-m", "portal", *words], cwd=where, env=told)
            assert done.returncode == 0, (self.log / f"{name}-{port}.log").read_text()[-3000:]

    def stop(self, name: str, port: int = 0) -> None:
        process = self.standing.pop(f"{name}-{port}")
        process.terminate()
        process.wait(70)

    def exchange(self, name: str, where: Path, port: int = 0) -> None:
        self.stop(name, port)
        self.start(name, where, port)

    def flask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of `flask portal`."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "portal", *words]
        return subprocess.run(command, cwd=ROOT, env=self.told, capture_output=True, text=True)

    def release(self, where: Path) -> None:
        told = {**self.told, "DATABASE_OWNER_URL": self.owner_url}
        done = subprocess.run(
            [sys.executable, "-m", "portal", "release"], cwd=where, env=told, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def versions(self) -> list[str]:
        """What each web says it is."""
        found = []
        for port in self.ports:
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/health/detailed", headers={"Authorization": f"Bearer {TOKEN}"}
            )
            try:
                with urllib.request.urlopen(asked, timeout=20) as answer:
                    found.append(json.load(answer)["version"])
            except urllib.error.HTTPError as degraded:  # such as: the code is at another migration
                found.append(json.load(degraded)["version"])
        return found

    def end(self) -> None:
        """End what still stands."""
        for process in self.standing.values():
            process.terminate()
        for process in self.standing.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(70)
            process.kill()


@contextmanager
def on_a_host(ground: Ground, database: str, redis_number: int, place: Path, **more: str) -> Iterator[Host]:
    """A host on which nothing stands yet, with two ports for webs; everything ends with the block."""
    ports = [processes.free_port() for _ in range(3)]
    told = environment(
        ground, database, redis_number, PORTAL_DATA=str(place / "portal"), TRUSTED_PROXIES="1", METRICS_TOKEN=TOKEN,
        HOST="127.0.0.1", LIVE_PORT=str(ports[2]), VISITS_AHEAD_PER_ACCOUNT="1000", WEB_WORKERS="2",
        BASE_URL=f"http://127.0.0.1:{ports[0]}",
    )  # fmt: skip
    host = Host(told | more, ground.owner_url_of(database), place, ports[:2], ports[2])
    with processes.alone(host.told):
        try:
            yield host
        finally:
            host.end()

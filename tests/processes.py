"""Real processes of the portal: web, worker and clock, for journeys, drills and the bench."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from portal import embedded

ROOT = Path(__file__).resolve().parents[1]
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
READY_WITHIN = 60.0


@dataclass
class Portal:
    """What runs: its address and its processes by name (web, worker, clock)."""

    base_url: str
    environment: dict[str, str]
    commands: dict[str, tuple[str, ...]]
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start these (all when none is named); waits until the web answers."""
        for name in names or tuple(self.commands):
            with (self.log / f"{name}.log").open("ab") as output:
                self.processes[name] = subprocess.Popen(
                    self.commands[name],
                    cwd=ROOT,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=embedded.end_with_parent(signal.SIGTERM),
                )
        if "web" in (names or self.commands):
            self._wait_for_web()

    def stop(self, *names: str, by: int = signal.SIGTERM) -> None:
        """End these (all when none is named), by SIGTERM or another signal."""
        wanted = [self.processes.pop(name) for name in names or tuple(self.processes) if name in self.processes]
        for process in wanted:
            process.send_signal(by)
        for process in wanted:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def said(self, name: str) -> str:
        """The log of one of them."""
        path = self.log / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _wait_for_web(self) -> None:
        give_up = time.monotonic() + READY_WITHIN
        while not _answers(self.base_url):
            if self.processes["web"].poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"The web process did not start:\n{self.said('web')[-3000:]}")
            time.sleep(0.05)


@contextmanager
def running(
    environment: dict[str, str], log: Path, *names: str, web: tuple[str, ...] = (), public_url: str = ""
) -> Iterator[Portal]:
    """The portal on a free port with this environment until the block ends; `web` replaces the usual web command.

    `public_url` is where people reach it when a proxy stands in front.
    """
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    here = {**environment, "BASE_URL": public_url or base_url, "PORT": str(port)}
    log.mkdir(parents=True, exist_ok=True)
    usual = (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "-b", f"127.0.0.1:{port}", "wsgi:app")
    commands = {
        "web": tuple(part.replace("{port}", str(port)) for part in web) or usual,
        "worker": (*FLASK, "portal", "worker"),
        "clock": (*FLASK, "portal", "clock"),
    }
    portal = Portal(base_url, here, commands, log)
    with alone(here):
        _standing.append(portal)
        try:
            portal.start(*names)
            yield portal
        finally:
            portal.stop()
            _standing.remove(portal)


_standing: list[Portal] = []


@contextmanager
def alone(environment: dict[str, str]) -> Iterator[None]:
    """No other portal works on this database with another Redis meanwhile: it would take tasks and send letters."""
    others = [one for one in _standing if _competes(one.environment, environment)]
    resting = [(one, [name for name in ("clock", "worker") if name in one.processes]) for one in others]
    for one, names in resting:
        if names:
            one.stop(*names)
    try:
        yield
    finally:
        for one, names in resting:
            if names:
                one.start(*names)


def _competes(one: dict[str, str], other: dict[str, str]) -> bool:
    database, another = (urlsplit(told["DATABASE_URL"]).path for told in (one, other))
    return database == another and one["REDIS_URL"] != other["REDIS_URL"]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _answers(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False

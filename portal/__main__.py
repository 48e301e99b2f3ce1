"""Starts one process of the portal, once its settings were looked at: `python -m portal web`.

    web       pages and API: Granian on HOST and PORT
    live      streams: gunicorn with gevent on HOST and LIVE_PORT
    worker    what can wait
    clock     what happens by the clock
    release   migrations and the first superadmin, once per version and before the others
    ready     waits until web answers (`ready live`: until live does), for whoever starts one after the other

Ends with 78 and one message that names everything when settings are missing or wrong: a supervisor must not start it
again. Settings come from the environment and from one file (config.read_env_file).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from portal import config
from portal.config import ROOT, Settings

FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
USAGE, TAKEN, NOT_YET = 64, 69, 75  # EX_USAGE, EX_UNAVAILABLE and EX_TEMPFAIL of sysexits.h
READY_WITHIN = 60.0  # seconds
# Longer than an import takes on a busy machine: at SIGHUP a worker ends only when the next one answers.
RESPAWN_SECONDS = 20
# A worker that is told to stop while it still imports does not hear it (Granian 2.8): it is killed after so long.
STOP_SECONDS = 20


def main(words: list[str]) -> int:
    """Become the process that is asked for; returns the exit status when it cannot be started, or of the release."""
    if not (len(words) == 1 and words[0] in {*COMMANDS, "release", "ready"}) and words != ["ready", "live"]:
        print(__doc__, file=sys.stderr)
        return USAGE
    try:
        settings = config.load()
    except config.ConfigError as wrong:
        print(wrong, file=sys.stderr)
        return config.EXIT
    ports = {"web": settings.port, "live": settings.live_port}
    if words[0] == "ready":
        whom = "live" if len(words) == 2 else "web"
        return _ready(whom, settings.host, ports[whom])
    told = config.child_environment(
        FLASK_SKIP_DOTENV="1",  # Flask would read a file of its own choice
        LIVE_CONNECTIONS=str(settings.live_connections),  # for deploy/gunicorn.py
    )
    told.pop("PROMETHEUS_MULTIPROC_DIR", None)  # every process but web is alone
    os.chdir(ROOT)
    if words[0] == "release":
        return _release(told)
    if (port := ports.get(words[0])) and (why := _taken(settings.host, port)):
        print(f"{words[0]} cannot listen on {settings.host} port {port}: {why}.", file=sys.stderr)
        return TAKEN
    if words[0] == "web" and (kept := _counts(settings)):
        told["PROMETHEUS_MULTIPROC_DIR"] = kept
    command = COMMANDS[words[0]](settings)
    os.execve(command[0], command, told)  # noqa: S606 - no shell


def web(settings: Settings) -> tuple[str, ...]:
    """Granian, which answers pages and the API."""
    threads = 16
    return (
        *(
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--host",
            settings.host,
            "--port",
            str(settings.port),
        ),
        *("--workers", str(settings.web_workers), "--blocking-threads", str(threads), "--backpressure", "64"),
        *("--respawn-failed-workers", "--respawn-interval", str(RESPAWN_SECONDS), "--no-access-log"),
        *("--workers-kill-timeout", str(STOP_SECONDS)),
        *("--log-config", "deploy/logging.json", "wsgi:app"),
    )


def live(settings: Settings) -> tuple[str, ...]:
    """gunicorn with gevent, which holds streams."""
    bind = f"{settings.host}:{settings.live_port}"
    return (
        *(sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "-b", bind),
        *("--log-config-json", "deploy/logging.json", "wsgi:app"),
    )


def _release(told: dict[str, str]) -> int:
    for words in (("db", "upgrade"), ("portal", "ensure-admin")):
        if failed := subprocess.call([*FLASK, *words], env=told):
            return failed
    return 0


def _ready(whom: str, host: str, port: int) -> int:
    """Wait until /health/ready says 200; says in one sentence when it does not in time."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  # nosec B104
    address, until, said = f"http://{shown}:{port}/health/ready", time.monotonic() + READY_WITHIN, ""
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return 0
        except urllib.error.HTTPError as no:
            said = f"it answers {no.code}"
        except OSError as why:
            reason = getattr(why, "reason", why)
            said = (getattr(reason, "strerror", None) or str(reason)).lower()
        time.sleep(0.2)
    print(f"{whom} is not ready at {address} after {READY_WITHIN:.0f} seconds: {said}.", file=sys.stderr)
    return NOT_YET


def _counts(settings: Settings) -> str:
    """An empty folder in which the processes of this web share their counts; "" where none can be made.

    Of its own for each port, so that two webs of one host do not empty each other's.
    """
    kept = Path(settings.metrics_dir or settings.portal_data / "metrics").resolve() / str(settings.port)
    try:
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
    except OSError as why:
        said = (why.strerror or str(why)).lower()
        print(f"/metrics tells of one process a time: {kept} cannot be made: {said}.", file=sys.stderr)
        return ""
    return str(kept)


def _taken(host: str, port: int) -> str:
    """Why nobody can listen there, in the system's words; empty when one can. Granian would share a port silently."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as why:
        return (why.strerror or str(why)).lower()
    return ""


def worker(_settings: Settings) -> tuple[str, ...]:
    """RQ's worker."""
    return (*FLASK, "portal", "worker")


def clock(_settings: Settings) -> tuple[str, ...]:
    """What asks for work by the clock, and finds work that was lost."""
    return (*FLASK, "portal", "clock")


COMMANDS = {"web": web, "live": live, "worker": worker, "clock": clock}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The whole portal with one command: engines, migrations, the demo, web, worker and clock.

    python -m portal.run_all [--with-parent]

Ctrl-C or SIGTERM ends all of it in order; when this process is killed, the kernel ends the rest.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from types import FrameType

from portal import config, embedded
from portal.config import ROOT, ConfigError, LaunchSettings

FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
READY_WITHIN = 120.0  # seconds from the first start of web to 200 on /health
ENDS_BEFORE_READY = 3
LAST_WORDS = 15.0  # seconds a child gets to end by itself
LONGEST_BACKOFF = 30.0
LEAST_FREE = 300 * 2**20  # bytes: a new database with the demo takes half of it


class CannotRun(Exception):
    """One sentence that says why."""


class Stopped(BaseException):
    """Somebody asked us to stop."""


def main() -> None:
    """Run until told to stop; ends with 0 after Ctrl-C or SIGTERM, with 1 and one sentence when it cannot run."""
    if "--prepare" in sys.argv[1:]:
        return prepare(int(sys.argv[-1]))
    if "--with-parent" in sys.argv[1:] and (ask := embedded.end_with_parent(signal.SIGTERM, own=True)):
        ask()
    for word in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(word, _stop)
    try:
        run(config.before_start())
    except Stopped:
        print("Portal has stopped.", flush=True)
    except (CannotRun, ConfigError, embedded.EngineError) as why:
        sys.exit(f"{why}")


def run(told: LaunchSettings) -> None:
    """Everything from the engines to the last line of output; leaves nothing running, whatever happens."""
    began = time.monotonic()
    _refuse_a_taken_port(told.port)
    _refuse_an_unusable_folder(told.portal_data)
    with ExitStack() as ending:
        print(f"Portal is starting in {told.portal_data} …", flush=True)
        engines = ending.enter_context(_engines(told))
        ending.callback(_ignore_more_signals)
        environment = config.child_environment(**_settings(told, engines))
        print("Preparing the database (the first time with the demo: half a minute) …", flush=True)
        accounts = _prepare(environment | {"DATABASE_OWNER_URL": told.database_owner_url or engines.owner_url})
        children = _children(told.port, environment)
        ending.callback(_stop_children, children)
        ending.callback(print, "Stopping …", flush=True)
        web, *others = children
        web.start()
        _wait_until_ready(told.port, web)
        for child in others:  # after web: each takes a processor for a second or two to start
            child.start()
        print(f"\nPortal is ready after {time.monotonic() - began:.1f} s: {_address(told)}\n", flush=True)
        print(f"{accounts}\nCtrl-C stops everything.", flush=True)
        while True:
            time.sleep(0.5)
            for name in engines.revive():
                print(f"{name} had ended and runs again.", flush=True)
            for child in children:
                child.revive()


class Child:
    """A process of the portal, started again when it ends by itself, its lines marked with its name."""

    def __init__(self, name: str, command: tuple[str, ...], environment: dict[str, str]) -> None:
        self.name, self.command, self.environment = name, command, environment
        self.process: subprocess.Popen[str] | None = None
        self.backoff, self.ends = 0.5, 0
        self.started = self.not_before = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = _popen(self.command, self.environment)
        threading.Thread(target=self._relay, args=(self.process,), daemon=True).start()

    def revive(self) -> None:
        """Start it again if it has ended; the longer, the more often it ends soon after a start."""
        now = time.monotonic()
        if self.process and self.process.poll() is not None:
            self.backoff = 0.5 if now - self.started > LONGEST_BACKOFF else min(self.backoff * 2, LONGEST_BACKOFF)
            self.not_before, self.ends = now + self.backoff, self.ends + 1
            print(f"{self.name} ended with {self.process.returncode}; again in {self.backoff:.0f} s.", flush=True)
            self.process = None
        if self.process is None and now >= self.not_before:
            self.start()

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def wait(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _relay(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            print(f"{self.name:<6} | {line}", end="", flush=True)


def _children(port: int, environment: dict[str, str]) -> list[Child]:
    quiet = ("--log-level", environment["LOG_LEVEL"].lower(), "wsgi:app")
    web = (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "-b", f"127.0.0.1:{port}", *quiet)
    return [
        Child("web", web, environment),
        Child("worker", (*FLASK, "portal", "worker"), environment),
        Child("clock", (*FLASK, "portal", "clock"), environment),
    ]


def _stop_children(children: list[Child]) -> None:
    """First who makes work, web and clock; then who does it."""
    _ignore_more_signals()
    doing = [child for child in children if child.name == "worker"]
    for group in ([child for child in children if child not in doing], doing):
        for child in group:
            child.ask_to_stop()
        for child in group:
            child.wait()


def _engines(told: LaunchSettings) -> embedded.Engines:
    return embedded.start(told.portal_data, want_postgres=not told.database_url, want_redis=not told.redis_url)


def _settings(told: LaunchSettings, engines: embedded.Engines) -> dict[str, str]:
    """What the children are told; the defaults suit a demo on this machine."""
    return {
        "PORTAL_MODE": told.portal_mode,
        "PORTAL_DATA": str(told.portal_data.resolve()),
        "PORT": str(told.port),
        "DATABASE_URL": told.database_url or engines.database_url,
        "DATABASE_OWNER_URL": "",  # only who migrates is told
        "REDIS_URL": told.redis_url or engines.redis_url,
        "SECRET_KEY": told.secret_key or _kept_secret(told.portal_data / "secret_key"),
        "BASE_URL": _address(told),
        "MAIL_URL": told.mail_url,
        "LOG_LEVEL": told.log_level,
        "PASSWORD_MIN_LENGTH": told.password_min_length,
        "PYTHONUNBUFFERED": "1",
        "PORTAL_ENV_FILE": "",  # a file of settings is for production
        "FLASK_SKIP_DOTENV": "1",
    }


def _address(told: LaunchSettings) -> str:
    return told.base_url or f"http://127.0.0.1:{told.port}"


def _kept_secret(path: Path) -> str:
    """Made once: sessions and links outlive a restart."""
    if not path.exists() or not path.read_text().strip():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()


def _prepare(environment: dict[str, str]) -> str:
    """Migrate and fill the demo, in one process since each takes seconds to start; returns the list of accounts."""
    with tempfile.TemporaryFile("w+") as accounts:
        command = (sys.executable, "-m", "portal.run_all", "--prepare", str(accounts.fileno()))
        process = _popen(command, environment, relayed=False, pass_fds=(accounts.fileno(),))
        try:
            failed = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if failed:
            raise CannotRun("Portal did not start: the database could not be prepared (the reason stands above).")
        accounts.seek(0)
        return accounts.read()


def prepare(accounts: int) -> None:
    """`flask db upgrade`; in the demo also `portal seed-demo` and, into the open file given, `portal demo-accounts`."""
    from flask.cli import ScriptInfo

    from wsgi import app

    def flask(*words: str) -> None:
        app.cli.main(args=list(words), prog_name="flask", obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)

    flask("db", "upgrade")
    if config.load().is_demo:
        flask("portal", "seed-demo")
        with os.fdopen(accounts, "w") as file, redirect_stdout(file):
            flask("portal", "demo-accounts")


def _popen(
    command: tuple[str, ...], environment: dict[str, str], *, relayed: bool = True, pass_fds: tuple[int, ...] = ()
) -> subprocess.Popen[str]:
    """A child that Ctrl-C reaches only through us, and that ends with us."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if relayed else None,
        stderr=subprocess.STDOUT if relayed else None,
        start_new_session=True,
        pass_fds=pass_fds,
        preexec_fn=embedded.end_with_parent(signal.SIGTERM),
    )


def _refuse_an_unusable_folder(data: Path) -> None:
    """Raises CannotRun with one sentence when nothing can be kept there, or hardly anything more."""
    change = "Set PORTAL_DATA to a folder that you can write."
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            free = shutil.disk_usage(data).free
    except (FileExistsError, NotADirectoryError):
        raise CannotRun(f"Portal cannot run in {data}: it is, or lies below, a file. {change}") from None
    except OSError as why:
        raise CannotRun(f"Portal cannot write in {data} ({why.strerror}). {change}") from None
    if free < LEAST_FREE:
        said = f"Only {free / 2**20:.0f} MiB are free in {data}, and {LEAST_FREE / 2**20:.0f} are needed."
        raise CannotRun(f"{said} Make room, or set PORTAL_DATA to another disk.")


def _refuse_a_taken_port(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except PermissionError:
            raise CannotRun(f"Port {port} is for root only; choose another: PORT=8001 make run.") from None
        except OSError:
            raise CannotRun(f"Port {port} is taken; choose another: PORT={port + 1} make run.") from None


def _wait_until_ready(port: int, web: Child) -> None:
    give_up = time.monotonic() + READY_WITHIN
    while not _is_ready(port):
        web.revive()
        if web.ends >= ENDS_BEFORE_READY:
            raise CannotRun(f"Portal did not start: web ended {web.ends} times (the reason stands above).")
        if time.monotonic() > give_up:
            raise CannotRun(f"Portal did not answer on port {port} within {READY_WITHIN:.0f} seconds (see above).")
        time.sleep(0.1)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _stop(number: int, frame: FrameType | None) -> None:
    _ignore_more_signals()
    raise Stopped


def _ignore_more_signals() -> None:
    for word in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(word, signal.SIG_IGN)


if __name__ == "__main__":
    main()

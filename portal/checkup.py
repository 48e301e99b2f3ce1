"""Is everything there that the portal needs, and what to do where it is not (`flask portal doctor`, /health)."""

from __future__ import annotations

import resource
import smtplib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from portal import worker
from portal.config import ROOT, VERSION, Settings
from portal.core import clock, live, roles, task_counts
from portal.core.db import session, undo
from portal.domain.identity import rotation, spellings
from portal.embedded import QUIET_LOG
from portal.gateways import anchors, mail, sms

Found = TypeVar("Found")

POSTGRES_NEEDED = 15  # the suite passes on it and on 18 (OPERATIONS.md)
EXTENSIONS = ("btree_gist", "citext", "pg_trgm", "unaccent")
OWN_FILES = 200  # of a `live` process beside its streams: the database, Redis, modules
MOST_SKEW = 2.0  # seconds
MOST_WAITING = 300.0  # seconds a due task may wait before somebody should look
ASKED_EVERY = 1.0  # seconds for which a process remembers whether it was ready: anybody may ask

_WAITING = text(
    """SELECT count(*) FILTER (WHERE state = 'waiting' AND due_at <= :now) AS due,
              count(*) FILTER (WHERE state = 'failed') AS failed,
              coalesce(extract(epoch FROM :now - min(due_at) FILTER (WHERE state = 'waiting')), 0) AS oldest
         FROM tasks WHERE state = 'failed' OR (state = 'waiting' AND due_at <= :now)"""
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is well, what was seen, and what to do when it is not."""

    ok: bool
    what: str
    said: str
    do: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything an installation needs; needs an application context. Never raises for what it finds."""
    return [
        *_database(),
        *_only_at_the_terminal(),
        *_pooling(settings),
        *_former_secrets(),
        *_role(),
        *_anchors(),
        *_redis(settings),
        _open_files(settings),
        _mail(settings),
        _sms(settings),
        _video(settings),
        _data(settings),
        _secret(settings),
        _address(settings),
        _second_factor(settings),
    ]


def state(settings: Settings) -> dict[str, object]:
    """Whether the portal can do its work now, for monitors: parts that are well or not, and how far behind it is."""
    found = [*_database(), *_redis(settings)]
    parts = {finding.what: "ok" if finding.ok else finding.said for finding in found}
    well = all(finding.ok for finding in found)
    about = {"status": "ok" if well else "degraded", "version": VERSION}
    return {**about, "parts": parts, **_guarded(waiting, dict[str, float]())}


def is_ready() -> bool:
    """Whether this process can answer requests: the database does, and has the tables that this code needs.

    A database that is further than the code is ready too: while a new version comes the old one goes on. Redis is not
    asked for, since bookings go on without it.
    """
    global _ready
    asked, was = _ready
    if time.monotonic() >= asked + ASKED_EVERY:
        was = _can_answer()
        _ready = time.monotonic(), was
    return was


_ready = (-ASKED_EVERY, False)


def _can_answer() -> bool:
    for again in (True, False):
        try:
            if not session().scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")):
                return False
            here = set(session().scalars(text("SELECT version_num FROM alembic_version")))
            heads, known = _versions()
            return bool(here) and (here == heads or not here <= known)
        except SQLAlchemyError as wrong:
            undo()
            if not (again and getattr(wrong, "connection_invalidated", False)):  # it was exchanged meanwhile
                return False
    return False


@cache
def _versions() -> tuple[frozenset[str], frozenset[str]]:
    """The last migrations of this code, and all of them."""
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    return frozenset(scripts.get_heads()), frozenset(one.revision for one in scripts.walk_revisions())


def gauges(settings: Settings) -> dict[str, tuple[str, str, dict[str, float]]]:
    """The figures that are read when Prometheus asks: tasks, visits, workers."""
    found: dict[str, tuple[str, str, dict[str, float]]] = {}
    counts = _guarded(task_counts.not_done, dict[str, int]())
    found["portal_tasks"] = (
        "Background tasks that are not done, by state.",
        "state",
        {name: float(n) for name, n in counts.items()},
    )
    found["portal_appointments"] = ("Appointments by status.", "status", _guarded(_appointments, dict[str, float]()))
    late = _guarded(waiting, dict[str, float]()).get("oldest_waiting_seconds", 0.0)
    found["portal_oldest_waiting_task_seconds"] = ("Age of the oldest task that is due.", "", {"": late})
    workers = _guarded(lambda: float(worker.workers_seen(settings.redis_url)), 0.0)
    found["portal_workers"] = ("Workers that said they are alive.", "", {"": workers})
    return found


def waiting() -> dict[str, float]:
    """How many tasks are due, for how many seconds the oldest has been, and how many failed for good."""
    row = session().execute(_WAITING, {"now": clock.now()}).one()
    return {"due_tasks": row.due, "oldest_waiting_seconds": float(row.oldest), "failed_tasks": row.failed}


def _database() -> Iterator[Finding]:
    try:
        number = int(session().execute(text("SHOW server_version_num")).scalar_one())
        yield _version(number // 10_000)
        yield _extensions(set(session().scalars(text("SELECT extname FROM pg_extension"))))
        yield _migrations()
        yield _skew()
        yield _behind()
    except SQLAlchemyError as wrong:
        undo()
        said = str(getattr(wrong, "orig", None) or wrong).strip().splitlines()[0]
        yield Finding(False, "database", said, "Start PostgreSQL, and check DATABASE_URL.")


def _version(major: int) -> Finding:
    said = f"PostgreSQL {major}; {POSTGRES_NEEDED} or later is needed"
    return Finding(
        major >= POSTGRES_NEEDED, "database", said, "" if major >= POSTGRES_NEEDED else "Upgrade PostgreSQL."
    )


def _extensions(there: set[str]) -> Finding:
    missing = [name for name in EXTENSIONS if name not in there]
    said = f"missing: {', '.join(missing)}" if missing else ", ".join(EXTENSIONS)
    do = "As a database superuser: " + " ".join(f"CREATE EXTENSION {name};" for name in missing) if missing else ""
    return Finding(not missing, "extensions", said, do)


def _migrations() -> Finding:
    heads = _versions()[0]
    known = session().scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    here = set(session().scalars(text("SELECT version_num FROM alembic_version"))) if known else set()
    ok = heads == here
    said = (
        "at head"
        if ok
        else f"the database is at {', '.join(sorted(here)) or 'nothing'}, the code at {', '.join(sorted(heads))}"
    )
    return Finding(ok, "migrations", said, "" if ok else "Run: flask db upgrade")


def _only_at_the_terminal() -> Iterator[Finding]:
    """What monitors are not told: it names accounts, or is as it is for as long as the server stands."""
    try:
        yield _addresses()
        yield _server_log()
    except SQLAlchemyError:
        undo()  # said already


def _addresses() -> Finding:
    """Two accounts of one e-mail address, from before it had one form: the next migration waits for them."""
    known = session().scalar(text("SELECT to_regclass('users') IS NOT NULL"))
    twice = list(spellings.twice(session().connection())) if known else []
    said = "; ".join(", ".join(map(str, group)) for group in twice)
    do = "Give one account of each group another address, or delete it, before `flask db upgrade`." if twice else ""
    return Finding(not twice, "accounts", f"one address in two spellings: {said}" if twice else "one an address", do)


def _server_log() -> Finding:
    """What PostgreSQL writes into its own log when a statement fails: by default the statement with its values."""
    asked = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
    found = {row.name: row.setting for row in session().execute(asked, {"names": list(QUIET_LOG)})}
    loud = sorted(name for name, value in QUIET_LOG.items() if found.get(name) != value)
    said = f"may hold what was entered, by {', '.join(loud)}" if loud else "holds no values"
    do = "Set in PostgreSQL: " + ", ".join(f"{name} = {QUIET_LOG[name]}" for name in loud) if loud else ""
    return Finding(not loud, "server log", said, do)


def _skew() -> Finding:
    before = clock.now()
    there = session().execute(text("SELECT clock_timestamp()")).scalar_one()
    after = clock.now()
    skew = max((there - after).total_seconds(), (before - there).total_seconds(), 0.0)
    ok = skew <= MOST_SKEW
    said = f"the database and this host differ by {skew:.1f} s" if skew else "the database and this host agree"
    return Finding(
        ok, "clock", said, "" if ok else "Keep both clocks by NTP; links, sessions and reminders depend on them."
    )


def _behind() -> Finding:
    known = session().scalar(text("SELECT to_regclass('tasks') IS NOT NULL"))
    found = waiting() if known else {"due_tasks": 0, "oldest_waiting_seconds": 0.0, "failed_tasks": 0}
    late = found["oldest_waiting_seconds"] > MOST_WAITING
    said = f"{found['due_tasks']:.0f} due, {found['failed_tasks']:.0f} failed"
    if late:
        said += f", the oldest waits for {found['oldest_waiting_seconds']:.0f} s"
    return Finding(not late, "tasks", said, "Start more workers, and look at /admin/tasks." if late else "")


def _pooling(settings: Settings) -> Iterator[Finding]:
    """Whether what is prepared is there in the next transaction: it is asked on the same connection of the server."""
    told, backend = settings.database_pooling, text("SELECT pg_backend_pid()")
    try:
        engine = create_engine(settings.sqlalchemy_url, poolclass=NullPool)
        with engine.connect() as one, engine.connect() as other:
            with one.begin():
                before = one.scalar(backend)
            other.execute(backend)  # takes the connection that `one` had, where they are shared
            found = "session" if one.scalar(backend) == before else "transaction"
    except SQLAlchemyError:
        return  # said already
    said = f"each {found} has a connection, DATABASE_POOLING={told}"
    do = "" if (found, told) != ("transaction", "session") else "Set DATABASE_POOLING=transaction (OPERATIONS.md)."
    yield Finding(not do, "pooling", said, do)


def _former_secrets() -> Iterator[Finding]:
    """What a change of SECRET_KEY left behind, or a backup that came back beside another one."""
    try:
        known = session().scalar(text("SELECT to_regclass('second_factors') IS NOT NULL"))
        kept = rotation.kept() if known else rotation.Kept()
    except SQLAlchemyError:
        return undo()  # said already
    said = f"{kept.present} second factors under the present secret"
    do = ""
    if kept.former:
        said, do = f"{said}, {kept.former} under a former one", "Run: flask portal reencrypt"
    if kept.unreadable:
        said += f", {kept.unreadable} under one that is not known"
        do = "Name the secret of that time in SECRET_KEY_PREVIOUS, and run: flask portal reencrypt"
    yield Finding(not do, "encrypted", said, do)


def _role() -> Iterator[Finding]:
    """The application must not be able to rewrite what happened, even when it was taken over."""
    try:
        wrong = roles.too_mighty(session().connection())
    except SQLAlchemyError:
        return undo()  # said already
    do = "Give the portal a role that owns nothing (OPERATIONS.md): DATABASE_URL, with DATABASE_OWNER_URL to migrate."
    yield Finding(not wrong, "database role", wrong or "owns nothing, and changes no event", do if wrong else "")


def _anchors() -> Iterator[Finding]:
    for place in anchors.places():
        try:
            place.check()
            yield Finding(True, "audit seals", f"also kept at {place.name}")
        except OSError as wrong:
            yield Finding(False, "audit seals", f"{place.name}: {wrong.strerror}", "Check AUDIT_SEALS_TO.")
    if not anchors.places():
        yield Finding(True, "audit seals", "logged only; AUDIT_SEALS_TO keeps them outside the database as well")


def _redis(settings: Settings) -> Iterator[Finding]:
    try:
        version = str(live.client().info("server")["redis_version"])
        yield Finding(True, "redis", f"Redis {version}")
        seen = worker.workers_seen(settings.redis_url)
    except (live.Away, OSError) as away:
        do = "Start Redis, and check REDIS_URL. Bookings go on meanwhile; notices wait."
        yield Finding(False, "redis", str(away), do)
        return
    do = "" if seen else "Start one: flask --app wsgi portal worker. Notices wait until then."
    yield Finding(bool(seen), "worker", f"{seen} seen" if seen else "none seen", do)


def _open_files(settings: Settings) -> Finding:
    """Each stream is an open file of the `live` process, which asks for as many as the system grants it."""
    granted = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = settings.live_connections + OWN_FILES
    enough = granted == resource.RLIM_INFINITY or granted >= wanted
    said = f"{'any number' if granted == resource.RLIM_INFINITY else granted} may be open, {wanted} are needed"
    do = f"Raise the limit (ulimit -Hn, LimitNOFILE) for `live` to {wanted}, or lower LIVE_CONNECTIONS."
    return Finding(enough, "open files", said, "" if enough else do)


def _mail(settings: Settings) -> Finding:
    if settings.keeps_mail:
        return _writable("mail", settings, "mail", f"kept in {settings.portal_data / 'mail'}, not sent")
    try:
        mail.Smtp(settings.mail_url).check()
    except (OSError, smtplib.SMTPException) as wrong:
        return Finding(False, "mail", f"{type(wrong).__name__}: {wrong}", "Check MAIL_URL and the mail server.")
    return Finding(True, "mail", "the mail server answers")


def _sms(settings: Settings) -> Finding:
    """Nothing is sent to find out: a provider is asked only whether it answers at all."""
    if settings.sms_address.startswith("keep:"):
        return _writable("sms", settings, "sms", f"kept in {settings.portal_data / 'sms'}, not sent")
    if not settings.sms_address:
        return Finding(True, "sms", "not configured: people are told by e-mail, or called")
    if not settings.sms_token:
        return Finding(False, "sms", "SMS_TOKEN is missing", "Set SMS_TOKEN to what the provider gave you.")
    try:
        sms.Http(settings.sms_url, settings.sms_token, settings.sms_from).check()
    except OSError as wrong:
        return Finding(False, "sms", type(wrong).__name__, "Check SMS_URL, SMS_TOKEN and the way to the provider.")
    return Finding(True, "sms", "the provider answers")


def _video(settings: Settings) -> Finding:
    """Nobody is asked: a provider that is away is seen by whoever opens a room."""
    if not settings.video_address:
        return Finding(True, "video", "not configured: video visits have no link, the clinic says how they take place")
    return Finding(True, "video", settings.video_address)


def _data(settings: Settings) -> Finding:
    return _writable("data", settings, ".", f"{settings.portal_data} can be written")


def _writable(what: str, settings: Settings, folder: str, said: str) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=settings.portal_data / folder):
            return Finding(True, what, said)
    except OSError as wrong:
        return Finding(False, what, str(wrong), "Make PORTAL_DATA a folder this user can write.")


def _secret(settings: Settings) -> Finding:
    key = settings.secret_key
    strong = len(key) >= 32 and len(set(key)) >= 12
    if "," in key:
        do = "Take one without, while little depends on it: former ones are listed with commas between."
        return Finding(False, "secret key", "has a comma, so it can never be named in SECRET_KEY_PREVIOUS", do)
    do = "" if strong else "Make one: openssl rand -hex 32. Changing it signs everybody out."
    return Finding(strong, "secret key", "long and varied" if strong else "too simple to be secret", do)


def _address(settings: Settings) -> Finding:
    safe = settings.base_url.startswith("https://") or settings.portal_mode != "production"
    do = "" if safe else "Set BASE_URL to the https:// address people use; cookies are not safe without it."
    return Finding(safe, "address", settings.base_url, do)


def _second_factor(settings: Settings) -> Finding:
    asked = settings.staff_need_second_factor
    do = (
        ""
        if asked or settings.portal_mode != "production"
        else "Set SECOND_FACTOR=staff: a password alone is not enough."
    )
    return Finding(not do, "second factor", "asked of all who work here" if asked else "asked of nobody", do)


def _appointments() -> dict[str, float]:
    found = session().execute(text("SELECT status, count(*) AS number FROM appointments GROUP BY status"))
    return {row.status: float(row.number) for row in found}


def _guarded(read: Callable[[], Found], otherwise: Found) -> Found:
    """What was read, or `otherwise` when a part is away: a figure that is missing must not hide the others."""
    try:
        return read()
    except (SQLAlchemyError, live.Away, OSError):
        undo()
        return otherwise

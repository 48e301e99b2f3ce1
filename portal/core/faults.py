"""What may be told of an exception: which it is, its codes, and where it was raised. Never what it says.

What an exception says repeats what people typed: PostgreSQL quotes values ("invalid input syntax …", DETAIL: Key
(email)=(…)), SQLAlchemy parameters, a parser its input, a mail server an address. Logs, task rows and Redis get this
description instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from traceback import StackSummary, walk_tb

import psycopg2
from sqlalchemy.exc import DBAPIError

from portal.core.errors import Refused

ROOT = str(Path(__file__).resolve().parent.parent.parent)
MOST_FRAMES = 40  # of one exception, the innermost
MOST_CAUSES = 8
REASONS = (  # of libpq, PostgreSQL, PgBouncer, Redis and the C library
    "Connection refused", "Connection reset by peer", "Connection timed out", "timeout expired", "Timeout reading",
    "No such file or directory", "No route to host", "Network is unreachable", "could not translate host name",
    "Name or service not known", "Temporary failure in name resolution", "Permission denied",
    "server closed the connection unexpectedly", "terminating connection due to administrator command",
    "Connection closed by server", "connection already closed", "SSL connection has been closed unexpectedly",
    "the database system is starting up", "the database system is shutting down", "in recovery mode",
    "password authentication failed", "no pg_hba.conf entry", "too many clients", "remaining connection slots",
    "certificate verify failed", "SSL error", "no more connections allowed", "query_wait_timeout",
    "pgbouncer cannot connect to server", "server login has been failing", "LOADING", "NOAUTH", "WRONGPASS",
    "max number of clients reached", "Too many connections", "Error while reading from socket",
)  # fmt: skip
_PLAIN_NAME = re.compile(r"[\w.$-]{1,128}", re.ASCII)


def describe(error: BaseException) -> str:
    """The exceptions that led to it, the first one first: frames as file:line function, then class and codes."""
    told = ["\n".join([*_frames(one), name_of(one)]) for one in _chain(error)]
    return "\nwhich led to\n".join(told)


def name_of(error: BaseException) -> str:
    """The class with its codes, such as psycopg2.errors.UniqueViolation (sqlstate 23505, constraint uq_users_email)."""
    kind = type(error)
    known = ", ".join(f"{what} {value}" for what, value in _codes(error))
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name} ({known})" if known else name


def reason(error: BaseException) -> str:
    """Why a server could not be reached, in one of the phrases that servers and the system have for it; else its name.

    Such a message names hosts, ports and roles beside the phrase; one that we do not know might name anything.
    """
    said = str(getattr(error, "orig", None) or error).casefold()
    return next((phrase for phrase in REASONS if phrase.casefold() in said), name_of(error))


def place(filename: str) -> str:
    """A source file as it is named here: below the project, or below the folder packages are installed in."""
    if filename.startswith(ROOT) and "site-packages" not in filename:
        return filename[len(ROOT) + 1 :]
    return filename.rpartition("site-packages/")[2]


def _codes(error: BaseException) -> Iterator[tuple[str, str]]:
    """What names the failure and comes from a fixed list: of ours, of PostgreSQL, of the system, of SMTP."""
    if isinstance(error, Refused):
        yield "code", error.code
    if isinstance(error, DBAPIError):
        yield from _codes(error.orig or ValueError())
    if isinstance(error, psycopg2.Error):
        diag = error.diag
        about = ("constraint", diag.constraint_name), ("table", diag.table_name), ("column", diag.column_name)
        for what, value in (("sqlstate", error.pgcode), *about):
            if value and _PLAIN_NAME.fullmatch(value):
                yield what, value
    if isinstance(error, OSError) and isinstance(error.errno, int):
        yield "errno", str(error.errno)
    status = getattr(error, "smtp_code", None)  # smtplib.SMTPResponseException
    if isinstance(status, int):
        yield "status", str(status)


def _chain(error: BaseException) -> list[BaseException]:
    """What it came from and itself, the first one first; the innermost are left out of a long chain."""
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain and len(chain) < MOST_CAUSES:
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return chain[::-1]


def _frames(error: BaseException) -> list[str]:
    found = StackSummary.extract(walk_tb(error.__traceback__), lookup_lines=False)  # the lines of source are not read
    return [f"  {place(one.filename)}:{one.lineno} {one.name}" for one in found[-MOST_FRAMES:]]

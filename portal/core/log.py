"""JSON logs, one line an entry, each with the correlation id of the request or task it belongs to. Ids, never names.

An exception is told by its class, its codes and its frames (core/faults.py). Of what libraries say only the sentence
that stands in their source is told, without what they put into it: that may be an address, a value or an exception's
own words.
"""

from __future__ import annotations

import logging
import secrets
import sys
import threading
import time
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from portal.core import faults

OURS = ("portal", "alembic")  # alembic names revisions, and nothing else
SERVERS = ("gunicorn.error", "gunicorn.access", "_granian", "granian.access")
_correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
_logger = logging.getLogger("portal")
_told: dict[str, tuple[float, int]] = {}  # by message: when it was told last, and how often it was left out since
_told_lock = threading.Lock()
_requests = logging.getLogger("portal.requests")


class Formatter(JsonFormatter):
    """One JSON object a line, without anything that was given to the portal."""

    def __init__(self) -> None:
        renamed = {"asctime": "at", "levelname": "level"}
        super().__init__("{asctime}{levelname}{name}{message}", style="{", rename_fields=renamed)

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record if record.name.partition(".")[0] in OURS else _without_values(record))

    def formatException(self, ei: Any) -> str:
        return faults.describe(ei[1]) if ei and ei[1] else ""

    def formatStack(self, stack_info: Any) -> str:
        return ""


class Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream; an entry that cannot be written is told by its place in the source alone."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(Formatter())
        self.addFilter(_with_correlation)

    def handleError(self, record: logging.LogRecord) -> None:
        wrong = sys.exc_info()[1]
        said = f"{faults.place(record.pathname)}:{record.lineno}: not logged, {wrong and faults.name_of(wrong)}\n"
        try:
            sys.stderr.write(said)
        except (OSError, ValueError):
            return


def configure(level: str) -> None:
    """Write every log entry of this process to standard error as JSON."""
    logging.getLogger().handlers[:] = [Handler(sys.stderr)]
    logging.getLogger().setLevel(max(logging.INFO, getattr(logging, level)))  # libraries' details name addresses
    _logger.setLevel(level)


def take_over() -> None:
    """From here on, what nobody caught in this process and what its server says are entries like the others.

    Servers name whole addresses when a request is malformed or fails, and in their access logs.
    """
    for name in SERVERS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    sys.excepthook = _uncaught
    threading.excepthook = lambda ended: _uncaught(ended.exc_type, ended.exc_value, ended.exc_traceback)
    sys.unraisablehook = lambda lost: _uncaught(lost.exc_type, lost.exc_value, lost.exc_traceback)


def bind(correlation_id: str | None = None) -> str:
    """Begin a correlation: the given id if it is a plain one, else a new one."""
    usable = correlation_id and len(correlation_id) <= 64 and all(c.isalnum() or c in "-_." for c in correlation_id)
    chosen = correlation_id if usable and correlation_id else secrets.token_hex(8)
    _correlation.set(chosen)
    return chosen


def correlation_id() -> str | None:
    return _correlation.get()


def info(message: str, **facts: Any) -> None:
    _logger.info(message, extra=facts)


def warning(message: str, **facts: Any) -> None:
    _logger.warning(message, extra=facts)


def seldom(message: str, **facts: Any) -> None:
    """A warning that may be due for every request at once: told once a second, with the number left out (`more`)."""
    now = time.monotonic()
    with _told_lock:
        at, more = _told.get(message, (float("-inf"), 0))
        if now - at < 1:
            _told[message] = at, more + 1
            return
        _told[message] = now, 0
    _logger.warning(message, extra={**facts, **({"more": more} if more else {})})


def error(message: str, *, exc_info: Any = None, **facts: Any) -> None:
    _logger.error(message, exc_info=exc_info, extra=facts)


def request(*, quietly: bool, **facts: Any) -> None:
    """One entry for an answered request; `quietly` where a monitor asks again and again."""
    _requests.log(logging.DEBUG if quietly else logging.INFO, "request", extra=facts)


def _with_correlation(entry: logging.LogRecord) -> bool:
    if not hasattr(entry, "correlation_id"):
        entry.correlation_id = _correlation.get()
    return True


def _without_values(record: logging.LogRecord) -> logging.LogRecord:
    """A library's entry: the sentence of its source if it is one with places for values, and where it stands."""
    said = record.msg if isinstance(record.msg, str) and record.args else "a library's message"
    place = f"{faults.place(record.pathname)}:{record.lineno} {record.funcName}"
    told = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, said, None, record.exc_info)
    told.created, told.msecs = record.created, record.msecs
    told.said_at, told.correlation_id = place, getattr(record, "correlation_id", None)
    return told


def _uncaught(kind: type[BaseException], value: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    _logger.critical("uncaught", exc_info=value or kind())

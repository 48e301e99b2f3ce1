"""JSON logs, one line an entry, each with the correlation id of the request or task it belongs to. Ids, never names."""

from __future__ import annotations

import logging
import secrets
import sys
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

_correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
_logger = logging.getLogger("portal")


def configure(level: str) -> None:
    """Write every log entry of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}", style="{", rename_fields={"asctime": "at", "levelname": "level"}
        )
    )
    handler.addFilter(_with_correlation)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


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


def error(message: str, *, exc_info: Any = None, **facts: Any) -> None:
    _logger.error(message, exc_info=exc_info, extra=facts)


def _with_correlation(entry: logging.LogRecord) -> bool:
    entry.correlation_id = _correlation.get()
    return True

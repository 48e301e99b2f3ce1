"""What a process of the portal would write into its log, heard in the test's own process."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from portal.core import log


class Heard(io.StringIO):
    """The lines of a log."""

    def entries(self, message: str | None = None) -> list[dict[str, Any]]:
        """Every entry, or only those with this message."""
        found = [json.loads(line) for line in self.getvalue().splitlines()]
        return [one for one in found if message in {None, one["message"]}]


@contextmanager
def hearing(level: int = logging.DEBUG) -> Iterator[Heard]:
    """Everything from this level on, as the log's own handler writes it."""
    heard, loggers = Heard(), (logging.getLogger(), logging.getLogger("portal"))
    handler, before = log.Handler(heard), [one.level for one in loggers]
    loggers[0].addHandler(handler)
    for one in loggers:
        one.setLevel(level)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).disabled = False  # the linter of imports, which a test runs, disables every logger
    try:
        yield heard
    finally:
        loggers[0].removeHandler(handler)
        for one, was in zip(loggers, before, strict=True):
            one.setLevel(was)

"""What drills see: a line for each thing that was done, with what was counted.

A drill is a test with `@pytest.mark.drill("PgBouncer")`: the point of docs/OPERATIONS.md ("Drills") it belongs to. It
says what it saw by the fixture `saw("24 bookings at once", "201: 8, 409: 16")`; one that says nothing is told by its
name. `make drill` prints the lines point by point; `--findings FILE` writes them down (JSON lines).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OTHER = "Whatever else may end"


@pytest.fixture
def saw(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """A function by which a drill says what was done and what was counted."""

    def say(did: str, counted: str) -> None:
        request.node.user_properties.append(("saw", (did, counted)))

    return say


class Findings:
    """Writes down what each drill saw, also when other processes ran it (pytest-xdist)."""

    def __init__(self, path: Path, *, is_worker: bool) -> None:
        self._path, self._is_worker = path, is_worker

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Iterator[None]:
        report: Any = yield
        if mark := item.get_closest_marker("drill"):
            report.user_properties.append(("point", mark.args[0] if mark.args else OTHER))
        return report  # type: ignore[return-value]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line for each thing that was seen, or for the drill as a whole."""
        told = dict(report.user_properties)
        if self._is_worker or "point" not in told or not (report.when == "call" or report.failed or report.skipped):
            return
        seen = [value for name, value in report.user_properties if name == "saw"]
        if not report.passed or not seen:
            seen.append((_sentence(report), self._became(report)))
        with self._path.open("a") as file:
            for did, counted in seen:
                line = {"point": told["point"], "did": did, "counted": counted, "outcome": report.outcome}
                file.write(json.dumps(line) + "\n")

    def _became(self, report: pytest.TestReport) -> str:
        if report.skipped:
            return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        return f"holds ({report.duration:.1f} s)" if report.passed else "FAILED"


def _sentence(report: pytest.TestReport) -> str:
    name, _, case = report.nodeid.rpartition("::")[2].removeprefix("test_").partition("[")
    return name.replace("_", " ") + (f" [{case}" if case else "")

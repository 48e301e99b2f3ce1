"""There is one clock, so that tests can stop it; and every moment has its zone."""

from __future__ import annotations

import ast
import re

from tests.rules.source import dotted, imports, modules, names, texts

THE_CLOCK = "portal/core/clock.py"
READS_TIME = (
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.datetime.now",
    "datetime.date.today",
    "time.time",
    "time.localtime",
    "time.gmtime",
    "func.now",
    "func.current_timestamp",
    "func.clock_timestamp",
)
# Why each may ask somewhere else:
EXCEPTIONS = {
    ("portal/worker.py", "time.time"): "numbers the runs of the schedule by real time",
    ("portal/core/limits.py", "time.time"): "the limits library counts by real time",
}
SQL_CLOCKS = ("now()", "current_timestamp", "clock_timestamp", "current_date", "localtimestamp")


def test_only_the_clock_asks_for_the_time() -> None:
    asked = {
        (path, name)
        for path, tree in modules().items()
        if path != THE_CLOCK
        for _line, name in names(tree)
        if name in READS_TIME
    }
    assert asked - set(EXCEPTIONS) == set()
    assert set(EXCEPTIONS) - asked == set(), "these exceptions are not needed any more"


def test_nobody_takes_the_time_functions_apart() -> None:
    """`from time import time` would hide from the rule above."""
    hidden = {"time.time", "datetime.datetime.now", "datetime.date.today"}
    assert [(path, what) for path, tree in modules().items() for _line, what in imports(tree) if what in hidden] == []


def test_the_database_s_clock_is_not_asked() -> None:
    """A statement is given the time, so that the portal's clock decides."""
    asked = [
        f"{path}:{line}"
        for path, tree in modules().items()
        if path.startswith(("portal/core/", "portal/domain/"))
        for line, text in texts(tree)
        if any(clock in text.lower() for clock in SQL_CLOCKS)
    ]
    assert asked == []


def test_today_is_a_date_of_a_named_zone() -> None:
    """Neither the date of a moment in UTC, nor one that the database reads in its session's own zone."""
    taken = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        if path != THE_CLOCK
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "date"
        and isinstance(node.func.value, ast.Call)
        and dotted(node.func.value.func) in {"clock.now", "now", "datetime.now"}
    ]
    # not asked of a moment: a value that came as a date, and the days of a generated series
    zoned = re.compile(r"AT TIME ZONE (?:[\w.:]+|coalesce\(.*?:home\))\)::date", re.S)
    for path, tree in modules().items():
        for line, text in texts(tree):
            bare = re.sub(r"(?::\w+|\bd\.day)::date", "", zoned.sub("", text))
            taken += [f"{path}:{line}"] * bool(re.search(r"::date\b|\bAS date\)|current_date|date_trunc", bare, re.I))
        taken += [f"{path}:{line}" for line, name in names(tree) if name == "func.current_date"]
    assert taken == []


def test_no_zone_is_taken_for_the_clinic_s_because_none_is_known() -> None:
    """What belongs to no clinic has the portal's dates (`clock.home`), not those of UTC."""
    guessed = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node.func) in {"ZoneInfo", "clock.today", "timezone"}
        and any(isinstance(one, ast.Constant) and one.value == "UTC" for one in node.args)
    ]
    assert guessed == []

"""Measures the portal as it is deployed, beside what the database alone can do. Never part of a pass or fail.

    python -m tests.bench [search] [slots] [mine] [sign-in] [book] [race] [offers] [streams] [time]

Builds 200 doctors, 20,000 patients and 100,000 appointments (for `time` 10,000 doctors and 490,000 appointments),
starts Granian (2 workers of 16 threads), the RQ worker and the clock, and sends the load from a process of its own.
Medians of the rounds. Absolute numbers belong to this machine; the ratio to pgbench, taken in the same run on the same
database, travels.
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask

from portal.core import clock
from portal.core.db import transaction
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.identity import signing
from portal.domain.scheduling import finding, rulebook, timetable
from tests.bench import ground as bench_ground
from tests.bench.load import Plan
from tests.bench.streams import nudge_all
from tests.bench.works import BY_TIME, CLIENTS, Desk, Work, bench_id
from tests.engines import ROOT, Ground

PARTS = ("search", "slots", "mine", "sign-in", "book", "race", "offers", "streams", "time")


@dataclass
class Line:
    """One line of the table."""

    name: str
    rate: str
    p50: str
    p99: str
    compared: str
    bar: str


def main() -> None:
    asked = _asked()
    wanted = asked.parts or list(PARTS)
    with bench_ground.filled(fast=asked.fast) as ground:
        app = bench_ground.application(ground)
        lines: list[Line] = []
        if "offers" in wanted:
            lines.append(_offers(app))
        if "streams" in wanted:
            lines.append(_streams(app, ground, asked.rounds))
        with bench_ground.serving(ground, with_worker=not asked.without_worker) as portal:
            host = urlsplit(portal.base_url).netloc
            signing.issue_as(portal.base_url)  # the tokens of the load are the served portal's
            for work in Desk(app, host).works():
                if work.part in wanted:
                    lines.append(_measure(work, ground, host, asked.seconds, asked.rounds))
                    print(".", end="", flush=True)
            if "time" in wanted:  # last, since nothing else is measured among so many
                lines += _by_time(app, ground)
                for work in Desk(app, host).by_time():
                    lines.append(_measure(work, ground, host, asked.seconds, asked.rounds))
        _show(lines, asked)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure; everything when not said")
    parser.add_argument("--seconds", type=float, default=5, help="length of a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is shown")
    parser.add_argument("--fast", action="store_true", help="PostgreSQL without syncs to disk")
    parser.add_argument("--without-worker", action="store_true", help="no RQ worker and clock beside the load")
    return parser.parse_args()


def _measure(work: Work, ground: Ground, host: str, seconds: float, rounds: int) -> Line:
    """The median of some rounds; a work beside pgbench takes turns with it, so both see the same machine."""
    answers, raw = [], []
    if not work.once:
        _play(work.requests(0), host, min(seconds, 2))  # every worker has its plans and caches
    for number in range(rounds):
        if work.ratio:
            raw.append(bench_ground.pgbench(ground, max(2, round(seconds)), CLIENTS)[0])
        answers.append(_play(work.requests(number), host, 0 if work.once else seconds))
        _look(work, answers[-1])
    if work.once:
        return _race_line(work, answers)
    rates = [_count(one, work.good) / one["seconds"] for one in answers]
    rate = statistics.median(rates)
    compared = f"{_ratio(rates, raw):.2f} of {statistics.median(raw):,.0f}" if raw else ""
    return Line(work.name, f"{rate:,.0f}", _median(answers, "p50"), _median(answers, "p99"), compared, work.bar)


def _ratio(rates: list[float], raw: list[float]) -> float:
    """The median of each round's ratio: what the machine does to one round it does to both."""
    return statistics.median(mine / limit for mine, limit in zip(rates, raw, strict=True))


def _race_line(work: Work, answers: list[dict[str, Any]]) -> Line:
    won = "/".join(str(one["statuses"].get("201", 0)) for one in answers)
    return Line(work.name, f"{won} won", _median(answers, "p50"), _median(answers, "p99"), "", work.bar)


def _play(clients: list[list[bytes]], host: str, seconds: float) -> dict[str, Any]:
    plan = Plan(port=int(host.rpartition(":")[2]), seconds=seconds, clients=clients)
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(plan, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load", file.name], cwd=ROOT, capture_output=True, text=True, check=True
        )
    return dict(json.loads(done.stdout))


def _look(work: Work, answer: dict[str, Any]) -> None:
    """Say what came back that should not have."""
    odd = {status: count for status, count in answer["statuses"].items() if int(status) not in work.good}
    if odd:
        print(f"\n{work.name}: answered {odd}, such as:\n{answer['bad']}", flush=True)


def _offers(app: Flask) -> Line:
    """50 doctors × 14 days of free times in one call of the domain, in this process."""
    ids = [UUID(bench_id("practice", n)) for n in range(1, 51)]
    times = []
    with app.app_context(), transaction():
        for _ in range(9):
            began = time.perf_counter()
            found = _all_offers(ids)
            times.append(1000 * (time.perf_counter() - began))
    name = f"50 doctors x 14 days ({found:,} offers)"
    return Line(name, "", f"{statistics.median(times):.0f}", f"{max(times):.0f}", "", "< 40 ms")


def _streams(app: Flask, ground: Ground, rounds: int) -> Line:
    """One nudge to 1,000 open pages of one process, until the last of them has it."""
    times = [1000 * took for took in nudge_all(app, ground, rounds)]
    name = "1,000 streams, one nudge to all"
    return Line(name, "", f"{statistics.median(times):.0f}", f"{max(times):.0f}", "", "< 1000 ms")


def _by_time(app: Flask, ground: Ground) -> list[Line]:
    """Searches by time among 10,000 doctors, each computed afresh in this process."""
    each = bench_ground.crowd(ground, app)
    times = []
    with app.app_context(), transaction():
        for asked in 3 * BY_TIME:
            finding._times.forget()
            query = DirectoryQuery.parse(asked)
            began = time.perf_counter()
            finding._search(query)
            times.append(1000 * (time.perf_counter() - began))
    p50, p99 = f"{statistics.median(times):.0f}", f"{max(times):.0f}"
    return [
        Line("first free time of a practice, kept", f"{1000 / each:,.0f}", f"{each:.1f}", "", "", ""),
        Line("search by time, 10,000 doctors, afresh", f"{1000 / statistics.mean(times):,.0f}", p50, p99, "", ""),
    ]


def _all_offers(ids: list[UUID]) -> int:
    now = clock.now()
    count, first = 0, now.date()
    for book in rulebook.read(ids, now, now + timedelta(days=15)).values():
        kind = book.admitted()[0]
        last = first + timedelta(days=13)
        count += len(
            timetable.offers(book.timetable, kind.rule, first, last, int(now.timestamp()), kind.policy(for_desk=False))
        )
    return count


def _count(answer: dict[str, Any], good: frozenset[int]) -> int:
    return sum(count for status, count in answer["statuses"].items() if int(status) in good)


def _median(answers: list[dict[str, Any]], what: str) -> str:
    return f"{statistics.median(one[what] for one in answers):.0f}"


def _show(lines: list[Line], asked: argparse.Namespace) -> None:
    heads = Line("work", "per second", "p50 ms", "p99 ms", "ratio to pgbench", "bar")
    widths = [
        max(len(str(value)) for value in column)
        for column in zip(*(vars(one).values() for one in [heads, *lines]), strict=True)
    ]
    print(f"\n\n{clock.now():%Y-%m-%d %H:%M} UTC, {CLIENTS} clients, {asked.rounds} rounds of {asked.seconds:.0f} s")
    for line in [heads, *lines]:
        print("  ".join(f"{value:<{width}}" for value, width in zip(vars(line).values(), widths, strict=True)))


if __name__ == "__main__":
    main()

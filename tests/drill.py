"""`make drill`: everything of docs/OPERATIONS.md ("Drills") with real processes; prints what it saw, point by point.

Drills are tests (tests/findings.py). Those that show that nothing depends on what stands around the portal are run once
more on another PostgreSQL and through PgBouncer. Ends with 1 when one failed; what cannot be run here is named.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.engines import ROOT

OLDEST = Path("/usr/lib/postgresql/15/bin")
AGAIN = ["tests/races/test_drills.py", "tests/races/test_booking_races.py"]
RUNS: list[tuple[str, dict[str, str], list[str]]] = [
    ("", {}, ["tests"]),
    ("PostgreSQL 15", {"POSTGRES_PROGRAMS": str(OLDEST)}, AGAIN),
    ("PgBouncer, pool_mode = session", {"PGBOUNCER": "session"}, AGAIN),
    ("PgBouncer, pool_mode = transaction", {"PGBOUNCER": "transaction"}, AGAIN),
]


def main() -> int:
    """Run them all; returns the exit status."""
    began, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="portal-drill-") as folder:
        for number, (around, told, paths) in enumerate(RUNS):
            if why := _missing(told):
                print(f"\n{around}\n  -  not run: {why}", flush=True)
                continue
            findings = Path(folder) / f"{number}.jsonl"
            command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:warnings", "--tb=short"]
            chosen = ["-m", "drill", "--ignore=tests/bench"] if not around else ["-m", "not long"]
            log = Path(folder) / f"{number}.log"
            with log.open("w") as said:
                words = [*command, *chosen, "--findings", str(findings), *paths]
                status = subprocess.call(words, cwd=ROOT, env=os.environ | told, stdout=said, stderr=said)
            _print(around, findings, log)
            if status:
                failed += 1
                print(log.read_text()[-6000:], flush=True)
    print(f"\n{'Something failed' if failed else 'All of it holds'} ({(time.monotonic() - began) / 60:.0f} minutes).")
    return int(bool(failed))


def _missing(told: dict[str, str]) -> str:
    """Why this cannot be run here; "" when it can."""
    if "POSTGRES_PROGRAMS" in told and not OLDEST.is_dir():
        return f"there is no {OLDEST} (Debian 12: postgresql-15)."
    if "PGBOUNCER" in told and not shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return "PgBouncer is not installed (Debian: pgbouncer)."
    return ""


def _print(around: str, findings: Path, log: Path) -> None:
    """What was seen, a line for each thing that was done; of a run around other servers one line for each."""
    if around:
        last = log.read_text().strip().splitlines()[-1:] or ["nothing was run"]
        print(f"\n{around}\n  {'the drills and races of bookings':60} {last[0].strip('= ')}", flush=True)
        return
    points: dict[str, list[str]] = defaultdict(list)
    for line in findings.read_text().splitlines():
        told = json.loads(line)
        sign = {"passed": "✓", "failed": "✗"}.get(told["outcome"], "-")
        points[told["point"]].append(f"  {sign}  {told['did']}: {told['counted']}")
    for point, lines in points.items():
        print("\n".join(["", point, *lines]), flush=True)


if __name__ == "__main__":
    sys.exit(main())

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
from pathlib import Path

from tests.engines import ROOT

OLDEST = Path("/usr/lib/postgresql/15/bin")
AGAIN = ["tests/races/test_drills.py", "tests/races/test_booking_races.py"]
SIGNS = {"passed": "✓", "failed": "✗", "skipped": "-"}
RUNS: list[tuple[str, dict[str, str], list[str]]] = [
    ("", {}, ["tests"]),
    ("PostgreSQL 15", {"POSTGRES_PROGRAMS": str(OLDEST)}, AGAIN),
    ("PgBouncer, pool_mode = session", {"PGBOUNCER": "session"}, AGAIN),
    ("PgBouncer, pool_mode = transaction", {"PGBOUNCER": "transaction"}, AGAIN),
]


def main() -> int:
    """Run them all; returns the exit status."""
    began, failed = time.monotonic(), False
    with tempfile.TemporaryDirectory(prefix="portal-drill-") as folder:
        for number, (around, told, paths) in enumerate(RUNS):
            if why := _missing(told):
                print(f"\n{around}\n  -  not run: {why}", flush=True)
                continue
            findings, log = Path(folder) / f"{number}.jsonl", Path(folder) / f"{number}.log"
            findings.touch()
            command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--disable-warnings", "--tb=short"]
            chosen = ["-m", "not long"] if around else ["-m", "drill", "--ignore=tests/bench"]
            with log.open("w") as said:
                words = [*command, *chosen, "--findings", str(findings), *paths]
                running = subprocess.Popen(words, cwd=ROOT, env=os.environ | told, stdout=said, stderr=said)
                if not around:
                    _follow(running, findings)
                status = running.wait()
            last = (log.read_text().strip().splitlines() or ["nothing was run"])[-1].strip("= ")
            if around:
                print(f"\n{around}\n  {SIGNS['failed' if status else 'passed']}  bookings: {last}", flush=True)
            if status:
                failed = True
                print(log.read_text()[-6000:], flush=True)
    print(f"\n{'Something failed' if failed else 'All of it holds'} ({(time.monotonic() - began) / 60:.0f} minutes).")
    return int(failed)


def _follow(running: subprocess.Popen[bytes], findings: Path) -> None:
    """Print what is seen as it is seen, under its point."""
    point = ""
    with findings.open() as lines:
        while True:
            over = running.poll() is not None
            for line in lines:
                told = json.loads(line)
                if told["point"] != point:
                    point = told["point"]
                    print(f"\n{point}", flush=True)
                print(f"  {SIGNS[told['outcome']]}  {told['did']}: {told['counted']}", flush=True)
            if over:
                return
            time.sleep(0.5)


def _missing(told: dict[str, str]) -> str:
    """Why this cannot be run here; "" when it can."""
    if "POSTGRES_PROGRAMS" in told and not OLDEST.is_dir():
        return f"there is no {OLDEST} (Debian 12: postgresql-15)."
    if "PGBOUNCER" in told and not shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return "PgBouncer is not installed (Debian: pgbouncer)."
    return ""


if __name__ == "__main__":
    sys.exit(main())

"""A new version comes while people book and read: none of them is lost, neither on the way there nor on the way back.

The next version is a copy of this one with another number and a migration that adds a column. `python -m portal` starts
every process, as the units do.
"""

from __future__ import annotations

import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from portal import config
from tests import processes, proxy
from tests.engines import Ground
from tests.rules.source import ROOT
from tests.standing import Host, on_a_host
from tests.traffic import *  # noqa: F403 - people who come, as fixtures
from tests.traffic import Plain, visits

pytestmark = [
    pytest.mark.drill("A new version"),
    pytest.mark.long,
    pytest.mark.xdist_group("drills"),
    pytest.mark.skipif(proxy.NGINX is None, reason="nginx is not installed (Debian: nginx-light)."),
]
NEXT = "99.0.0"
MIGRATION = '''"""What the next version needs: a column that this one does not know."""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "of_the_drill", "{head}"
branch_labels = depends_on = None

def upgrade():
    op.add_column("appointments", sa.Column("of_the_drill", sa.Text()))
    op.alter_column("appointments", "of_the_drill", server_default="x")
'''


@pytest.fixture
def host(ground: Ground, number: int, _committed: str, tmp_path: Path) -> Iterator[Host]:
    with on_a_host(ground, _committed, 4 + number, tmp_path) as made:
        yield made
        made.end()
        ground.administer("ALTER TABLE appointments DROP COLUMN IF EXISTS of_the_drill", _committed)
        ground.administer(f"UPDATE alembic_version SET version_num = '{_head()}'", _committed)


@pytest.fixture
def following(tmp_path: Path) -> Path:
    """The next version, in a folder of its own."""
    place = tmp_path / "next"
    place.mkdir()
    for name in ("portal", "migrations", "deploy"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("templates", "static", "wsgi.py", "pyproject.toml"):
        (place / name).symlink_to(ROOT / name)
    (place / "wsgi.py").unlink()
    shutil.copy(ROOT / "wsgi.py", place / "wsgi.py")
    source = (place / "portal/config.py").read_text()
    changed, found = re.subn(r'^VERSION = "[^"]+"', f'VERSION = "{NEXT}"', source, flags=re.M)
    assert found == 1
    (place / "portal/config.py").write_text(changed)
    (place / "migrations/versions/99999999_of_the_drill.py").write_text(MIGRATION.format(head=_head()))
    return place


def test_two_webs_behind_nginx_are_exchanged_one_by_one_and_back_again(
    host: Host, following: Path, traffic: Any, tmp_path: Path, saw: Any
) -> None:
    port = processes.free_port()
    host.told["BASE_URL"] = f"https://{proxy.NAME}:{port}"
    now = config.VERSION
    for web in host.ports:
        host.start("web", port=web)
    for name in ("live", "worker", "clock"):
        host.start(name)
    place = tmp_path / "nginx"
    place.mkdir()
    url = host.told["BASE_URL"]
    with (
        proxy.running(place, port, host.ports, host.live_port) as nginx,
        traffic(nginx.ask_json, url) as coming,
    ):
        listening = Listening(nginx, coming.tokens[0])
        time.sleep(2)
        host.release(following)
        assert host.versions() == [now, now]
        for web in host.ports:
            host.exchange("web", following, web)
        for name in ("live", "worker", "clock"):
            host.exchange(name, following)
        assert host.versions() == [NEXT, NEXT]
        time.sleep(2)
        there = coming.counted
        listening.until(opened=2)
        for name in ("clock", "worker", "live"):
            host.exchange(name, ROOT)
        for web in host.ports:
            host.exchange("web", ROOT, web)
        assert host.versions() == [now, now]
        listening.until(opened=3)
        heard = Counter(listening.heard)
    saw(f"{now} to {NEXT} with its migration, web by web behind nginx, 5 requests a second", there)
    saw("a program that listens all the while", ", ".join(f"{n} × {what}" for what, n in heard.items()))
    saw(f"back to {now} beside the newer tables", f"{coming.counted}; {visits()} rows")
    assert coming.lost == []
    assert coming.booked == visits() > 50
    assert heard["told bye"] == heard["let in"] - 1 and not heard["broken off"]


def test_one_web_is_reloaded_by_hup(host: Host, traffic: Any, saw: Any) -> None:
    port = host.ports[0]
    host.told["BASE_URL"] = f"http://127.0.0.1:{port}"
    host.start("web", port=port)
    parent = psutil.Process(host.standing[f"web-{port}"].pid)
    before = set(parent.children())
    with traffic(Plain(port), host.told["BASE_URL"]) as coming:
        time.sleep(2)
        parent.send_signal(signal.SIGHUP)
        until = time.monotonic() + 120
        while set(parent.children()) & before:
            assert time.monotonic() < until
            time.sleep(0.5)
        time.sleep(2)
    saw("web reloaded by SIGHUP, 5 requests a second", f"{coming.counted}; {visits()} rows")
    assert coming.lost == []
    assert coming.booked == visits() > 50


class Listening:
    """A program that listens to what happens, and connects again when it is told goodbye."""

    def __init__(self, nginx: proxy.Proxy, token: str) -> None:
        self._nginx, self._token = nginx, token
        self.heard: Counter[str] = Counter()
        threading.Thread(target=self._run, daemon=True).start()

    def until(self, opened: int) -> None:
        """Wait until it has been let in so often."""
        give_up = time.monotonic() + 30
        while self.heard["let in"] < opened:
            assert time.monotonic() < give_up, self.heard
            time.sleep(0.1)

    def _run(self) -> None:
        headers = {"Host": f"{proxy.NAME}:{self._nginx.port}", "Authorization": f"Bearer {self._token}"}
        while True:
            connection = self._nginx.connect()
            try:
                connection.request("GET", "/api/v1/stream", headers=headers)
                answer = connection.getresponse()
                if answer.status != 200:
                    time.sleep(0.5)
                    continue
                self.heard["let in"] += 1
                self.heard[self._until_the_end(answer)] += 1
            except OSError:
                self.heard["broken off"] += 1
            finally:
                connection.close()

    def _until_the_end(self, answer: Any) -> str:
        while line := answer.readline():
            if line.startswith(b'data: {"type":"bye","code":"closing"'):
                return "told bye"
        return "broken off"


def _head() -> str:
    from portal import checkup

    (head,) = checkup._versions()[0]
    return head

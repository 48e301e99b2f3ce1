"""The real portal in processes of its own, and a real browser before it: fixtures for journeys and drills."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask

from portal.core.db import keep
from portal.gateways.mail import Mailbox
from tests import processes
from tests.doors import Post
from tests.engines import Ground, environment

__all__ = ["_live", "browser", "live_mailbox", "live_server", "page"]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def _live(ground: Ground, number: int, data: Path, _committed: str) -> Iterator[processes.Portal]:
    told = environment(ground, _committed, 8 + number, PORTAL_DATA=str(data / "live"))
    with processes.running(told, data / "log") as portal:
        yield portal


@pytest.fixture
def live_server(_live: processes.Portal, committed: Flask, ground: Ground, number: int) -> Iterator[str]:
    """The address of the whole portal in processes of its own: web, worker and clock, on `committed`'s database."""
    with redis.from_url(ground.redis_of(8 + number)) as queue:
        for key in queue.scan_iter("rq:queue:*"):
            queue.delete(key)
    yield _live.base_url
    keep()


@pytest.fixture
def live_mailbox(live_server: str, data: Path) -> Iterator[Post]:
    """The mail the live portal kept."""
    box = Mailbox(data / "live" / "mail")
    box.clear()
    yield Post(box, lambda: None)
    box.clear()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium; without one, tests fail under CI=true and are skipped elsewhere."""
    from playwright.sync_api import expect, sync_playwright

    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: install the package chromium.")
        pytest.skip("Chromium is not installed.")
    expect.set_options(timeout=15_000)  # a busy machine takes its time
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, live_server: str) -> Iterator[Any]:
    """A tab on the live portal, 1280 px wide, in English."""
    context = browser.new_context(base_url=live_server, viewport={"width": 1280, "height": 900}, locale="en-GB")
    yield context.new_page()
    context.close()
